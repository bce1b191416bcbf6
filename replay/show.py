"""Shows how far the replay is: a line a day, and on a terminal a bar with the time left below them."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from statistics import fmean

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn

from replay.days import Day
from replay.journal import Entry

_RECENT = 10


class Show:
    """What a person sees of the replay."""

    def __init__(
        self, total: int, finished: int, title: str, quality: Callable[[Day], float | None], console: Console
    ) -> None:
        """Takes the number of days, how many are finished, what the running quality is called and what it is, and where
        to write.
        """
        self._total, self._finished, self._console = total, finished, console
        self._title, self._quality = title, quality
        self._recent: list[float] = []
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[left]}"),
        )
        self._progress = Progress(*columns, console=console, disable=not console.is_terminal, transient=True)
        self._bar: TaskID = self._progress.add_task("days", total=total, completed=finished, left="")

    @contextmanager
    def whole(self) -> Iterator[None]:
        """The replay's days, from the first to the last."""
        with self._progress:
            yield

    @contextmanager
    def day(self, day: Day, entries: list[Entry]) -> Iterator[None]:
        """One day, from its start to its end; a day that fails has no line."""
        began = time.monotonic()
        yield
        seconds = time.monotonic() - began
        self._recent = [*self._recent[1 - _RECENT :], seconds]
        self._finished += 1
        left = "time left " + in_words(fmean(self._recent) * (self._total - self._finished))
        quality = self._quality(day)
        known = f"{'-':>5}" if quality is None else f"{quality:.3f}"
        self._console.print(_line(day, entries, f"{self._title} {known}", seconds, left), soft_wrap=True)
        self._progress.update(self._bar, completed=self._finished, left=left)
        for entry in entries:
            if entry.as_of == day.as_of:
                for event in entry.events:
                    self._console.print(f"    {event.kind}: {event.text}", soft_wrap=True, markup=False)


def _line(day: Day, entries: list[Entry], quality: str, seconds: float, left: str) -> str:
    last = entries[-1] if entries else None
    champion = f"champion {last.champion}" if last and last.champion else "no champion"
    trainings = f"trainings {last.trainings if last else 0}"
    return f"{day.as_of:%Y-%m-%d}   {champion}   {quality}   {trainings}   {seconds:.1f} s   {left}"


def in_words(seconds: float) -> str:
    """A length of time to the minute, or to the second where it is shorter."""
    length = timedelta(seconds=round(seconds))
    if length < timedelta(minutes=1):
        return f"{length.seconds} s"
    hours, minutes = divmod(round(length.total_seconds() / 60), 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min"
