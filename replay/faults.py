"""What real feeds do wrong, done to the sample's feed on named days: what it looks like, who says so, what remains.

A fault spoils what lands while it lasts. Then the feed delivers those days once more, as they are.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest.mock import patch

import pandas as pd
from pyspark.sql import SparkSession

from feature_engineering import refresh
from feature_engineering.feed import land_sample
from replay.days import Plan

JOB, QUARANTINE, MONITORING = "the failed job", "the quarantine", "monitoring"
NEW_CARRIER, COPIED_CARRIER = "X9", "B6"
_LANDED = "as_of=%Y%m%dT%H%M%SZ"


@dataclass(frozen=True)
class Fault:
    """A kind of fault.

    Attributes:
        name: what the report calls it.
        source: whose file it spoils: flights or weather.
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


def _no_file(_: pd.DataFrame) -> None:
    return None


def _twice(rows: pd.DataFrame) -> pd.DataFrame:
    return pd.concat([rows, rows])


def in_celsius(weather: pd.DataFrame) -> pd.DataFrame:
    """Temperature and dew point in degrees Celsius, where degrees Fahrenheit are due."""
    fahrenheit = weather[["temp", "dewp"]].astype(float)
    celsius = ((fahrenheit - 32) * 5 / 9).round(2)
    return weather.assign(temp=celsius["temp"], dewp=celsius["dewp"])


def without_delays(flights: pd.DataFrame) -> pd.DataFrame:
    """Flights that have left or arrived, and no word of how late."""
    return flights.assign(dep_delay=None, arr_delay=None)


def without_arrivals(flights: pd.DataFrame) -> pd.DataFrame:
    """Flights that have arrived, as they were known until then: departed."""
    arrived = flights["status"] == "arrived"
    unknown = {name: flights[name].mask(arrived) for name in ("arr_time", "arr_delay", "air_time")}
    return flights.assign(status=flights["status"].mask(arrived, "departed"), **unknown)


def with_new_carrier(first: datetime, days: int) -> Callable[[pd.DataFrame], pd.DataFrame]:
    """Adds a carrier that flies as an old one does, on so many days."""
    dates = pd.date_range(first.date(), periods=days)

    def add(flights: pd.DataFrame) -> pd.DataFrame:
        date = pd.to_datetime(flights[["year", "month", "day"]].astype(int))
        copied = flights[date.isin(dates) & (flights["carrier"] == COPIED_CARRIER)]
        return pd.concat([flights, copied.assign(carrier=NEW_CARRIER)])

    return add


def _on(month: int, day: int) -> datetime:
    return datetime(2013, month, day, tzinfo=UTC)


_DAY = timedelta(days=1)
# As long after a day, what happened to its flights is known.
_SETTLED = timedelta(days=3)
FAULTS = (
    Fault(
        "a file twice",
        *("flights", _on(3, 19), _DAY, _twice, QUARANTINE, "duplicate year, month, day"),
        leaves_tables_right=True,
    ),
    Fault(
        "a day's weather missing",
        *("weather", _on(4, 9), _DAY, _no_file, JOB, "nothing has landed for weather"),
        leaves_tables_right=True,
    ),
    Fault("all delays null", "flights", _on(5, 14), _DAY, without_delays, QUARANTINE, "delay: missing"),
    Fault(
        "a new carrier",
        *("flights", _on(6, 18), 5 * _DAY, with_new_carrier(_on(6, 18), 5)),
        *(MONITORING, r"of carrier are categories that the baseline"),
        adds_rows=True,
        leaves_tables_right=True,
    ),
    Fault("°C in place of °F", "weather", _on(8, 13), 3 * _DAY, in_celsius, QUARANTINE, "not degrees Fahrenheit"),
    Fault("a week's labels late", "flights", _on(10, 1), 7 * _DAY, without_arrivals, MONITORING, "outcome|labels"),
)


def faults_of(plan: Plan) -> tuple[Scheduled, ...]:
    """The faults that begin and end within a replay, so early that what they were about is settled at its end."""
    moments = [plan.start, *(day.as_of for day in plan.days)]
    found = []
    for fault in FAULTS:
        first = next((place for place, moment in enumerate(moments) if place and moment >= fault.day), None)
        after = next((place for place, moment in enumerate(moments) if moment >= fault.day + fault.length), None)
        if first is not None and after is not None and moments[0] < fault.day:
            repaired = max(after, first + 1)
            if repaired < len(moments) and moments[repaired] + _SETTLED <= moments[-1]:
                found.append(Scheduled(fault, moments[first - 1], moments[first], moments[repaired]))
    return tuple(found)


class FaultyFeed:
    """The sample's feed with faults, in the place of `land_sample`."""

    def __init__(self, faults: Sequence[Scheduled], folder: Path) -> None:
        """Takes the faults, and the folder that remembers which of them a person has put right."""
        self.faults = tuple(faults)
        self._folder = folder

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """The feature job lands its files through this feed."""
        with patch.object(refresh, "land_sample", self):
            yield

    def __call__(
        self,
        spark: SparkSession,
        source: Path,
        landing: Path,
        since: datetime | None,
        as_of: datetime,
        published_ahead: timedelta,
        history_start: datetime,
    ) -> None:
        """Lands what the sample's feed does, but for the faults."""
        land_sample(spark, source, landing, self.delivered_since(since, as_of), as_of, published_ahead, history_start)
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
