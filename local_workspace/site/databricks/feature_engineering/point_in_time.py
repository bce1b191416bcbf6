"""Joins of features to labels: as of a time, or by key alone. Dataframes in, dataframe out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F
from pyspark.sql.types import TimestampType

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
    columns = labels.columns
    by_time: dict[tuple[str, ...], list[Wanted]] = {}
    for item in wanted:
        if item.on.times:
            by_time.setdefault(item.on.of_labels, []).append(item)
    for together in by_time.values():
        labels = _with_latest_times(labels, together)
    for item in wanted:
        labels = _join_rows(labels, item)
    return labels.select(*map(column, columns), *(column(item.into) for item in wanted))


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

    One union and one window for lookups by the same columns: the cost is the same however rows spread over keys. Few
    steps, as Spark's client sends no plan that is nested deeply.
    """
    *label_keys, label_time = together[0].on.of_labels
    own = [field for field in labels.schema if field.name != _IS_LABEL]
    places = [f"__key_{place}" for place in range(len(label_keys))]

    def union_row(keys: Sequence[str], time: str, is_label: bool, known: Mapping[str, Column]) -> list[Column]:
        kinds = {field.name: field.dataType for field in own} | {_latest(item): TimestampType() for item in together}
        values = {name: known.get(name, F.lit(None).cast(kind)).alias(name) for name, kind in kinds.items()}
        ids = [column(key).alias(place) for key, place in zip(keys, places, strict=True)]
        return [*ids, column(time).alias(_TIME), F.lit(is_label).alias(_IS_LABEL), *values.values()]

    asked = {field.name: column(field.name) for field in own}
    rows = labels.where(column(label_time).isNotNull()).select(*union_row(label_keys, label_time, True, asked))
    for item in together:
        ((_, feature_time),) = item.on.times
        keys, known = [feature for _, feature in item.on.keys], {_latest(item): column(feature_time)}
        rows = rows.union(item.features.select(*union_row(keys, feature_time, False, known)))
    # A feature row with the label's own time sorts before it, so it is seen.
    by_time = Window.partitionBy(*places).orderBy(_TIME, _IS_LABEL)
    so_far = by_time.rowsBetween(Window.unboundedPreceding, Window.currentRow)
    latest = (F.max(_latest(item)).over(so_far).alias(_latest(item)) for item in together)
    return rows.select(*map(column, asked), _IS_LABEL, *latest).where(_IS_LABEL)


def _join_rows(labels: DataFrame, wanted: Wanted) -> DataFrame:
    """Adds the feature row of each label's keys and, in a time series, of the latest time; whole, with its NULLs."""
    pairs = list(wanted.on.keys)
    if wanted.on.times:
        ((label_time, feature_time),) = wanted.on.times
        pairs.append((_latest(wanted), feature_time))
    names = [f"__{wanted.into}_key_{place}" for place in range(len(pairs))]
    features = [column(feature).alias(name) for name, (_, feature) in zip(names, pairs, strict=True)]
    rows = wanted.features.select(*features, wanted.found.alias(wanted.into))
    same = [column(label) == column(name) for name, (label, _) in zip(names, pairs, strict=True)]
    if wanted.on.lookback_window is not None:
        same.append(column(_latest(wanted)) >= column(label_time) - F.lit(wanted.on.lookback_window))
    return labels.join(rows, on=same, how="left")


def _latest(wanted: Wanted) -> str:
    return f"__latest_{wanted.into}"
