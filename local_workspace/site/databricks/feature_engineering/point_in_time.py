"""Joins of features to labels: as of a time, or by key alone. Dataframes in, dataframe out."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from .identifiers import column

_TIME, _IS_LABEL, _LABEL = "__time", "__is_label", "__label"
_FOUND, _FEATURES = "__found", "features"

type Moments = tuple[int, int] | None


@dataclass(frozen=True)
class JoinKeys:
    """How rows of two dataframes belong together: pairs of (label, feature) columns."""

    keys: tuple[tuple[str, str], ...]
    times: tuple[tuple[str, str], ...] = ()
    lookback_window: timedelta | None = None


def join_features(labels: DataFrame, features: DataFrame, on: JoinKeys, names: Sequence[str], into: str) -> DataFrame:
    """Adds the features of one table to each label row, as one struct column.

    Args:
        labels: The rows to add features to; all stay, but in a time series lookup those without a time.
        features: A feature table.
        on: The columns to join on.
        names: The features to take.
        into: The name of the new column.

    Returns:
        All columns of `labels`, then the struct: NULL where no feature row was found.
    """
    found = F.struct(*(column(name) for name in dict.fromkeys(names)))
    join = _join_latest if on.times else _join_by_key
    return join(labels, features, on, found, into)


def within_reach(features: DataFrame, on: JoinKeys, moments: Moments) -> DataFrame:
    """The feature rows that some label can see by its time: with a lookback window, few for few labels.

    Args:
        features: A feature table.
        on: The columns to join on.
        moments: The labels' first and last time, in microseconds since 1970; None where there is no time.
    """
    if on.lookback_window is None or moments is None:
        return features
    ((_, feature_time),) = on.times
    first, last = (F.timestamp_micros(F.lit(moment)) for moment in moments)
    return features.where(column(feature_time).between(first - F.lit(on.lookback_window), last))


def moments_of(labels: DataFrame, label_time: str) -> Moments:
    """The first and the last time of the labels, as `within_reach` takes them."""
    time = F.unix_micros(column(label_time))
    found = labels.agg(F.min(time).alias("first"), F.max(time).alias("last")).collect()[0]
    return None if found["first"] is None else (found["first"], found["last"])


def _join_by_key(labels: DataFrame, features: DataFrame, on: JoinKeys, found: Column, into: str) -> DataFrame:
    names = _key_names(on)
    keys = [column(feature).alias(key) for key, (_, feature) in zip(names, on.keys, strict=True)]
    rows = features.select(*keys, found.alias(into))
    same = [column(label) == rows[key] for key, (label, _) in zip(names, on.keys, strict=True)]
    return labels.join(rows, on=same, how="left").drop(*names)


def _join_latest(labels: DataFrame, features: DataFrame, on: JoinKeys, found: Column, into: str) -> DataFrame:
    """One union and one window over a struct: the cost is the same however rows spread over keys."""
    ((label_time, feature_time),) = on.times
    keys = _key_names(on)
    feature_rows = features.select(
        *(column(feature).alias(key) for key, (_, feature) in zip(keys, on.keys, strict=True)),
        column(feature_time).alias(_TIME),
        F.lit(0).alias(_IS_LABEL),
        F.struct(column(feature_time).alias(_TIME), found.alias(_FEATURES)).alias(_FOUND),
    ).dropna(subset=[_TIME, *keys])
    label_rows = labels.where(column(label_time).isNotNull()).select(
        *(column(label).alias(key) for key, (label, _) in zip(keys, on.keys, strict=True)),
        column(label_time).alias(_TIME),
        F.lit(1).alias(_IS_LABEL),
        F.struct("*").alias(_LABEL),
    )
    rows = label_rows.unionByName(feature_rows, allowMissingColumns=True)

    # A feature row with the label's own time sorts before it, so it is seen. The window takes whole rows:
    # a NULL in the latest one stays NULL.
    so_far = (
        Window.partitionBy(*keys).orderBy(_TIME, _IS_LABEL).rowsBetween(Window.unboundedPreceding, Window.currentRow)
    )
    latest = rows.withColumn(_FOUND, F.last(_FOUND, ignorenulls=True).over(so_far)).where(F.col(_IS_LABEL) == 1)
    fresh = F.when(_within(on.lookback_window), column(_FEATURES, of=_FOUND))
    return latest.select(f"{_LABEL}.*", fresh.alias(into))


def _within(lookback_window: timedelta | None) -> Column:
    if lookback_window is None:
        return F.lit(True)
    return column(_TIME, of=_FOUND) >= F.col(_TIME) - F.lit(lookback_window)


def _key_names(on: JoinKeys) -> list[str]:
    return [f"__key_{i}" for i in range(len(on.keys))]
