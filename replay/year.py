"""The year, day by day: what the schedules would start, and what a person would who looks after it."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from local_workspace.errors import LocalWorkspaceError
from local_workspace.runs import JobRun
from replay.days import Day
from replay.journal import Entry, Event, Journal

TRAINING, FEATURES, SCORING, MONITORING = "training", "feature_engineering", "batch_inference", "monitoring"
# Until there is a champion a model is trained so often: nothing asks for one, as nothing is scored or watched yet.
_UNTIL_CHAMPION = timedelta(days=7)


@dataclass(frozen=True)
class Jobs:
    """How the replay acts on the workspace.

    Attributes:
        run: runs a job with parameters to its end, failed or not.
        champion: the version that is champion; None where none is.
        trainings: how many versions there are.
        repair: puts right what the feed did wrong as of a moment, where that made a job fail: what it did, in words;
            None where it did nothing.
    """

    run: Callable[[str, dict[str, str]], JobRun]
    champion: Callable[[], str | None]
    trainings: Callable[[], int]
    repair: Callable[[datetime], str | None] = lambda _: None


class Show(Protocol):
    """Is told how far the replay is."""

    def day(self, day: Day, entries: list[Entry]) -> AbstractContextManager[None]:
        """Shows a day from its start to its end; `entries` are all of the journal, and grow meanwhile."""


def play(days: Iterable[Day], jobs: Jobs, journal: Journal, show: Show) -> None:
    """Runs the jobs of each day that the journal does not have yet.

    Raises:
        LocalWorkspaceError: a job failed, and the feed had no fault that was put right since.
    """
    entries = journal.read()
    for day in days:
        if not is_over(day, entries):
            with show.day(day, entries):
                _play_day(day, jobs, journal, entries)


def is_over(day: Day, entries: Sequence[Entry]) -> bool:
    """Whether the journal has all jobs of a day: monitoring ends it, and so does a job that left no champion."""
    if not entries or entries[-1].as_of < day.as_of:
        return False
    last = entries[-1]
    return last.as_of > day.as_of or last.job == MONITORING or not last.champion


def _play_day(day: Day, jobs: Jobs, journal: Journal, entries: list[Entry]) -> None:
    trained = max((entry.as_of for entry in entries if entry.job == TRAINING), default=None)
    finished = {entry.job for entry in entries if entry.as_of == day.as_of}
    for job, parameters in _due(day, jobs, trained):
        if job not in finished:
            entry = _run(day, job, parameters, jobs)
            journal.add(entry)
            entries.append(entry)


def _due(day: Day, jobs: Jobs, trained: datetime | None) -> Iterator[tuple[str, dict[str, str]]]:
    """The day's jobs, each decided when its turn comes; without a champion there is nothing to score with."""
    if jobs.champion() is None:
        is_due = trained is None or day.as_of - trained >= _UNTIL_CHAMPION
        yield (TRAINING if is_due else FEATURES), {}
    if jobs.champion() is not None:
        yield SCORING, {"window_hours": str(day.hours)}
        yield MONITORING, {}


def _run(day: Day, job: str, parameters: dict[str, str], jobs: Jobs) -> Entry:
    """Runs a job, once more where what failed it could be put right."""
    began = time.monotonic()
    events: list[Event] = []
    run = jobs.run(job, {"as_of": day.moment, **parameters})
    if run.failed:
        failure = f"{job}: {_failure(run)}"
        repair = jobs.repair(day.as_of)
        if repair is not None:
            events += [Event("failure", failure), Event("repair", repair)]
            run = jobs.run(job, {"as_of": day.moment, **parameters})
        if run.failed:
            raise LocalWorkspaceError(f"as of {day.moment}, {failure}; the next start goes on there")
    return Entry(
        as_of=day.as_of,
        job=job,
        seconds=time.monotonic() - began,
        champion=jobs.champion() or "",
        trainings=jobs.trainings(),
        events=tuple(events),
    )


def _failure(run: JobRun) -> str:
    """The first line of the first failure."""
    task = next(run.failures())
    return f"{' ▸ '.join(task.path)}: {str(task.error).splitlines()[0]}"
