"""What is new to a feature table: which of its rows the changed bronze rows touch."""

from datetime import UTC, datetime, timedelta

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

# A departure is known at most this long before the moment that it is scheduled for.
_EARLIEST_NEWS = timedelta(hours=2)


def changed(since: datetime | None) -> Column:
    """True on rows that a run after `since` brought or altered; late rows are among them."""
    return F.lit(True) if since is None else F.col("ingested_as_of") > F.lit(since)


def flights_changed_from(flights: DataFrame, since: datetime | None) -> datetime | None:
    """The earliest moment (UTC) that flights which changed after `since` are about, or `since` if that is earlier.

    No feature row of an earlier moment can differ from what it was. None without `since`: all is new.
    """
    return _changed_from(flights, F.col("sched_dep_at") - F.lit(_EARLIEST_NEWS), since)


def weather_changed_from(weather: DataFrame, since: datetime | None) -> datetime | None:
    """The same for observations."""
    return _changed_from(weather, F.col("observed_at"), since)


def _changed_from(rows: DataFrame, moment: Column, since: datetime | None) -> datetime | None:
    if since is None:
        return None
    # As a number: a collected timestamp has no zone and is in the zone of this process.
    micros = rows.filter(changed(since)).agg(F.unix_micros(F.min(moment))).collect()[0][0]
    return since if micros is None else min(since, datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=micros))


def steps(first: Column, last: Column, minutes: int) -> Column:
    """The moments from `first` to `last`, `minutes` apart, one a row; none where last is before first."""
    step = F.make_dt_interval(mins=F.lit(minutes))
    return F.explode(F.when(first <= last, F.sequence(first, last, step)).otherwise(F.array()))


def next_step(moment: Column, minutes: int) -> Column:
    """The first moment of a grid of whole steps since midnight UTC that is not before `moment`."""
    seconds = minutes * 60
    return F.timestamp_seconds(F.ceil(F.unix_timestamp(moment) / seconds) * seconds)


def minutes_later(moment: Column, minutes: int) -> Column:
    """The moment moved by whole minutes, back where they are negative."""
    return moment + F.make_dt_interval(mins=F.lit(minutes))
