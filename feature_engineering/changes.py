"""What is new to a feature table: which of its rows the changed bronze rows touch."""

from datetime import UTC, datetime, timedelta

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F


def changed(rows: DataFrame, since: datetime | None) -> DataFrame:
    """Rows that a run after `since` brought or altered; late rows are among them."""
    return rows if since is None else rows.filter(F.col("ingested_as_of") > F.lit(since))


def earliest(rows: DataFrame, column: str) -> datetime | None:
    """The first moment of a column (UTC); None where there is none."""
    # As a number: a collected timestamp has no zone and is in the zone of this process.
    micros = rows.agg(F.unix_micros(F.min(column))).collect()[0][0]
    return None if micros is None else datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=micros)


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
