"""How late flights of a carrier, or on a route, have been: at each midnight (UTC), from the labels known then."""

from collections.abc import Sequence
from datetime import datetime

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from use_case.grid import minutes_later, next_step, steps

_DAY_MINUTES = 24 * 60
_SHORT_DAYS, _LONG_DAYS = 7, 28


def lateness_features(labels: DataFrame, as_of: datetime, keys: Sequence[str], prefix: str) -> DataFrame:
    """Lateness over the last 7 and 28 days by when each label became known.

    Args:
        labels: the entity's columns, `known_at` (of the label), `arr_delay` (minutes) and `late` (0 or 1, NULL where
            the flight did not arrive).
        as_of: no label later than it is counted, and no later row is made.
        keys: the entity's columns.
        prefix: begins the features' names.

    Returns:
        For each midnight with an arrival in the 28 days before it: the keys, `known_at` and, for 7 and 28 days,
        `<prefix>_flights_*d`, `<prefix>_arr_delay_*d` (mean, minutes) and `<prefix>_late_share_*d`.
    """
    arrived = labels.filter(F.col("late").isNotNull() & (F.col("known_at") <= F.lit(as_of)))
    daily = arrived.groupBy(*keys, next_step(F.col("known_at"), _DAY_MINUTES).alias("day")).agg(
        F.count(F.lit(1)).alias("flights"),
        F.sum("arr_delay").alias("delay"),
        F.sum("late").alias("late"),
    )
    last = F.least(minutes_later(F.col("day"), (_LONG_DAYS - 1) * _DAY_MINUTES), F.lit(as_of))
    lasting = daily.withColumn("known_at", steps(F.col("day"), last, _DAY_MINUTES))
    return lasting.groupBy(*keys, "known_at").agg(
        *(column for days in (_SHORT_DAYS, _LONG_DAYS) for column in _over_days(prefix, days))
    )


def _over_days(prefix: str, days: int) -> tuple[Column, Column, Column]:
    recent = F.col("known_at") < minutes_later(F.col("day"), days * _DAY_MINUTES)

    def total(name: str) -> Column:
        return F.sum(F.when(recent, F.col(name)))

    flights = total("flights")
    return (
        F.coalesce(flights, F.lit(0)).cast("double").alias(f"{prefix}_flights_{days}d"),
        (total("delay") / flights).alias(f"{prefix}_arr_delay_{days}d"),
        (total("late") / flights).alias(f"{prefix}_late_share_{days}d"),
    )
