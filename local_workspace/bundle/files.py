"""Bundle files: includes, and where each thing was written."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from glob import glob
from pathlib import Path
from typing import Any

from local_workspace.bundle.merge import merge
from local_workspace.bundle.yaml_file import read_sections
from local_workspace.environment import USE_CASE_VARIABLE
from local_workspace.errors import BundleError

ROOT_FILE = "databricks.yml"
OF_USE_CASE = "use_case/bundle.yml"


@dataclass
class Source:
    """The merged files of a bundle, with the place of every reference and resource."""

    config: dict[str, Any] = field(default_factory=dict)
    references: dict[str, str] = field(default_factory=dict)
    resources: dict[tuple[str, str], str] = field(default_factory=dict)

    def place(self, reference: str) -> str:
        """`file:line` of the first use of a reference, or the root file when a variable made it up."""
        return self.references.get(reference, ROOT_FILE)


def read_bundle_files(root: Path, environ: Mapping[str, str]) -> Source:
    """Reads the root file and everything that its `include` names, in the CLI's order.

    Args:
        root: the bundle's folder.
        environ: may name another use case: what that says to the bundle comes with it.
    """
    source = Source()
    _add_file(source, root, root / ROOT_FILE)
    other = environ.get(USE_CASE_VARIABLE)
    elsewhere = {root / OF_USE_CASE: Path(other, OF_USE_CASE)} if other else {}
    for path in _included(root, source.config.get("include") or []):
        _add_file(source, root, elsewhere.get(path, path))
    return source


def _included(root: Path, patterns: list[str]) -> list[Path]:
    """What Go's `filepath.Glob` finds: `**` is `*`, and hidden files are files."""
    found: dict[Path, None] = {}
    for pattern in patterns:
        names = sorted(glob(pattern, root_dir=root, include_hidden=True))  # noqa: PTH207 (Path.glob's `**` goes deeper)
        if not names and not set(pattern) & set("*?["):
            raise BundleError(f"{ROOT_FILE}: include '{pattern}' matches no file.")
        found |= dict.fromkeys(root / name for name in names)
    return [path for path in found if path != root / ROOT_FILE]


def _add_file(source: Source, root: Path, path: Path) -> None:
    name = (path.relative_to(root) if path.is_relative_to(root) else path).as_posix()
    content = read_sections(path, name, source.references)
    for kind, resources in (content.get("resources") or {}).items():
        for key in resources or {}:
            source.resources.setdefault((kind, key), name)
    try:
        source.config = merge(source.config, content)
    except BundleError as error:
        raise BundleError(f"{name}: {error}") from None
