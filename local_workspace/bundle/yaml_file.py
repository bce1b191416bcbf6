"""One file of a bundle: YAML as the CLI reads it (tests/bundle/test_yaml.py compares them)."""

import posixpath
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.constructor import SafeConstructor
from ruamel.yaml.error import YAMLError
from ruamel.yaml.nodes import SequenceNode

from local_workspace.bundle.references import REFERENCE
from local_workspace.errors import BundleError

# All that the CLI knows (tests/bundle/test_schema.py asks it).
_SECTIONS = {
    *("bundle", "include", "variables", "workspace", "resources", "targets", "environments", "sync", "presets"),
    *("permissions", "run_as", "artifacts", "experimental", "python", "scripts"),
}


class _Constructor(SafeConstructor):
    """YAML 1.2, but for what the CLI reads otherwise; notes where each reference stands."""

    name: str
    references: dict[str, str]

    def construct_scalar(self, node: Any) -> Any:
        """Notes the references in a text; a date or a time is text too."""
        value = super().construct_scalar(node)
        for match in REFERENCE.finditer(value):
            self.references.setdefault(match[1], self.place(node))
        return value

    def construct_yaml_float(self, node: Any) -> float:
        """Where text is wanted, `1e3` and `1.0` are 1000 and 1."""
        value = super().construct_yaml_float(node)
        return int(value) if value.is_integer() else value

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:
        """Makes notebook paths relative to the bundle's root; in the files they are relative to the file."""
        mapping = super().construct_mapping(node, deep)
        path = mapping.get("notebook_path")
        if isinstance(path, str) and not path.startswith(("/", "${")):
            mapping["notebook_path"] = posixpath.normpath(posixpath.join(posixpath.dirname(self.name), path))
        return mapping

    def flatten_mapping(self, node: Any) -> None:
        """Refuses a key that is there twice, also beside `<<`; of several maps behind `<<` the last wins."""
        if getattr(node, "merge", None):  # flattened already, when it was merged into another
            return
        keys = [key.value for key, _ in node.value]
        for at, (key, value) in enumerate(node.value):
            if key.value in keys[:at]:
                raise BundleError(f"{self.place(key)}: duplicate key '{key.value}'.")
            if key.tag == "tag:yaml.org,2002:merge" and isinstance(value, SequenceNode):
                value.value.reverse()
        super().flatten_mapping(node)

    def place(self, node: Any) -> str:
        """`file:line` of a node."""
        return f"{self.name}:{node.start_mark.line + 1}"


_Constructor.add_default_constructor("float")
_Constructor.add_default_constructor("timestamp", "construct_scalar")
_Constructor.add_default_constructor("value", "construct_scalar")  # a plain `=`


def read_sections(path: Path, name: str, references: dict[str, str]) -> dict[str, Any]:
    """Reads a file's sections; what else has an anchor is there for them to use.

    Args:
        path: The file.
        name: Its path from the bundle's root.
        references: Takes `file:line` of each reference's first use.

    Raises:
        BundleError: The file can't be read, is no YAML, holds a key twice, or what is no section.
    """
    yaml = YAML(typ="safe", pure=True)
    yaml.Constructor = _Constructor
    constructor: _Constructor = yaml.constructor
    constructor.name, constructor.references = name, references
    try:
        node = yaml.compose(path)
        content = constructor.construct_document(node) if node else None
    except OSError as error:
        raise BundleError(f"'{path}' can't be read: {error.strerror}.") from None
    except (YAMLError, ValueError) as error:  # the latter of numbers that are none, such as `0x_`
        raise BundleError(f"{name} is not valid YAML: {' '.join(str(error).split())}") from None
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise BundleError(f"{name} must hold a mapping.")
    for key, value in node.value:
        if key.value not in _SECTIONS and not value.anchor:
            raise BundleError(f"{constructor.place(key)}: unknown field '{key.value}'.")
    return {key: value for key, value in content.items() if key in _SECTIONS}
