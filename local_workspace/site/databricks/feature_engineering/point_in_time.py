"""Joins of features to labels: as of a time, or by key alone. Dataframes in, dataframe out."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import reduce

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from .identifiers import column

_TIME, _IS_LABEL = "__time", "__is_label"

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
    timed = [item for item in wanted if item.on.times]
    by_time: dict[tuple[str, ...], list[Wanted]] = {}
    for item in timed:
        by_time.setdefault(item.on.of_labels, []).append(item)
    for together in by_time.values():
        labels = _with_latest_times(labels, together)
    for item in wanted:
        labels = _join_rows(labels, item)
    return labels.drop(*(_latest(item) for item in timed))


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


def _with_latest_times(labels: DataFrame, together: Sequence[Wanted]) -> DataFrame:
    """Adds the time of the latest feature row that each label sees, NULL where it sees none, for each lookup.

    One union and one window for lookups by the same columns: the cost is the same however rows spread over keys.
    """
    *label_keys, label_time = together[0].on.of_labels
    names = _key_names(label_keys)
    asked = labels.where(column(label_time).isNotNull()).select(
        "*",
        *(column(label).alias(name) for name, label in zip(names, label_keys, strict=True)),
        column(label_time).alias(_TIME),
        F.lit(1).alias(_IS_LABEL),
    )
    rows = _union([asked, *(_feature_times(item, names) for item in together)])
    # A feature row with the label's own time sorts before it, so it is seen.
    by_time = Window.partitionBy(*names).orderBy(_TIME, _IS_LABEL)
    so_far = by_time.rowsBetween(Window.unboundedPreceding, Window.currentRow)
    latest = {_latest(item): F.max(_latest(item)).over(so_far) for item in together}
    return rows.withColumns(latest).where(F.col(_IS_LABEL) == 1).drop(*names, _TIME, _IS_LABEL)


def _feature_times(wanted: Wanted, names: Sequence[str]) -> DataFrame:
    ((_, feature_time),) = wanted.on.times
    return wanted.features.select(
        *(column(feature).alias(name) for name, (_, feature) in zip(names, wanted.on.keys, strict=True)),
        column(feature_time).alias(_TIME),
        F.lit(0).alias(_IS_LABEL),
        column(feature_time).alias(_latest(wanted)),
    ).dropna(subset=[_TIME, *names])


def _join_rows(labels: DataFrame, wanted: Wanted) -> DataFrame:
    """Adds the feature row of each label's keys and, in a time series, of the latest time; whole, with its NULLs."""
    pairs = list(wanted.on.keys)
    if wanted.on.times:
        ((label_time, feature_time),) = wanted.on.times
        pairs.append((_latest(wanted), feature_time))
    names = _key_names(pairs)
    features = [column(feature).alias(name) for name, (_, feature) in zip(names, pairs, strict=True)]
    rows = wanted.features.select(*features, wanted.found.alias(wanted.into))
    same = [column(label) == rows[name] for name, (label, _) in zip(names, pairs, strict=True)]
    if wanted.on.lookback_window is not None:
        same.append(column(_latest(wanted)) >= column(label_time) - F.lit(wanted.on.lookback_window))
    return labels.join(rows, on=same, how="left").drop(*names)


def _latest(wanted: Wanted) -> str:
    return f"__latest_{wanted.into}"


def _union(frames: Sequence[DataFrame]) -> DataFrame:
    """All rows with all columns; NULL, of the column's own type, where a frame lacks one."""
    types = {field.name: field.dataType for frame in frames for field in frame.schema}
    lacking = [[name for name in types if name not in frame.columns] for frame in frames]
    whole = (
        frame.withColumns({name: F.lit(None).cast(types[name]) for name in names})
        for frame, names in zip(frames, lacking, strict=True)
    )
    return reduce(DataFrame.unionByName, whole)


def _key_names(keys: Sequence[object]) -> list[str]:
    return [f"__key_{i}" for i in range(len(keys))]
