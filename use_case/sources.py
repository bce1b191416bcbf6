"""The sources, a row each: to add one is its contract, a row here and its function."""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from feature_engineering.definitions import Reading, Source
from use_case.contracts import AIRPORTS, FLIGHTS, PLANES, WEATHER
from use_case.settings import settings_of
from use_case.times import with_times, with_zones


def refuse_unknown_zones(judged: DataFrame, reading: Reading) -> DataFrame:
    """Adds a reason to flights that would else be accepted, and to whose destination no time zone is known."""
    zoned = with_zones(judged, reading.spark.table(reading.tables.named("airports")))
    reason = F.coalesce("reason", F.when(F.col("zone").isNull(), "dest: its time zone is unknown"))
    is_newest = F.col("is_newest") & F.col("zone").isNotNull()
    return zoned.withColumns({"reason": reason, "is_newest": is_newest}).select(*judged.columns)


def bronze_airports(airports: DataFrame, _: Reading) -> DataFrame:
    """One row an airport."""
    return airports


def bronze_planes(planes: DataFrame, _: Reading) -> DataFrame:
    """One row an aircraft of the register."""
    return planes


def bronze_weather(weather: DataFrame, _: Reading) -> DataFrame:
    """One row an (origin, observed_at): the observations of the hour that begins at `time_hour`, known at its end."""
    observed_at = (F.col("time_hour") + F.make_dt_interval(hours=F.lit(1))).alias("observed_at")
    measures = [name for name in weather.columns if name not in {"origin", "time_hour"}]
    return weather.select("origin", observed_at, *measures)


def bronze_flights(flights: DataFrame, reading: Reading) -> DataFrame:
    """One row a flight: schedule, what the model takes from it, and what has happened so far.

    Returns:
        `flight_id`, keys, `prediction_at`, request features (doubles), `status`, moments (UTC) and delays (minutes).
        An arrival is never earlier than its departure.
    """
    local_day = F.make_date("year", "month", "day")
    ahead = F.make_dt_interval(hours=F.lit(settings_of(reading.config).hours_ahead))
    block_seconds = F.unix_timestamp("sched_arr_at") - F.unix_timestamp("sched_dep_at")
    return with_times(flights, reading.spark.table(reading.tables.named("airports"))).select(
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


def _double(column: Column) -> Column:
    return column.cast("double")


SOURCES = (
    Source(AIRPORTS, key=("faa",), rows=bronze_airports),
    Source(PLANES, key=("tailnum",), rows=bronze_planes, keeps_states=True),
    Source(WEATHER, key=("origin", "observed_at"), rows=bronze_weather, is_due_each_run=True),
    Source(
        FLIGHTS,
        key=("flight_id",),
        rows=bronze_flights,
        judge_more=refuse_unknown_zones,
        after=("airports",),  # the times of an arrival are by the clock of its airport
        is_due_each_run=True,
    ),
)
