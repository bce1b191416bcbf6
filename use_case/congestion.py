"""Traffic at the airport of departure, at each quarter of an hour: what has been seen, what waits, what is to come."""

from datetime import datetime

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from use_case.grid import minutes_later, next_step, steps

STEP_MINUTES = 15
_SEEN_STEPS = 12  # what has happened counts for three hours
_LOAD_STEPS = 8  # what is scheduled counts for two hours before
_LATE_MINUTES = 15
_DEPARTURE, _CANCELLATION, _WAITING, _LOAD = "departure", "cancellation", "waiting", "load"


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
    return _features(_over_steps(flights, _events(as_of), as_of))


def _events(as_of: datetime) -> list[Column]:
    """What a flight counts as, from which step to which; NULL moments where it does not."""
    scheduled, departed = next_step(F.col("sched_dep_at"), STEP_MINUTES), F.col("departed_at")
    left = next_step(departed, STEP_MINUTES)
    is_cancelled = F.col("status") == "cancelled"
    until_departure = F.least(_steps_later(scheduled, _SEEN_STEPS - 1), departed - F.expr("INTERVAL 1 MICROSECOND"))
    return [
        _event(_DEPARTURE, left, _steps_later(left, _SEEN_STEPS - 1), departed <= F.lit(as_of)),
        _event(_CANCELLATION, scheduled, _steps_later(scheduled, _SEEN_STEPS - 1), is_cancelled),
        _event(_WAITING, scheduled, until_departure, ~is_cancelled),
        _event(_LOAD, _steps_later(scheduled, -_LOAD_STEPS), _steps_later(scheduled, -1), F.lit(True)),
    ]


def _event(kind: str, first: Column, last: Column, counts: Column) -> Column:
    return F.struct(F.lit(kind).alias("kind"), F.when(counts, first).alias("first"), last.alias("last"))


def _over_steps(flights: DataFrame, events: list[Column], as_of: datetime) -> DataFrame:
    """One row an event and step that it counts at, up to as_of."""
    by_event = flights.select("origin", "sched_dep_at", "dep_delay", F.inline(F.array(*events)))
    known_at = steps(F.col("first"), F.least("last", F.lit(as_of)), STEP_MINUTES)
    return by_event.withColumn("known_at", known_at)


def _features(rows: DataFrame) -> DataFrame:
    def count(kind: str, also: Column | None = None) -> Column:
        is_counted = F.col("kind") == kind
        return F.count_if(is_counted if also is None else is_counted & also).cast("double")

    def mean_of_departures(value: Column, also: Column | None = None) -> Column:
        is_counted = F.col("kind") == _DEPARTURE
        return F.avg(F.when(is_counted if also is None else is_counted & also, value))

    in_last_hour = F.col("known_at") < minutes_later(F.col("first"), 60)
    delay, is_late = F.col("dep_delay"), (F.col("dep_delay") >= _LATE_MINUTES).cast("double")
    wait = (F.unix_timestamp("known_at") - F.unix_timestamp("sched_dep_at")) / 60
    return rows.groupBy("origin", "known_at").agg(
        count(_DEPARTURE, in_last_hour).alias("departures_1h"),
        count(_DEPARTURE).alias("departures_3h"),
        mean_of_departures(delay, in_last_hour).alias("dep_delay_1h"),
        mean_of_departures(delay).alias("dep_delay_3h"),
        mean_of_departures(is_late, in_last_hour).alias("dep_late_share_1h"),
        mean_of_departures(is_late).alias("dep_late_share_3h"),
        count(_CANCELLATION, in_last_hour).alias("cancellations_1h"),
        count(_CANCELLATION).alias("cancellations_3h"),
        count(_WAITING).alias("waiting"),
        count(_LOAD).alias("load_next_2h"),
        F.avg(F.when(F.col("kind") == _WAITING, wait)).alias("waiting_minutes"),
    )


def _steps_later(moment: Column, number: int) -> Column:
    return minutes_later(moment, number * STEP_MINUTES)
