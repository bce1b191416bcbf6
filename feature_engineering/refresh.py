"""Brings each feature table from the last completed refresh to `as_of`; each function is one task of the job."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from databricks.feature_engineering import FeatureEngineeringClient
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from feature_engineering import aircraft, bronze, changes, congestion, labels, lateness, weather
from feature_engineering.feed import land_sample, sample_folder
from feature_engineering.landing import landing_folder
from project.config import Config
from project.delta import append_once, has, upsert
from project.tables import Tables


def ingest(spark: SparkSession, tables: Tables, volume: Path, as_of: datetime, config: Config) -> datetime | None:
    """Lands what became known since the last completed refresh.

    Returns:
        The as_of of that refresh; None on the first run.
    """
    since = last_refresh(spark, tables)
    if _is_due(since, as_of):
        ahead = config.source.published_ahead
        land_sample(spark, sample_folder(), landing_folder(volume), since, as_of, ahead, config.history_start)
    return since


def check_landed_reference(
    spark: SparkSession, tables: Tables, volume: Path, since: datetime | None, as_of: datetime
) -> None:
    """Parts the airports and aircraft that landed into bronze and quarantine."""
    if _is_due(since, as_of):
        bronze.check_reference(spark, tables, volume, since, as_of)


def check_landed_weather(
    spark: SparkSession, tables: Tables, volume: Path, since: datetime | None, as_of: datetime
) -> datetime | None:
    """Parts the observations that landed into bronze and quarantine.

    Returns:
        The earliest moment that what is new is about; None on the first run, when all is new.
    """
    if _is_due(since, as_of):
        bronze.check_weather(spark, tables, volume, since, as_of)
    return changes.weather_changed_from(spark.table(tables.weather), since)


def check_landed_flights(
    spark: SparkSession, tables: Tables, volume: Path, since: datetime | None, as_of: datetime, config: Config
) -> datetime | None:
    """The same for the flights that landed."""
    if _is_due(since, as_of):
        bronze.check_flights(spark, tables, volume, since, as_of, config.prediction.hours_ahead)
    return changes.flights_changed_from(spark.table(tables.flights), since)


def refresh_weather_features(
    spark: SparkSession, tables: Tables, since: datetime | None, changed_from: datetime | None, as_of: datetime
) -> None:
    """Merges the new rows of `weather_features`."""

    def new_rows() -> DataFrame:
        return weather.new_weather_features(spark.table(tables.weather), since, changed_from, as_of)

    _refresh(tables.weather_features, weather.KEYS, since, as_of, new_rows)


def refresh_congestion_features(
    spark: SparkSession, tables: Tables, since: datetime | None, changed_from: datetime | None, as_of: datetime
) -> None:
    """Merges the new rows of `congestion_features`."""

    def new_rows() -> DataFrame:
        return congestion.new_congestion_features(spark.table(tables.flights), since, changed_from, as_of)

    _refresh(tables.congestion_features, congestion.KEYS, since, as_of, new_rows)


def refresh_carrier_features(
    spark: SparkSession, tables: Tables, since: datetime | None, changed_from: datetime | None, as_of: datetime
) -> None:
    """Merges the new rows of `carrier_features`."""
    table, keys = tables.carrier_features, lateness.CARRIER_KEYS
    _refresh_lateness(spark, tables, table, keys, "carrier", since, changed_from, as_of)


def refresh_route_features(
    spark: SparkSession, tables: Tables, since: datetime | None, changed_from: datetime | None, as_of: datetime
) -> None:
    """Merges the new rows of `route_features`."""
    table, keys = tables.route_features, lateness.ROUTE_KEYS
    _refresh_lateness(spark, tables, table, keys, "route", since, changed_from, as_of)


def refresh_aircraft_features(
    spark: SparkSession, tables: Tables, since: datetime | None, as_of: datetime, config: Config
) -> None:
    """Merges the new rows of `aircraft_features`."""

    def new_rows() -> DataFrame:
        return aircraft.new_aircraft_features(spark.table(tables.planes), config.history_start, since, as_of)

    _refresh(tables.aircraft_features, aircraft.AIRCRAFT_KEYS, since, as_of, new_rows)


def refresh_leg_features(
    spark: SparkSession, tables: Tables, since: datetime | None, changed_from: datetime | None, as_of: datetime
) -> None:
    """Merges the new rows of `leg_features`."""

    def new_rows() -> DataFrame:
        return aircraft.new_leg_features(spark.table(tables.flights), since, changed_from, as_of)

    _refresh(tables.leg_features, aircraft.LEG_KEYS, since, as_of, new_rows)


def refresh_labels(
    spark: SparkSession, tables: Tables, since: datetime | None, as_of: datetime, config: Config
) -> None:
    """Merges the labels that have become known."""
    if _is_due(since, as_of):
        new = labels.new_labels(spark.table(tables.flights), config.label.late_minutes, since, as_of)
        upsert(spark, tables.labels, new, labels.KEYS, but=["ingested_as_of"])


def last_refresh(spark: SparkSession, tables: Tables) -> datetime | None:
    """The as_of of the last completed refresh; None before the first."""
    if not spark.catalog.tableExists(tables.refreshes):
        return None
    seconds = spark.table(tables.refreshes).agg(F.unix_seconds(F.max("as_of"))).collect()[0][0]
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def mark_refreshed(spark: SparkSession, tables: Tables, since: datetime | None, as_of: datetime) -> None:
    """Adds the row that says that all tables have been brought to as_of."""
    if _is_due(since, as_of):
        completed = spark.range(1).select(F.lit(as_of).alias("as_of"))
        append_once(spark, tables.refreshes, completed, has(tables.refreshes, {"as_of": as_of}))


def _refresh_lateness(
    spark: SparkSession,
    tables: Tables,
    table: str,
    keys: Sequence[str],
    prefix: str,
    since: datetime | None,
    changed_from: datetime | None,
    as_of: datetime,
) -> None:
    def new_rows() -> DataFrame:
        return lateness.new_lateness_features(spark.table(tables.labels), keys, prefix, since, changed_from, as_of)

    _refresh(table, keys, since, as_of, new_rows)


def _refresh(
    table: str,
    keys: Sequence[str],
    since: datetime | None,
    as_of: datetime,
    new_rows: Callable[[], DataFrame],
) -> None:
    """Merges new rows into a feature table whose keys end in its time series column, `known_at`."""
    if not _is_due(since, as_of):
        return
    client = FeatureEngineeringClient()
    rows = new_rows()
    if since is None:
        client.create_table(name=table, primary_keys=list(keys), timeseries_column=keys[-1], schema=rows.schema)
    client.write_table(name=table, df=rows, mode="merge")


def _is_due(since: datetime | None, as_of: datetime) -> bool:
    return since is None or since < as_of
