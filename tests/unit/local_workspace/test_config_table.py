"""What `make config` says of every key."""

from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from local_workspace.config_table import describe_config
from project.config import config_file, load_config

FREE = ("settings", "training.model")  # maps whose keys are the use case's own


def keys_of(content: Any, prefix: str = "") -> Iterator[str]:
    """The keys of the file as the table says them; of a list of sections, or a map of them, once."""
    if isinstance(content, dict):
        for name, value in content.items():
            yield from keys_of(value, f"{prefix}.{name}" if prefix else name)
    elif isinstance(content, list) and content and isinstance(content[0], dict):
        for item in content:
            yield from keys_of(item, f"{prefix}[]")
    else:
        yield prefix


@pytest.fixture(scope="module")
def rows() -> dict[str, tuple[str, str, str]]:
    return {key: (kind, value, meaning) for key, kind, value, meaning in describe_config(load_config())}


def test_every_key_of_the_file_is_there_with_its_value(rows):
    content = yaml.safe_load(config_file().read_text())
    described = {key.replace("[]", "") for key in rows}
    for key in keys_of(content):
        plain = key.replace("[]", "")
        parents = [".".join(plain.split(".")[:number]) for number in range(1, plain.count(".") + 2)]
        assert any(parent in described for parent in parents), key
    assert rows["subject.noun"][1] == content["subject"]["noun"]
    assert rows["training.validation_days"][:2] == ("whole number > 0", str(content["training"]["validation_days"]))


def test_every_key_says_what_it_means_and_of_what_type_it_is(rows):
    untold = [key for key, (_, _, meaning) in rows.items() if not meaning]
    assert not untold
    assert not [key for key, (kind, _, _) in rows.items() if "any" in kind and not key.startswith(FREE)]
