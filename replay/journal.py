"""The replay's own memory: a line a finished job, so that a killed replay goes on with the first job that has none.

A job that was cut off is run again as a whole: it does nothing twice for one as_of.
"""

import os
from datetime import datetime
from pathlib import Path

from pydantic import TypeAdapter
from pydantic.dataclasses import dataclass


@dataclass(frozen=True)
class Event:
    """Something that happened, which no table says.

    Attributes:
        kind: 'failure' or 'repair'.
        text: what it was, in a sentence.
    """

    kind: str
    text: str


@dataclass(frozen=True)
class Entry:
    """What is kept of a finished job.

    Attributes:
        as_of: its moment (UTC).
        job: its key in the bundle.
        seconds: how long it took.
        champion: the champion's version at its end; empty where there was none.
        trainings: how many models had been trained by then.
        events: what happened.
    """

    as_of: datetime
    job: str
    seconds: float
    champion: str = ""
    trainings: int = 0
    events: tuple[Event, ...] = ()


_ENTRY = TypeAdapter(Entry)


class Journal:
    """A file of entries, one a line, that a kill at any moment leaves readable."""

    def __init__(self, file: Path) -> None:
        """Takes the file; it need not be there."""
        self._file = file

    def read(self) -> list[Entry]:
        """The entries, oldest first. A last line without its end was cut off: its job is not finished."""
        if not self._file.exists():
            return []
        lines = self._file.read_text(encoding="utf-8").splitlines(keepends=True)
        return [_ENTRY.validate_json(line) for line in lines if line.endswith("\n")]

    def add(self, entry: Entry) -> None:
        """Adds an entry; it is on the disk when this returns."""
        self._cut_to_last_line()
        with self._file.open("ab") as file:
            file.write(_ENTRY.dump_json(entry) + b"\n")
            file.flush()
            os.fsync(file.fileno())

    def _cut_to_last_line(self) -> None:
        if self._file.exists():
            content = self._file.read_bytes()
            if not content.endswith(b"\n"):
                os.truncate(self._file, content.rfind(b"\n") + 1)
