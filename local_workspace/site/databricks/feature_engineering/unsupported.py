"""Refusals: whatever the local client cannot do is an error with its name, never silently ignored."""

from collections.abc import Collection
from typing import NoReturn


def refuse(**arguments: object) -> None:
    """Raises NotImplementedError, naming each argument that was given."""
    given = [name for name, value in arguments.items() if value]
    if given:
        raise NotImplementedError(f"The local feature engineering client does not support {', '.join(given)}.")


def refuse_unknown(name: str, on_databricks_only: Collection[str], owner: str) -> NoReturn:
    """Raises NotImplementedError for a name that exists on Databricks, AttributeError for any other."""
    if name in on_databricks_only:
        raise NotImplementedError(f"The local feature engineering client does not support {name}.")
    raise AttributeError(f"{owner!r} has no attribute {name!r}")
