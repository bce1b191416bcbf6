"""The aircraft's leg before: how late it was, as far as that is known."""

from datetime import datetime

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F


def leg_features(flights: DataFrame, as_of: datetime) -> DataFrame:
    """The last known leg of each aircraft, at each departure and arrival.

    Args:
        flights: `tailnum`, `flight_id`, `sched_dep_at`, `departed_at`, `arrived_at` (UTC), `dep_delay` and `arr_delay`.
        as_of: no later row is made.

    Returns:
        `tailnum`, `known_at`, `last_leg_dep_delay` and `last_leg_arr_delay` (minutes; the latter NULL until the leg has
        arrived). Where two legs have news in one moment, the one scheduled later counts.
    """
    legs = flights.filter(F.col("tailnum").isNotNull())
    departures = legs.withColumn("known_at", F.col("departed_at")).withColumn("arr_delay", F.lit(None).cast("double"))
    arrivals = legs.withColumn("known_at", F.col("arrived_at"))
    news = departures.unionByName(arrivals).filter(F.col("known_at") <= F.lit(as_of))
    # Of one leg's departure and arrival the latter counts.
    latest_first = Window.partitionBy("tailnum", "known_at").orderBy(
        F.desc("sched_dep_at"), F.desc("flight_id"), F.desc_nulls_last("arr_delay")
    )
    return (
        news.withColumn("_place", F.row_number().over(latest_first))
        .filter(F.col("_place") == 1)
        .select(
            "tailnum",
            "known_at",
            F.col("dep_delay").alias("last_leg_dep_delay"),
            F.col("arr_delay").alias("last_leg_arr_delay"),
        )
    )
