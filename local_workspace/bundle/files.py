"""Bundle files: safe YAML without surprises, includes, and where each thing was written."""

import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from local_workspace.bundle.merge import merge
from local_workspace.bundle.references import REFERENCE
from local_workspace.errors import BundleError

ROOT_FILE = "databricks.yml"


class _Loader(yaml.SafeLoader):
    """YAML 1.2's plain values, as the CLI's parser has them: `on`, `12:30` and dates stay text."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 (yaml's own attribute)


for _tag, _pattern, _first in (
    ("null", r"^(?:~|null|Null|NULL|)$", ["~", "n", "N", ""]),
    ("bool", r"^(?:true|True|TRUE|false|False|FALSE)$", list("tTfF")),
    ("int", r"^[-+]?(?:0|[1-9][0-9]*|0x[0-9a-fA-F]+)$", list("-+0123456789")),
    (
        "float",
        r"^[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+|[0-9]+(?=[eE]))(?:[eE][-+]?[0-9]+)?$",
        list("-+.0123456789"),
    ),
    ("merge", r"^<<$", ["<"]),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(_pattern), _first)


@dataclass
class Source:
    """The merged files of a bundle, with the place of every reference and resource."""

    config: dict[str, Any] = field(default_factory=dict)
    references: dict[str, str] = field(default_factory=dict)
    resources: dict[tuple[str, str], str] = field(default_factory=dict)

    def place(self, reference: str) -> str:
        """`file:line` of the first use of a reference, or the root file when a variable made it up."""
        return self.references.get(reference, ROOT_FILE)


def read_bundle_files(root: Path) -> Source:
    """Reads the root file and everything that its `include` names, in the CLI's order."""
    source = Source()
    _add_file(source, root, root / ROOT_FILE)
    for path in _included(root, source.config.get("include") or []):
        _add_file(source, root, path)
    return source


def _included(root: Path, patterns: list[str]) -> Iterator[Path]:
    seen = {root / ROOT_FILE}
    for pattern in patterns:
        matches = sorted(root.glob(pattern))
        if not matches:
            raise BundleError(f"{ROOT_FILE}: include '{pattern}' matches no file.")
        for path in matches:
            if path not in seen:
                seen.add(path)
                yield path


def _add_file(source: Source, root: Path, path: Path) -> None:
    name = path.relative_to(root).as_posix()
    content = _read_yaml(path, name, source.references)
    for kind, resources in (content.get("resources") or {}).items():
        for key in resources or {}:
            source.resources.setdefault((kind, key), name)
    folder = posixpath.dirname(name)
    try:
        source.config = merge(source.config, _anchor_notebooks(content, folder))
    except BundleError as error:
        raise BundleError(f"{name}: {error}") from None


def _read_yaml(path: Path, name: str, references: dict[str, str]) -> dict[str, Any]:
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise BundleError(f"'{path}' can't be read: {error.strerror}.") from None
    loader = _Loader(text)
    loader.name = name
    try:
        node = loader.get_single_node()
        if node is None:
            return {}
        _inspect(node, name, references)
        content = loader.construct_document(node)
    except yaml.YAMLError as error:
        raise BundleError(f"{name} is no valid YAML: {' '.join(str(error).split())}") from None
    finally:
        loader.dispose()
    if not isinstance(content, dict):
        raise BundleError(f"{name} must hold a mapping.")
    return content


def _inspect(node: yaml.Node, name: str, references: dict[str, str]) -> None:
    """Refuses duplicate keys, which YAML parsers drop silently, and notes where each reference stands."""
    line = node.start_mark.line + 1
    if isinstance(node, yaml.ScalarNode):
        for match in REFERENCE.finditer(node.value):
            references.setdefault(match[1], f"{name}:{line}")
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            _inspect(item, name, references)
    elif isinstance(node, yaml.MappingNode):
        keys = set()
        for key, value in node.value:
            if key.value in keys:
                raise BundleError(f"{name}:{key.start_mark.line + 1}: the key '{key.value}' is there twice.")
            keys.add(key.value)
            _inspect(value, name, references)


def _anchor_notebooks(value: Any, folder: str) -> Any:
    """Makes notebook paths relative to the bundle's root; in the files they are relative to the file."""
    if isinstance(value, list):
        return [_anchor_notebooks(item, folder) for item in value]
    if not isinstance(value, dict):
        return value
    anchored = {key: _anchor_notebooks(item, folder) for key, item in value.items()}
    path = anchored.get("notebook_path")
    if isinstance(path, str) and not path.startswith(("/", "${")):
        anchored["notebook_path"] = posixpath.normpath(posixpath.join(folder, path))
    return anchored
