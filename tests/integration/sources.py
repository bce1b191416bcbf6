"""What the feature job is fed with: an archive that ends early, and the sample's feed with faults."""

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import pandas as pd
from pyspark.sql import SparkSession
from raw_features import DAY, HOUR, Raw

from feature_engineering.feed import land_sample, sample_folder

ARRIVAL = ["arr_time", "arr_delay", "air_time"]
ACTUALS = ["dep_time", "dep_delay", *ARRIVAL]
KEYS = {"flights": ["year", "month", "day", "carrier", "flight", "origin"], "weather": ["origin", "time_hour"]}
LATER = 100  # minutes


def without_later(raw: Raw, moment: pd.Timestamp) -> pd.DataFrame:
    """The flights that were published by a moment, and nothing of what happened to them after it.

    A flight that is overdue at the moment keeps an outcome, a later one than the true: the archive has no status, so
    that no outcome in it means a flight cancelled when it should have left, or diverted when it should have arrived.
    """
    flights = raw.flights[raw.flights["sched_dep_at"] - DAY <= moment].copy()
    to_leave, to_arrive = flights["departed_at"] > moment, flights["arrived_at"] > moment
    overdue_to_leave = to_leave & (flights["sched_dep_at"] <= moment)
    overdue_to_arrive = to_arrive & ~to_leave & (flights["sched_arr_at"] <= moment)
    flights.loc[overdue_to_leave, "dep_delay"] += LATER
    flights.loc[overdue_to_leave | overdue_to_arrive, "arr_delay"] += LATER
    flights.loc[to_leave & ~overdue_to_leave, ACTUALS] = None
    flights.loc[to_arrive & ~to_leave & ~overdue_to_arrive, ARRIVAL] = None
    return flights


def write_archive(folder: Path, flights: pd.DataFrame, moment: pd.Timestamp) -> Path:
    """Writes a folder like the package's, of these flights and the weather observed by a moment."""
    package = sample_folder()
    for file in ("airports.csv", "planes.csv"):
        shutil.copy(package / file, folder)
    columns = pd.read_csv(package / "flights.csv.zip", nrows=0).columns
    flights[columns].convert_dtypes().to_csv(folder / "flights.csv.zip", index=False)
    # Of the types that the whole files have: the feed reads a column that happens to end up whole as whole numbers.
    weather = pd.read_csv(package / "weather.csv", float_precision="round_trip").convert_dtypes()
    observed = pd.to_datetime(weather["time_hour"], utc=True) + HOUR <= moment
    weather[observed].to_csv(folder / "weather.csv", index=False)
    return folder


@dataclass(frozen=True)
class Fault:
    """Rows that do not land as they should.

    Attributes:
        source: flights or weather.
        landed: as_of of the run that should land them.
        rows: picks them from what should land (all columns are text).
        until: as_of of the run that lands them as they are, unless newer rows of their keys have landed by then; None
            where none does.
        instead: what lands in their place; nothing where it is None.
    """

    source: str
    landed: datetime
    rows: Callable[[pd.DataFrame], pd.Series]
    until: datetime | None = None
    instead: Callable[[pd.DataFrame], pd.DataFrame] | None = None


@dataclass
class FaultyFeed:
    """The sample's feed with faults, in place of `land_sample`; what it owes lands when it is due."""

    faults: Sequence[Fault]
    owed: list[tuple[Fault, pd.DataFrame]] = field(default_factory=list)

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
        land_sample(spark, source, landing, since, as_of, published_ahead, history_start)
        for name, keys in KEYS.items():
            (file,) = (landing / name / f"as_of={as_of:%Y%m%dT%H%M%SZ}").glob("*.csv")
            rows = self._spoiled(name, keys, pd.read_csv(file, dtype=str), as_of)
            file.unlink()  # with its name, for Spark keeps a checksum of each file beside it
            rows.to_csv(file.with_name("spoiled.csv"), index=False)

    def _spoiled(self, source: str, keys: list[str], landed: pd.DataFrame, as_of: datetime) -> pd.DataFrame:
        newest = [(fault, _without(rows, landed, keys)) for fault, rows in self.owed if fault.source == source]
        due = [rows for fault, rows in newest if fault.until == as_of]
        kept = [(fault, rows) for fault, rows in newest if fault.until != as_of]
        self.owed = [item for item in self.owed if item[0].source != source] + kept
        for fault in self.faults:
            if (fault.source, fault.landed) == (source, as_of):
                picked = landed[fault.rows(landed)]
                if picked.empty:
                    raise ValueError(f"nothing landed that could be spoiled: {fault}")
                self.owed.append((fault, picked))
                wrong = [] if fault.instead is None else [fault.instead(picked)]
                landed = pd.concat([landed.drop(index=picked.index), *wrong], ignore_index=True)
        return pd.concat([landed, *due])


def broken_rows(landed: datetime) -> list[Fault]:
    """Rows for the quarantine beside good ones of 3 and 4 January: a copy, an unknown time zone, an unknown airport."""

    def one_flight(flights: pd.DataFrame) -> pd.Series:
        return (flights["day"] == "3") & (flights["carrier"] == "HA")

    def one_hour(weather: pd.DataFrame) -> pd.Series:
        return (weather["day"] == "4") & (weather["hour"] == "6") & (weather["origin"] == "EWR")

    return [
        Fault(
            "flights", landed, one_flight, instead=lambda row: pd.concat([row, row, row.assign(dest="ZZZ", flight="1")])
        ),
        Fault("weather", landed, one_hour, instead=lambda row: pd.concat([row, row.assign(origin="ABE")])),
    ]


def _without(rows: pd.DataFrame, newer: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """The rows whose keys no newer row has."""
    return rows[~pd.MultiIndex.from_frame(rows[keys]).isin(pd.MultiIndex.from_frame(newer[keys]))]
