"""What real feeds do wrong, done to the use case's feed on named days: what it looks like, who says so, what remains.

A fault spoils what lands while it lasts. Then the feed delivers those days once more, as they are. Which faults there
are is the use case's to say: `use_case/faults.py`.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from unittest.mock import patch

import pandas as pd
from pyspark.sql import SparkSession

from feature_engineering import refresh
from local_workspace.errors import LocalWorkspaceError
from project.config import Config
from project.tables import Tables
from replay.days import Plan
from use_case.feed import land_news

JOB, QUARANTINE, MONITORING = "the failed job", "the quarantine", "monitoring"
_MODULE = "use_case.faults"
_LANDED = "as_of=%Y%m%dT%H%M%SZ"


@dataclass(frozen=True)
class Fault:
    """A kind of fault.

    Attributes:
        name: what the report calls it.
        source: whose file it spoils.
        day: when it begins (UTC); where the replay does not run that day, on the next that it does.
        length: how long it lasts.
        spoil: the rows that land instead, all columns text; None where no file lands at all.
        caught_by: who must say so: JOB, QUARANTINE or MONITORING.
        words: what it must say (a regular expression).
        adds_rows: it brings what the archive has not, and nothing of it is wrong: it is not put right.
        leaves_tables_right: nothing wrong comes into the tables, as it ends in the quarantine, or as the job fails and
            runs again on right data: a version that learns meanwhile learns nothing wrong.
    """

    name: str
    source: str
    day: datetime
    length: timedelta
    spoil: Callable[[pd.DataFrame], pd.DataFrame | None]
    caught_by: str
    words: str
    adds_rows: bool = False
    leaves_tables_right: bool = False


@dataclass(frozen=True)
class Unit:
    """A unit that may be mistaken for another: each value becomes (value - start) * factor.

    Attributes:
        name: what is mistaken, in words.
        columns: the inputs that have it (a regular expression of whole names).
        factor: how many of the wrong unit are one of the right one.
        start: the value in the right unit that is 0 in the wrong one.
    """

    name: str
    columns: str
    factor: float
    start: float = 0.0


@dataclass(frozen=True)
class Faults:
    """What can go wrong with the feed of a use case: the `FAULTS` of `use_case/faults.py`.

    Attributes:
        faults: what is done to its files, and when.
        settled: as long after a day, what happened on it is known.
        sent: figures of what the archive has of some days (YYYY-MM-DD, in order), by name.
        stored: the same figures of the tables.
        units: what `make power` mistakes.
    """

    faults: tuple[Fault, ...]
    settled: timedelta
    sent: Callable[[Sequence[str]], Mapping[str, float]]
    stored: Callable[[SparkSession, Tables, Sequence[str]], Mapping[str, float]]
    units: tuple[Unit, ...] = ()


@dataclass(frozen=True)
class Scheduled:
    """A fault in one replay.

    Attributes:
        fault: which.
        before: the last moment at which all was well (UTC).
        first: the first run that gets the spoiled file.
        repaired: the run that gets the true rows of all days since `before`.
    """

    fault: Fault
    before: datetime
    first: datetime
    repaired: datetime

    def spoils(self, as_of: datetime) -> bool:
        """Whether it spoils what lands as of a moment."""
        return self.fault.adds_rows or self.first <= as_of < self.repaired


def find_faults() -> Faults | None:
    """The faults of the use case; None where it has none."""
    if find_spec(_MODULE) is None:
        return None
    found: Faults = import_module(_MODULE).FAULTS
    return found


def faults_of(plan: Plan, known: Faults) -> tuple[Scheduled, ...]:
    """The faults that begin and end within a replay, so early that what they were about is settled at its end."""
    moments = [plan.start, *(day.as_of for day in plan.days)]
    found = []
    for fault in known.faults:
        first = next((place for place, moment in enumerate(moments) if place and moment >= fault.day), None)
        after = next((place for place, moment in enumerate(moments) if moment >= fault.day + fault.length), None)
        if first is not None and after is not None and moments[0] < fault.day:
            repaired = max(after, first + 1)
            if repaired < len(moments) and moments[repaired] + known.settled <= moments[-1]:
                found.append(Scheduled(fault, moments[first - 1], moments[first], moments[repaired]))
    return tuple(found)


def feed_of(plan: Plan, folder: Path) -> "FaultyFeed | None":
    """The feed of a replay that has faults; None where it is to have none.

    Args:
        plan: which replay.
        folder: remembers which of them a person has put right.

    Raises:
        LocalWorkspaceError: it is to have some, and the use case names none.
    """
    if not plan.with_faults:
        return None
    known = find_faults()
    if known is None:
        raise LocalWorkspaceError("the use case has no faults to replay (use_case/faults.py): leave out FAULTS=1")
    return FaultyFeed(faults_of(plan, known), folder)


class FaultyFeed:
    """The use case's feed with faults, in the place of its `land_news`."""

    def __init__(self, faults: Sequence[Scheduled], folder: Path) -> None:
        """Takes the faults, and the folder that remembers which of them a person has put right."""
        self.faults = tuple(faults)
        self._folder = folder

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """The feature job lands its files through this feed."""
        with patch.object(refresh, "land_news", self):
            yield

    def __call__(
        self, spark: SparkSession, landing: Path, since: datetime | None, as_of: datetime, config: Config
    ) -> None:
        """Lands what the feed does, but for the faults."""
        land_news(spark, landing, self.delivered_since(since, as_of), as_of, config)
        for fault in self.faults:
            if fault.spoils(as_of) and not self._mark(fault).exists():
                _spoil(landing / fault.fault.source / as_of.astimezone(UTC).strftime(_LANDED), fault.fault.spoil)

    def delivered_since(self, since: datetime | None, as_of: datetime) -> datetime | None:
        """From when on the feed delivers: from before a fault that it puts right."""
        if since is None:
            return None
        righted = [fault.before for fault in self.faults if since < fault.repaired <= as_of]
        return min([since, *righted])

    def repair(self, as_of: datetime) -> str | None:
        """Puts right the fault of this moment that makes a job fail: what it did; None where there is none."""
        for fault in self.faults:
            if fault.fault.caught_by == JOB and fault.spoils(as_of) and not self._mark(fault).exists():
                self._folder.mkdir(parents=True, exist_ok=True)
                self._mark(fault).touch()
                return f"{fault.fault.name}: the file has landed, the job runs once more"
        return None

    def _mark(self, fault: Scheduled) -> Path:
        return self._folder / f"{fault.first:%Y-%m-%d}-{fault.fault.source}"


def _spoil(folder: Path, spoil: Callable[[pd.DataFrame], pd.DataFrame | None]) -> None:
    files = sorted(folder.glob("*.csv"))  # a first delivery, of months, comes in several
    rows = spoil(pd.concat([pd.read_csv(file, dtype=str) for file in files]))
    for file in files:
        file.unlink()  # with its name, for Spark keeps a checksum of each file beside it
    if rows is None:
        for rest in folder.iterdir():
            rest.unlink()
        folder.rmdir()
    else:
        rows.to_csv(folder / "spoiled.csv", index=False)
