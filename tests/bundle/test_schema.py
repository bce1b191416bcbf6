"""The bundle's files fit the schema that the CLI gives out, without a workspace."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from local_workspace.workspace import REPOSITORY
from tests.bundle.standin import BIN, TARGETS

FILES = [REPOSITORY / "databricks.yml", *sorted(REPOSITORY.glob("resources/*.yml"))]


@pytest.fixture(scope="module")
def schema(built_cli: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("schema") / "bundle.json"
    words = [str(BIN / "databricks"), "bundle", "schema"]
    file.write_text(subprocess.run(words, capture_output=True, text=True, check=True, cwd=file.parent).stdout)
    return file


def check(schema: Path, files: list[Path]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "check_jsonschema", "--schemafile", str(schema), *map(str, files)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_each_file_fits_the_schema(schema: Path) -> None:
    assert len(FILES) > 8
    done = check(schema, FILES)
    assert done.returncode == 0, done.stdout


def test_a_key_that_nobody_knows_does_not(schema: Path, tmp_path: Path) -> None:
    text = (REPOSITORY / "resources" / "volume.yml").read_text()
    wrong = tmp_path / "volume.yml"
    wrong.write_text(text.replace("comment:", "coment:"))
    assert check(schema, [wrong]).returncode != 0


def values(content: Any) -> Iterator[str]:
    """All plain values of a file as text, but for what is written for people."""
    if isinstance(content, dict):
        for key, value in content.items():
            if key not in {"description", "comment", "display_name", "custom_summary"}:
                yield from values(value)
    elif isinstance(content, list):
        for item in content:
            yield from values(item)
    else:
        yield str(content)


def test_no_file_names_a_workspace_and_no_resource_a_target_or_a_catalog() -> None:
    root, *resources = FILES
    assert not [value for file in FILES for value in values(yaml.safe_load(file.read_text())) if "://" in value]
    assert "host" not in yaml.safe_load(root.read_text()).get("workspace", {})
    for file in resources:
        made = yaml.safe_load(file.read_text()).get("resources")  # a fork's file may set its targets' variables
        words = {word for value in values(made) for word in value.replace("/", " ").split()}
        assert words.isdisjoint({*TARGETS, "main", "spark_catalog"}), file.name
