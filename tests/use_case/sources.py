"""What the feature job is fed with: an archive that ends early, and rows for the quarantine."""

import shutil
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pandas as pd
from pyspark.sql import SparkSession

from project.config import Config
from tests.sources import Fault
from tests.use_case.raw_features import DAY, HOUR, Raw
from use_case.feed import land_sample, sample_folder
from use_case.settings import settings_of

ARRIVAL = ["arr_time", "arr_delay", "air_time"]
ACTUALS = ["dep_time", "dep_delay", *ARRIVAL]
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


def of_archive(folder: Path) -> Callable[..., None]:
    """The sample's feed of another folder than the package's."""

    def land(spark: SparkSession, landing: Path, since: datetime | None, as_of: datetime, config: Config) -> None:
        ahead = settings_of(config).published_ahead
        land_sample(spark, folder, landing, since, as_of, ahead, config.history_start)

    return land


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
