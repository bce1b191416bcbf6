"""A workspace of files: its jobs write a line each, once for one as_of, and may kill their own process on the way."""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

from replay.days import days
from replay.journal import Journal
from replay.year import Jobs, play

START, END = datetime(2024, 2, 1, tzinfo=UTC), datetime(2024, 2, 11, tzinfo=UTC)


class Files:
    """The tables: what was done, what is champion, and how often a model was trained."""

    def __init__(self, folder: Path, killed_after: int | None = None) -> None:
        self.folder, self._left = folder, killed_after

    def run(self, job: str, parameters: dict[str, str]) -> SimpleNamespace:
        self._write("done", f"{job} {parameters['as_of'][:10]} {parameters.get('window_hours', '')}".strip())
        self._die_if_it_is_time()
        # Monitoring asks for a model on the sixth; what was trained as of a moment is not trained again.
        if job == "training" or (job == "monitoring" and "-06T" in parameters["as_of"]):
            self._write("versions", parameters["as_of"])
            self._die_if_it_is_time()
        return SimpleNamespace(failed=False)

    def champion(self) -> str | None:
        return str(self.trainings()) if self.trainings() else None

    def trainings(self) -> int:
        return len(self.lines("versions"))

    def lines(self, name: str) -> list[str]:
        file = self.folder / name
        return file.read_text().splitlines() if file.exists() else []

    def _write(self, name: str, line: str) -> None:
        if line not in self.lines(name):
            with (self.folder / name).open("a") as file:
                file.write(line + "\n")

    def _die_if_it_is_time(self) -> None:
        if self._left is not None:
            self._left -= 1
            if self._left < 0:
                os.kill(os.getpid(), signal.SIGKILL)


class Nothing:
    """Shows nothing."""

    @contextmanager
    def day(self, *_: object) -> Iterator[None]:
        yield


def replay(files: Files) -> None:
    jobs = Jobs(files.run, files.champion, files.trainings)
    play(days(START, END, 2), jobs, Journal(files.folder / "journal.jsonl"), Nothing())


if __name__ == "__main__":
    replay(Files(Path(sys.argv[1]), int(sys.argv[2])))
