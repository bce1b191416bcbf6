"""A grid of moments: whole steps since midnight UTC."""

from pyspark.sql import Column
from pyspark.sql import functions as F


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
