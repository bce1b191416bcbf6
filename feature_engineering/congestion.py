"""Traffic at the airport of departure, at each quarter of an hour: what has been seen, what waits, what is to come."""

from datetime import datetime, timedelta

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from feature_engineering.changes import changed, earliest, minutes_later, next_step, steps

KEYS = ("origin", "known_at")
STEP_MINUTES = 15
_SEEN_STEPS = 12  # what has happened counts for three hours
_LOAD_STEPS = 8  # what is scheduled counts for two hours before
_LATE_MINUTES = 15
# A departure is at most a day late (the contract), and is seen for three hours.
_LONGEST_EFFECT = timedelta(hours=27)


def congestion_features(flights: DataFrame, as_of: datetime) -> DataFrame:
    """Traffic by airport and quarter of an hour, for each quarter that any flight touches, up to as_of.

    Args:
        flights: `origin`, `sched_dep_at`, `departed_at`, `dep_delay` (minutes) and `status`.
        as_of: nothing later is counted, and no later row is made.

    Returns:
        `origin`, `known_at`; over the last hour and the last three: `departures_*h`, `dep_delay_*h` (mean, minutes),
        `dep_late_share_*h` (delay of at least 15 minutes), `cancellations_*h`; `waiting` (scheduled in the last three
        hours, neither departed nor cancelled), `waiting_minutes` (their mean wait) and `load_next_2h`.
    """
    seen = flights.filter(F.col("departed_at") <= F.lit(as_of))
    parts = [_departures(seen), _cancellations(flights, as_of), _waiting(flights, as_of), _load(flights)]
    rows = parts[0]
    for part in parts[1:]:
        rows = rows.unionByName(part, allowMissingColumns=True)
    totals = [
        *(F.coalesce(F.sum(name), F.lit(0)).cast("double").alias(name) for name in _COUNTS),
        *(F.sum(name).alias(name) for name in _SUMS),
    ]
    grouped = rows.filter(F.col("known_at") <= F.lit(as_of)).groupBy(*KEYS).agg(*totals)
    return grouped.select(
        *KEYS,
        *_COUNTS[:2],
        (F.col("delay_sum_1h") / _positive("departures_1h")).alias("dep_delay_1h"),
        (F.col("delay_sum_3h") / _positive("departures_3h")).alias("dep_delay_3h"),
        (F.col("late_sum_1h") / _positive("departures_1h")).alias("dep_late_share_1h"),
        (F.col("late_sum_3h") / _positive("departures_3h")).alias("dep_late_share_3h"),
        *_COUNTS[2:],
        (F.col("waiting_sum") / _positive("waiting")).alias("waiting_minutes"),
    )


_COUNTS = (
    "departures_1h",
    "departures_3h",
    "cancellations_1h",
    "cancellations_3h",
    "waiting",
    "load_next_2h",
)
_SUMS = ("delay_sum_1h", "delay_sum_3h", "late_sum_1h", "late_sum_3h", "waiting_sum")


def new_congestion_features(flights: DataFrame, since: datetime | None, as_of: datetime) -> DataFrame:
    """The rows that the flights brought or altered after `since` touch."""
    if since is None:
        return congestion_features(flights, as_of)
    new = changed(flights, since)
    first = F.date_trunc("hour", minutes_later(F.col("sched_dep_at"), -120))
    last = F.least(F.col("sched_dep_at") + F.lit(_LONGEST_EFFECT), F.lit(as_of))
    touched = new.select("origin", steps(first, last, STEP_MINUTES).alias("known_at")).distinct()
    earliest_new = earliest(new, "sched_dep_at")
    if earliest_new is None:
        return congestion_features(flights, as_of).limit(0)
    nearby = F.col("sched_dep_at") >= F.lit(earliest_new - 2 * _LONGEST_EFFECT)
    return congestion_features(flights.filter(nearby), as_of).join(touched, list(KEYS), "left_semi")


def _departures(seen: DataFrame) -> DataFrame:
    by_step = seen.groupBy("origin", next_step(F.col("departed_at"), STEP_MINUTES).alias("step")).agg(
        F.count(F.lit(1)).alias("n"),
        F.sum("dep_delay").alias("delay"),
        F.sum((F.col("dep_delay") >= _LATE_MINUTES).cast("int")).alias("late"),
    )
    lasting = _over_seen_steps(by_step)
    return lasting.select(
        *KEYS,
        _in_last_hour("n").alias("departures_1h"),
        F.col("n").alias("departures_3h"),
        _in_last_hour("delay").alias("delay_sum_1h"),
        F.col("delay").alias("delay_sum_3h"),
        _in_last_hour("late").alias("late_sum_1h"),
        F.col("late").alias("late_sum_3h"),
    )


def _cancellations(flights: DataFrame, as_of: datetime) -> DataFrame:
    known = (F.col("status") == "cancelled") & (F.col("sched_dep_at") <= F.lit(as_of))
    by_step = flights.filter(known).groupBy("origin", _scheduled_step().alias("step")).agg(F.count(F.lit(1)).alias("n"))
    return _over_seen_steps(by_step).select(
        *KEYS, _in_last_hour("n").alias("cancellations_1h"), F.col("n").alias("cancellations_3h")
    )


def _waiting(flights: DataFrame, as_of: datetime) -> DataFrame:
    last_seen = minutes_later(_scheduled_step(), (_SEEN_STEPS - 1) * STEP_MINUTES)
    late_or_here = F.col("departed_at").isNull() | (F.col("departed_at") > _scheduled_step())
    waiting = flights.filter((F.col("status") != "cancelled") & late_or_here)
    lasting = waiting.select(
        "origin",
        "sched_dep_at",
        "departed_at",
        steps(_scheduled_step(), F.least(last_seen, F.lit(as_of)), STEP_MINUTES).alias("known_at"),
    ).filter(F.col("departed_at").isNull() | (F.col("departed_at") > F.col("known_at")))
    wait = (F.unix_timestamp("known_at") - F.unix_timestamp("sched_dep_at")) / 60
    return lasting.groupBy(*KEYS).agg(F.count(F.lit(1)).alias("waiting"), F.sum(wait).alias("waiting_sum"))


def _load(flights: DataFrame) -> DataFrame:
    by_step = flights.groupBy("origin", _scheduled_step().alias("step")).agg(F.count(F.lit(1)).alias("load_next_2h"))
    first = minutes_later(F.col("step"), -_LOAD_STEPS * STEP_MINUTES)
    last = minutes_later(F.col("step"), -STEP_MINUTES)
    return by_step.select("origin", steps(first, last, STEP_MINUTES).alias("known_at"), "load_next_2h")


def _over_seen_steps(by_step: DataFrame) -> DataFrame:
    last = minutes_later(F.col("step"), (_SEEN_STEPS - 1) * STEP_MINUTES)
    return by_step.withColumn("known_at", steps(F.col("step"), last, STEP_MINUTES))


def _in_last_hour(name: str) -> Column:
    return F.when(F.col("known_at") < minutes_later(F.col("step"), 60), F.col(name))


def _scheduled_step() -> Column:
    return next_step(F.col("sched_dep_at"), STEP_MINUTES)


def _positive(name: str) -> Column:
    return F.when(F.col(name) > 0, F.col(name))
