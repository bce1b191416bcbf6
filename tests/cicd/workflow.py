"""What a workflow is in both systems: jobs that wait for each other, each a list of steps."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


class UnknownPartError(Exception):
    """A workflow uses something that the rehearsal does not know, and so can't rehearse."""


@dataclass(frozen=True)
class Step:
    """One step: a command, or an action (GitHub) or task (Azure) with inputs. Texts are as written in the file."""

    name: str
    run: str = ""
    uses: str = ""
    inputs: Mapping[str, str] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=dict)
    condition: str = ""


@dataclass(frozen=True)
class Job:
    """One job; each runs on a machine of its own. An empty environment name means no credentials of a workspace."""

    key: str
    steps: tuple[Step, ...]
    needs: tuple[str, ...] = ()
    condition: str = ""
    env: Mapping[str, str] = field(default_factory=dict)
    environment: str = ""
    permissions: Mapping[str, str] = field(default_factory=dict)
    outputs: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Workflow:
    """A file's jobs, in the file's order, and the events that start it, as written."""

    file: str
    triggers: Mapping[str, Any]
    jobs: tuple[Job, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    # Of runs that may not interleave: the name of the group, and whether a new run ends the one before it.
    group: str = ""
    cancels: bool = False


def only(mapping: Mapping[str, Any], known: str, where: str) -> None:
    """Refuses keys that are not among `known` (names between spaces), by name."""
    for key in mapping:
        if key not in known.split():
            raise UnknownPartError(f"{where}: the rehearsal does not know '{key}'.")


def texts(mapping: Mapping[str, Any] | None) -> dict[str, str]:
    """The values as both systems put them into an environment."""
    words = {True: "true", False: "false", None: ""}
    return {
        key: words[value] if isinstance(value, bool | None) else str(value) for key, value in (mapping or {}).items()
    }
