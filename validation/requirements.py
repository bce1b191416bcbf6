"""What a list of requirements brings, of what is installed here: nothing is installed anew, so no network is needed."""

import importlib.metadata
from collections.abc import Iterable

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name


def modules_of(lines: Iterable[str]) -> set[str]:
    """The top-level modules of the requirements, and of all that these require in turn.

    Args:
        lines: of a `requirements.txt`, such as MLflow writes beside a model.

    Raises:
        LookupError: a requirement is not installed here, or in another version; it names it.
    """
    wanted = [Requirement(line) for line in lines if line.strip() and not line.lstrip().startswith(("#", "-"))]
    closure: dict[str, set[str]] = {}
    while wanted:
        requirement = wanted.pop()
        name, extras = canonicalize_name(requirement.name), {"", *requirement.extras}
        if extras <= closure.get(name, set()):
            continue
        new = extras - closure.setdefault(name, set())
        closure[name] |= extras
        wanted += _required_by(requirement, new)
    by_module = importlib.metadata.packages_distributions()
    return {module for module, brought in by_module.items() if closure.keys() & {canonicalize_name(b) for b in brought}}


def _required_by(requirement: Requirement, extras: set[str]) -> list[Requirement]:
    try:
        found = importlib.metadata.distribution(requirement.name)
    except importlib.metadata.PackageNotFoundError as error:
        raise LookupError(f"{requirement} is not installed here") from error
    if not requirement.specifier.contains(found.version, prereleases=True):
        raise LookupError(f"{requirement} is required, {found.version} is installed here")
    listed = [Requirement(text) for text in found.requires or ()]
    return [one for one in listed if one.marker is None or any(one.marker.evaluate({"extra": e}) for e in extras)]
