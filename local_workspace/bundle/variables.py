"""Variables: `BUNDLE_VAR_<name>` beats the target's value, which beats the default."""

from collections.abc import Mapping
from typing import Any

from local_workspace.errors import BundleError

_FIELDS = {"default", "description", "type", "lookup"}


def set_variables(variables: Mapping[str, Any], environ: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """Gives every variable its value; one without is an error by name."""
    return {name: {**(item or {}), "value": _value(name, item or {}, environ)} for name, item in variables.items()}


def _value(name: str, variable: Mapping[str, Any], environ: Mapping[str, str]) -> Any:
    unknown = sorted(set(variable) - _FIELDS)
    if unknown:
        raise BundleError(f"variable '{name}': unknown field '{unknown[0]}'.")
    given = environ.get(f"BUNDLE_VAR_{name}")
    if given is not None:
        if variable.get("type") == "complex":
            raise BundleError(f"variable '{name}' is complex, so BUNDLE_VAR_{name} can't set it.")
        return given
    if variable.get("lookup") is not None:
        raise BundleError(f"variable '{name}' is a lookup, which needs a workspace: set BUNDLE_VAR_{name}.")
    if variable.get("default") is None:
        raise BundleError(f"variable '{name}' has no value: give it a default or set BUNDLE_VAR_{name}.")
    return variable["default"]
