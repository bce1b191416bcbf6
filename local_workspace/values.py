"""Dynamic value references: what `{{...}}` in a job's parameters stands for while it runs."""

import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

from local_workspace.errors import RunError

_REFERENCE = re.compile(r"\{\{\s*(.*?)\s*\}\}")
_STEP = re.compile(r"`([^`]*)`|([^.`]+)")

TIME_PARTS: dict[str, Callable[[datetime], str]] = {
    "iso_weekday": lambda time: str(time.isoweekday()),
    "is_weekday": lambda time: str(time.isoweekday() <= 5).lower(),  # noqa: PLR2004 (Monday to Friday)
    "iso_date": lambda time: time.strftime("%Y-%m-%d"),
    "iso_datetime": lambda time: time.astimezone(UTC).isoformat(timespec="milliseconds"),
    "year": lambda time: str(time.year),
    "month": lambda time: str(time.month),
    "day": lambda time: str(time.day),
    "hour": lambda time: str(time.hour),
    "minute": lambda time: str(time.minute),
    "second": lambda time: str(time.second),
    "timestamp_ms": lambda time: str(int(time.timestamp() * 1000)),
}


def references(text: str) -> Iterator[tuple[str, ...]]:
    """The references in a text, as steps: `{{tasks.a.values.b}}` is `("tasks", "a", "values", "b")`."""
    for match in _REFERENCE.finditer(text):
        yield _steps(match[1])


def fill_in(text: str, look_up: Callable[[tuple[str, ...]], Any]) -> str:
    """Replaces each reference by its value; `look_up` returns None for one that it doesn't know."""

    def replace(match: re.Match[str]) -> str:
        value = look_up(_steps(match[1]))
        if value is None:
            raise RunError(f"unknown dynamic value reference {match[0]}.")
        return as_text(value)

    return _REFERENCE.sub(replace, text)


def as_text(value: Any) -> str:
    """A task value as a parameter or a condition sees it."""
    return value if isinstance(value, str) else json.dumps(value)


def _steps(reference: str) -> tuple[str, ...]:
    return tuple(quoted or plain for quoted, plain in _STEP.findall(reference))
