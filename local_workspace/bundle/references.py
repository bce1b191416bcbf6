"""`${...}` references: `var`, `bundle`, `workspace` first, `resources` once they have names and ids."""

import re
from collections.abc import Callable
from typing import Any

from local_workspace.errors import BundleError

# The CLI's own pattern, written so that it can be matched in one way only: Python's engine backtracks.
_NAME = r"[a-zA-Z][a-zA-Z0-9]*(?:[-_]+[a-zA-Z0-9]+)*"
_INDEX = r"(?:\[[0-9]+\])*"
REFERENCE = re.compile(rf"\$\{{({_NAME}{_INDEX}(?:\.{_NAME}{_INDEX})*)\}}")
_STEP = re.compile(r"[^.\[\]]+")


def resolve(value: Any, config: dict[str, Any], roots: set[str], place: Callable[[str], str]) -> Any:
    """Replaces the references whose first word is in `roots`; other known ones stay for a later pass.

    Args:
        value: Any part of a bundle's configuration.
        config: What references look into. `var.x` means `variables.x.value`.
        roots: First words to resolve now.
        place: Says where a reference was written, for errors.
    """
    return _Resolver(config, roots, place).resolve(value, ())


class _Resolver:
    def __init__(self, config: dict[str, Any], roots: set[str], place: Callable[[str], str]) -> None:
        self._config, self._roots, self._place = config, roots, place

    def resolve(self, value: Any, trail: tuple[str, ...]) -> Any:
        if isinstance(value, dict):
            return {key: self.resolve(item, trail) for key, item in value.items()}
        if isinstance(value, list):
            return [self.resolve(item, trail) for item in value]
        if not isinstance(value, str):
            return value
        whole = REFERENCE.fullmatch(value)
        if whole:  # the value keeps its type only when the reference is all there is
            return self._follow(whole, trail)
        return REFERENCE.sub(lambda match: self._text(match, trail), value)

    def _follow(self, match: re.Match[str], trail: tuple[str, ...]) -> Any:
        reference = match[1]
        steps = _STEP.findall(reference)
        if steps[0] not in {"var", "variables", "bundle", "workspace", "resources"}:
            raise BundleError(f"{self._place(reference)}: unknown reference ${{{reference}}}.")
        if steps[0] not in self._roots:
            return match[0]
        if reference in trail:
            cycle = " → ".join(f"${{{name}}}" for name in (*trail[trail.index(reference) :], reference))
            raise BundleError(f"{self._place(reference)}: circular reference: {cycle}.")
        return self.resolve(self._look_up(reference, steps), (*trail, reference))

    def _look_up(self, reference: str, steps: list[str]) -> Any:
        if steps[0] == "var":
            steps = ["variables", *steps[1:2], "value", *steps[2:]]
        found: Any = self._config
        for step in steps:
            try:
                found = found[int(step)] if isinstance(found, list) else found[step]
            except (KeyError, IndexError, ValueError, TypeError):
                kind = "variable" if steps[0] == "variables" else "reference"
                raise BundleError(f"{self._place(reference)}: unknown {kind} ${{{reference}}}.") from None
            if isinstance(found, str) and (whole := REFERENCE.fullmatch(found)) and step != steps[-1]:
                found = self._follow(whole, (reference,))
        return found

    def _text(self, match: re.Match[str], trail: tuple[str, ...]) -> str:
        value = self._follow(match, trail)
        if isinstance(value, dict | list):
            where = f"{self._place(match[1])}: {match[0]}"
            raise BundleError(f"{where} is not a plain value, so it can't be inserted into a string.")
        if isinstance(value, bool):
            return str(value).lower()
        return "" if value is None else str(value)
