"""When a flight was scheduled, left and arrived, in UTC, from the local clock times of the raw rows."""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

# Airports that flights go to and that the sample's airports.csv lacks. Source: the IANA time zone database
# (America/Puerto_Rico; America/St_Thomas is a link to it).
_ZONES_NOT_IN_AIRPORTS = dict.fromkeys(("BQN", "PSE", "SJU", "STT"), "America/Puerto_Rico")


def with_times(flights: DataFrame, airports: DataFrame) -> DataFrame:
    """Adds the moments of each flight (UTC).

    Args:
        flights: raw rows: `time_hour` (UTC, the hour of scheduled departure), `minute`, `year`, `month`, `day`,
            `sched_arr_time` (hhmm on the destination's clock), `dep_delay` and `arr_delay` (minutes), `dest`.
        airports: `faa` and `tzone` (an IANA zone).

    Returns:
        The rows with `sched_dep_at`, `sched_arr_at`, `departed_at` and `arrived_at`; the last two are NULL until they
        are known. A destination of unknown zone has no `sched_arr_at` and no `arrived_at`.
    """
    sched_dep_at = F.col("time_hour") + _minutes("minute")
    return (
        with_zones(flights, airports)
        .withColumn("sched_dep_at", sched_dep_at)
        .withColumn("sched_arr_at", _scheduled_arrival())
        .withColumn("departed_at", F.col("sched_dep_at") + _minutes("dep_delay"))
        .withColumn("arrived_at", F.col("sched_arr_at") + _minutes("arr_delay"))
        .drop("zone")
    )


def with_zones(flights: DataFrame, airports: DataFrame) -> DataFrame:
    """Adds `zone`, the time zone at each flight's destination (`dest`); NULL where it is unknown."""
    zones = airports.select(F.col("faa").alias("dest"), F.col("tzone").alias("zone"))
    return flights.join(F.broadcast(zones), "dest", "left").withColumn("zone", F.coalesce(_known_zone(), "zone"))


def _scheduled_arrival() -> Column:
    """The first time after departure that the destination's clock shows `sched_arr_time`.

    The day is chosen before the zone is applied, so that a flight past midnight into a clock change is right.
    """
    departure_day = F.make_date("year", "month", "day")
    same_day = _on_clock(departure_day)
    return F.when(same_day > F.col("sched_dep_at"), same_day).otherwise(_on_clock(F.date_add(departure_day, 1)))


def _on_clock(day: Column) -> Column:
    clock = F.col("sched_arr_time") % 2400  # 2400 is the midnight that ends a day: the first 0:00 after departure
    hour, minute = F.floor(clock / 100), clock % 100
    second = F.lit(0).cast("decimal(8,6)")
    return F.when(
        F.col("zone").isNotNull(),
        F.make_timestamp(
            F.year(day),
            F.month(day),
            F.day(day),
            hour.cast("int"),
            minute.cast("int"),
            second,
            F.col("zone"),
        ),
    )


def _known_zone() -> Column:
    pairs = [F.lit(text) for pair in _ZONES_NOT_IN_AIRPORTS.items() for text in pair]
    return F.element_at(F.create_map(*pairs), F.col("dest"))


def _minutes(column: str) -> Column:
    return F.make_dt_interval(mins=F.col(column).cast("int"))
