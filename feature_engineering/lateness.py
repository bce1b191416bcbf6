"""How late flights of a carrier, or on a route, have been: at each midnight (UTC), from the labels known then."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from feature_engineering.changes import changed, minutes_later, next_step, steps

CARRIER_KEYS = ("carrier", "known_at")
ROUTE_KEYS = ("origin", "dest", "known_at")
_DAY_MINUTES = 24 * 60
_SHORT_DAYS, _LONG_DAYS = 7, 28


def lateness_features(labels: DataFrame, keys: Sequence[str], prefix: str, as_of: datetime) -> DataFrame:
    """Lateness over the last 7 and 28 days by when each label became known.

    Args:
        labels: the entity's columns, `known_at` (of the label), `arr_delay` (minutes) and `late` (0 or 1).
        keys: the table's keys, `known_at` last.
        prefix: begins the features' names.
        as_of: no label later than it is counted, and no later row is made.

    Returns:
        For each midnight with a label in the 28 days before it: the keys and, for 7 and 28 days,
        `<prefix>_flights_*d`, `<prefix>_arr_delay_*d` (mean, minutes) and `<prefix>_late_share_*d`.
    """
    return _features(labels, keys, prefix, None, as_of).drop("_is_touched")


def new_lateness_features(
    labels: DataFrame,
    keys: Sequence[str],
    prefix: str,
    since: datetime | None,
    changed_from: datetime | None,
    as_of: datetime,
) -> DataFrame:
    """The rows of the midnights in (since, as_of], and those that late labels touch."""
    if since is None or changed_from is None:
        return lateness_features(labels, keys, prefix, as_of)
    nearby = labels.filter(F.col("known_at") > F.lit(changed_from - timedelta(days=_LONG_DAYS)))
    is_new = F.col("known_at") > F.lit(since)
    return _features(nearby, keys, prefix, since, as_of).filter(is_new | F.col("_is_touched")).drop("_is_touched")


def _features(
    labels: DataFrame, keys: Sequence[str], prefix: str, since: datetime | None, as_of: datetime
) -> DataFrame:
    entity = [key for key in keys if key != "known_at"]
    known = labels.filter(F.col("known_at") <= F.lit(as_of)).groupBy(
        *entity, next_step(F.col("known_at"), _DAY_MINUTES).alias("day")
    )
    daily = known.agg(
        F.count(F.lit(1)).alias("flights"),
        F.sum("arr_delay").alias("delay"),
        F.sum("late").alias("late"),
        F.bool_or(changed(since)).alias("is_changed"),
    )
    last = F.least(minutes_later(F.col("day"), (_LONG_DAYS - 1) * _DAY_MINUTES), F.lit(as_of))
    lasting = daily.withColumn("known_at", steps(F.col("day"), last, _DAY_MINUTES))
    return lasting.groupBy(*keys).agg(
        *(column for days in (_SHORT_DAYS, _LONG_DAYS) for column in _over_days(prefix, days)),
        F.bool_or("is_changed").alias("_is_touched"),
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
