"""Joins of features to labels: as of a time, or by key alone. Dataframes in, dataframe out."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F  # noqa: N812

from .identifiers import column

_TIME, _IS_LABEL, _LABEL, _FOUND = "__time", "__is_label", "__label", "__found"


@dataclass(frozen=True)
class JoinKeys:
    """How rows of two dataframes belong together: pairs of (label column, feature column)."""

    keys: tuple[tuple[str, str], ...]
    times: tuple[str, str] | None = None
    lookback_window: timedelta | None = None


def join_features(
    labels: DataFrame, features: DataFrame, on: JoinKeys, outputs: Mapping[str, str]
) -> DataFrame:
    """Adds features to each label row.

    Args:
        labels: The rows to add features to; all stay, but in a time series lookup those without a time.
        features: A feature table.
        on: The columns to join on.
        outputs: The feature column behind each new column.

    Returns:
        All columns of `labels`, then the new ones; NULLs where no feature row was found.
    """
    if on.times is None:
        return _join_by_key(labels, features, on, outputs)
    return _join_latest(labels, features, on, on.times, outputs)


def _join_by_key(
    labels: DataFrame, features: DataFrame, on: JoinKeys, outputs: Mapping[str, str]
) -> DataFrame:
    keys = [column(feature).alias(_key(i)) for i, (_, feature) in enumerate(on.keys)]
    found = features.select(*keys, *(column(feature).alias(output) for output, feature in outputs.items()))
    same = [column(label) == found[_key(i)] for i, (label, _) in enumerate(on.keys)]
    return labels.join(found, on=same, how="left").drop(*(_key(i) for i in range(len(on.keys))))


def _join_latest(
    labels: DataFrame, features: DataFrame, on: JoinKeys, times: tuple[str, str], outputs: Mapping[str, str]
) -> DataFrame:
    """One union and one window over a struct: the cost is the same however rows spread over keys."""
    label_time, feature_time = times
    label_keys = [column(label).alias(_key(i)) for i, (label, _) in enumerate(on.keys)]
    feature_keys = [column(feature).alias(_key(i)) for i, (_, feature) in enumerate(on.keys)]
    found = F.struct(
        column(feature_time).alias(_TIME),
        *(column(feature).alias(output) for output, feature in outputs.items()),
    )
    feature_rows = features.select(
        *feature_keys, column(feature_time).alias(_TIME), F.lit(0).alias(_IS_LABEL), found.alias(_FOUND)
    ).dropna(subset=[_TIME, *(_key(i) for i in range(len(on.keys)))])
    label_rows = labels.where(column(label_time).isNotNull()).select(
        *label_keys, column(label_time).alias(_TIME), F.lit(1).alias(_IS_LABEL), F.struct("*").alias(_LABEL)
    )
    rows = label_rows.unionByName(feature_rows, allowMissingColumns=True)

    # A feature row with the label's own time sorts before it, so it is seen. The window takes whole rows:
    # a NULL in the latest one stays NULL.
    so_far = (
        Window.partitionBy(*(_key(i) for i in range(len(on.keys))))
        .orderBy(_TIME, _IS_LABEL)
        .rowsBetween(Window.unboundedPreceding, Window.currentRow)
    )
    latest = rows.withColumn(_FOUND, F.last(_FOUND, ignorenulls=True).over(so_far)).where(
        F.col(_IS_LABEL) == 1
    )
    fresh = _within(on.lookback_window)
    new_columns = [F.when(fresh, column(output, of=_FOUND)).alias(output) for output in outputs]
    return latest.select(*(column(name, of=_LABEL).alias(name) for name in labels.columns), *new_columns)


def _within(lookback_window: timedelta | None) -> Column:
    if lookback_window is None:
        return F.lit(True)
    return column(_TIME, of=_FOUND) >= F.col(_TIME) - F.lit(lookback_window)


def _key(position: int) -> str:
    return f"__key_{position}"
