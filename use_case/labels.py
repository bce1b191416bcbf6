"""How each flight ended, whether it was late, and since when that is known."""

from datetime import datetime

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

ARRIVED, CANCELLED, DIVERTED = "arrived", "cancelled", "diverted"


def labels(flights: DataFrame, as_of: datetime, late_minutes: int) -> DataFrame:
    """The flights whose end was known by as_of: the one place that says how a flight ended.

    Args:
        flights: bronze flights.
        as_of: no later end is told.
        late_minutes: the arrival delay from which a flight is late.

    Returns:
        `flight_id`, `carrier`, `origin`, `dest`, `sched_dep_at`, `known_at` (UTC), `outcome` ('arrived', 'cancelled' or
        'diverted'), `arr_delay` (minutes) and `late` (0.0 or 1.0); the last two are NULL unless the flight arrived.
        An arrival is known when it happens, a cancellation at the scheduled departure, a diversion at the scheduled
        arrival, or at the departure where that is later.
    """
    status, has_arrived = F.col("status"), F.col("arrived_at").isNotNull()
    outcome = F.when(has_arrived, F.lit(ARRIVED)).when(status.isin(CANCELLED, DIVERTED), status)
    known_at = (
        F.when(has_arrived, F.col("arrived_at"))
        .when(status == CANCELLED, F.col("sched_dep_at"))
        .when(status == DIVERTED, F.greatest("sched_arr_at", "departed_at"))
    )
    is_late = (F.col("arr_delay") >= late_minutes).cast("double")
    ended = flights.withColumns({"known_at": known_at, "outcome": outcome}).filter(F.col("known_at") <= F.lit(as_of))
    return ended.select(
        "flight_id",
        "carrier",
        "origin",
        "dest",
        "sched_dep_at",
        "known_at",
        "outcome",
        F.when(has_arrived, F.col("arr_delay")).alias("arr_delay"),
        F.when(has_arrived, is_late).alias("late"),
    )
