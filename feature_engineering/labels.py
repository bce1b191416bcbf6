"""Was the flight late, and since when is it known."""

from datetime import datetime

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from feature_engineering.changes import changed

KEYS = ("flight_id",)


def new_labels(flights: DataFrame, late_minutes: int, since: datetime | None, as_of: datetime) -> DataFrame:
    """Labels of flights brought or altered after `since` that had arrived by as_of.

    Args:
        flights: bronze flights.
        late_minutes: the arrival delay from which a flight is late.
        since: as_of of the last completed refresh.
        as_of: the moment of this run.

    Returns:
        `flight_id`, `carrier`, `origin`, `dest`, `known_at` (arrival, UTC), `arr_delay` (minutes), `late` (0.0 or 1.0),
        `ingested_as_of`. Cancelled and diverted flights have no label.
    """
    arrived = flights.filter(changed(since) & (F.col("arrived_at") <= F.lit(as_of)))
    return arrived.select(
        "flight_id",
        "carrier",
        "origin",
        "dest",
        F.col("arrived_at").alias("known_at"),
        "arr_delay",
        (F.col("arr_delay") >= late_minutes).cast("double").alias("late"),
        F.lit(as_of).alias("ingested_as_of"),
    )
