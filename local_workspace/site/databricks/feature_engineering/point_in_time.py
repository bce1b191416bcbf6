"""Joins of features to labels: as of a time, or by key alone. Dataframes in, dataframe out."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import reduce

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from .identifiers import column

_TIME, _IS_LABEL, _LABEL, _FEATURES = "__time", "__is_label", "__label", "features"

type Moments = tuple[int, int] | None


@dataclass(frozen=True)
class JoinKeys:
    """How rows of two dataframes belong together: pairs of (label, feature) columns."""

    keys: tuple[tuple[str, str], ...]
    times: tuple[tuple[str, str], ...] = ()
    lookback_window: timedelta | None = None

    @property
    def of_labels(self) -> tuple[str, ...]:
        """The label rows' columns: lookups by the same ones are one join."""
        return tuple(label for label, _ in (*self.keys, *self.times))


@dataclass(frozen=True)
class Wanted:
    """What is looked up in one feature table, and the struct column that it becomes."""

    features: DataFrame
    on: JoinKeys
    names: tuple[str, ...]
    into: str

    @property
    def found(self) -> Column:
        """The features as one struct."""
        return F.struct(*(column(name) for name in dict.fromkeys(self.names)))


def join_features(labels: DataFrame, wanted: Sequence[Wanted]) -> DataFrame:
    """Adds features to each label row, as one struct column a feature table.

    Args:
        labels: The rows to add features to; all stay, but in a time series lookup those without a time.
        wanted: What to add.

    Returns:
        All columns of `labels`, then the structs: NULL where no feature row was found.
    """
    by_time: dict[tuple[str, ...], list[Wanted]] = {}
    for item in wanted:
        if item.on.times:
            by_time.setdefault(item.on.of_labels, []).append(item)
        else:
            labels = _join_by_key(labels, item)
    for together in by_time.values():
        labels = _join_latest(labels, together)
    return labels


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


def _join_by_key(labels: DataFrame, wanted: Wanted) -> DataFrame:
    keys = wanted.on.keys
    names = _key_names(keys)
    features = [column(feature).alias(name) for name, (_, feature) in zip(names, keys, strict=True)]
    rows = wanted.features.select(*features, wanted.found.alias(wanted.into))
    same = [column(label) == rows[name] for name, (label, _) in zip(names, keys, strict=True)]
    return labels.join(rows, on=same, how="left").drop(*names)


def _join_latest(labels: DataFrame, together: Sequence[Wanted]) -> DataFrame:
    """One union and one window over structs: the cost is the same however rows spread over keys."""
    *label_keys, label_time = together[0].on.of_labels
    names = _key_names(label_keys)
    rows = labels.where(column(label_time).isNotNull()).select(
        *(column(label).alias(name) for name, label in zip(names, label_keys, strict=True)),
        column(label_time).alias(_TIME),
        F.lit(1).alias(_IS_LABEL),
        F.struct("*").alias(_LABEL),
    )
    rows = _union([rows, *(_feature_rows(item, names) for item in together)])

    # A feature row with the label's own time sorts before it, so it is seen. The window takes whole rows:
    # a NULL in the latest one stays NULL.
    by_time = Window.partitionBy(*names).orderBy(_TIME, _IS_LABEL)
    so_far = by_time.rowsBetween(Window.unboundedPreceding, Window.currentRow)
    seen = {item.into: F.last(column(item.into), ignorenulls=True).over(so_far) for item in together}
    latest = rows.withColumns(seen).where(F.col(_IS_LABEL) == 1)
    return latest.select(f"{_LABEL}.*", *(_fresh(item) for item in together))


def _union(frames: Sequence[DataFrame]) -> DataFrame:
    """All rows with all columns; NULL, of the column's own type, where a frame lacks one."""
    types = {field.name: field.dataType for frame in frames for field in frame.schema}
    lacking = [[name for name in types if name not in frame.columns] for frame in frames]
    whole = (
        frame.withColumns({name: F.lit(None).cast(types[name]) for name in names})
        for frame, names in zip(frames, lacking, strict=True)
    )
    return reduce(DataFrame.unionByName, whole)


def _feature_rows(wanted: Wanted, names: Sequence[str]) -> DataFrame:
    ((_, feature_time),) = wanted.on.times
    return wanted.features.select(
        *(column(feature).alias(name) for name, (_, feature) in zip(names, wanted.on.keys, strict=True)),
        column(feature_time).alias(_TIME),
        F.lit(0).alias(_IS_LABEL),
        F.struct(column(feature_time).alias(_TIME), wanted.found.alias(_FEATURES)).alias(wanted.into),
    ).dropna(subset=[_TIME, *names])


def _fresh(wanted: Wanted) -> Column:
    """The features found, unless they are older than the lookback window."""
    window, found = wanted.on.lookback_window, column(_FEATURES, of=wanted.into)
    if window is None:
        return found.alias(wanted.into)
    is_fresh = column(_TIME, of=wanted.into) >= F.col(_TIME) - F.lit(window)
    return F.when(is_fresh, found).alias(wanted.into)


def _key_names(keys: Sequence[object]) -> list[str]:
    return [f"__key_{i}" for i in range(len(keys))]
