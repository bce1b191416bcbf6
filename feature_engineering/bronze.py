"""Landed files to bronze tables: checked, typed, in UTC; what breaks the contract goes to quarantine."""

from datetime import UTC, datetime
from pathlib import Path

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from feature_engineering.contract_check import accepted, judge, refused
from feature_engineering.contracts import AIRPORTS, FLIGHTS, PLANES, WEATHER, Contract
from feature_engineering.landing import landed_folders, landing_folder, read_landed
from feature_engineering.times import with_times, with_zones
from project.delta import append_once, ensure_table, has, upsert
from project.tables import Tables


def check_reference(spark: SparkSession, tables: Tables, volume: Path, since: datetime | None, as_of: datetime) -> None:
    """Brings airports and aircraft, which land with the first run, into bronze and quarantine.

    Args:
        spark: the session.
        tables: the deployment's tables.
        volume: the folder that holds the landing folder; `checked` beside it holds each run's judged rows.
        since: as_of of the last completed refresh; nothing is done where there is one.
        as_of: the moment of this run.

    Raises:
        FileNotFoundError: nothing landed for a source that must have landed; it names the source.
        ValueError: a landed file lacks a column; it names both.
    """
    if since is None:
        for contract, table in ((AIRPORTS, tables.airports), (PLANES, tables.planes)):
            rows = _sort_out(spark, tables, _judged(spark, volume, contract, since, as_of), contract, volume)
            _write(spark, table, rows, contract.key, as_of)


def check_weather(spark: SparkSession, tables: Tables, volume: Path, since: datetime | None, as_of: datetime) -> None:
    """Brings the observations that landed in (since, as_of] into bronze and quarantine; raises as the above."""
    judged = _judged(spark, volume, WEATHER, since, as_of)
    weather = bronze_weather(_sort_out(spark, tables, judged, WEATHER, volume))
    _write(spark, tables.weather, weather, ("origin", "observed_at"), as_of)


def check_flights(
    spark: SparkSession,
    tables: Tables,
    volume: Path,
    since: datetime | None,
    as_of: datetime,
    prediction_hours_ahead: int,
) -> None:
    """Brings the flights that landed in (since, as_of] into bronze and quarantine; raises as the above.

    It needs the airports' time zones, so `check_reference` goes before it.
    """
    airports = spark.table(tables.airports)
    judged = refuse_unknown_zones(_judged(spark, volume, FLIGHTS, since, as_of), airports)
    flights = with_times(_sort_out(spark, tables, judged, FLIGHTS, volume), airports)
    rows = bronze_flights(flights, prediction_hours_ahead)
    _write(spark, tables.flights, rows, ("flight_id",), as_of)


def refuse_unknown_zones(judged: DataFrame, airports: DataFrame) -> DataFrame:
    """Adds a reason to flights that would else be accepted, and to whose destination no time zone is known."""
    zoned = with_zones(judged, airports)
    reason = F.coalesce("reason", F.when(F.col("zone").isNull(), "dest: its time zone is unknown"))
    is_newest = F.col("is_newest") & F.col("zone").isNotNull()
    return zoned.withColumns({"reason": reason, "is_newest": is_newest}).select(*judged.columns)


def bronze_weather(weather: DataFrame) -> DataFrame:
    """One row an (origin, observed_at): the observations of the hour that begins at `time_hour`, known at its end."""
    measures = [name for name in WEATHER.types if name not in WEATHER.key]
    observed_at = (F.col("time_hour") + F.make_dt_interval(hours=F.lit(1))).alias("observed_at")
    return weather.select("origin", observed_at, *measures)


def bronze_flights(flights: DataFrame, prediction_hours_ahead: int) -> DataFrame:
    """One row a flight: schedule, what the model takes from it, and what has happened so far.

    Args:
        flights: accepted rows with the moments of `with_times`.
        prediction_hours_ahead: how long before departure a prediction is asked.

    Returns:
        `flight_id`, keys, `prediction_at`, schedule features (doubles), `status`, moments (UTC) and delays (minutes).
        An arrival is never earlier than its departure.
    """
    local_day = F.make_date("year", "month", "day")
    ahead = F.make_dt_interval(hours=F.lit(prediction_hours_ahead))
    block_seconds = F.unix_timestamp("sched_arr_at") - F.unix_timestamp("sched_dep_at")
    return flights.select(
        F.concat_ws("-", "carrier", "flight", "origin", local_day).alias("flight_id"),
        "carrier",
        "flight",
        "tailnum",
        "origin",
        "dest",
        "sched_dep_at",
        "sched_arr_at",
        (F.col("sched_dep_at") - ahead).alias("prediction_at"),
        _double(F.col("distance")).alias("distance_miles"),
        _double(block_seconds / 60).alias("block_minutes"),
        _double(F.col("hour") * 60 + F.col("minute")).alias("departure_minute_of_day"),
        _double((F.dayofweek(local_day) + 5) % 7).alias("departure_weekday"),
        "status",
        "departed_at",
        F.greatest("arrived_at", F.when(F.col("arrived_at").isNotNull(), F.col("departed_at"))).alias("arrived_at"),
        _double(F.col("dep_delay")).alias("dep_delay"),
        _double(F.col("arr_delay")).alias("arr_delay"),
    )


def _judged(
    spark: SparkSession, volume: Path, contract: Contract, since: datetime | None, as_of: datetime
) -> DataFrame:
    folders = landed_folders(landing_folder(volume), contract.source, since, as_of)
    if not folders:
        raise FileNotFoundError(f"nothing has landed for {contract.source} up to {as_of.isoformat()}")
    return judge(read_landed(spark, folders, tuple(contract.types)), contract)


def _sort_out(spark: SparkSession, tables: Tables, judged: DataFrame, contract: Contract, volume: Path) -> DataFrame:
    """Puts refused rows into quarantine and gives the accepted ones.

    The judged rows go through a file, so that the check runs once, however often its outcome is read. Each landing is
    a batch of its own in quarantine: sources are checked side by side, and a run that failed is run again.
    """
    file = str(volume / "checked" / contract.source)
    judged.write.mode("overwrite").parquet(file)
    checked = spark.read.schema(judged.schema).parquet(file)
    rows = refused(checked, contract)
    ensure_table(spark, tables.quarantine, rows.schema)
    # As a number: a collected timestamp has no zone and is in the zone of this process.
    for (seconds,) in rows.select(F.unix_seconds("landed_as_of")).distinct().collect():
        landing = {"source": contract.source, "landed_as_of": datetime.fromtimestamp(seconds, UTC)}
        of_landing = rows.filter(F.col("landed_as_of") == F.lit(landing["landed_as_of"]))
        append_once(spark, tables.quarantine, of_landing, has(tables.quarantine, landing))
    return accepted(checked, contract)


def _write(spark: SparkSession, table: str, rows: DataFrame, key: tuple[str, ...], as_of: datetime) -> None:
    rows = rows.withColumn("ingested_as_of", F.lit(as_of))
    upsert(spark, table, rows, key, but=["ingested_as_of"])


def _double(column: Column) -> Column:
    return column.cast("double")
