"""How good the predictions were, by window and slice: the rows ':table' of the profile metrics."""

from collections.abc import Sequence

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from monitoring.ground_truth import OUTCOMES, PENDING
from monitoring.windows import window_struct
from project.config import Config
from project.metrics import METRICS, metrics_by

TABLE = ":table"
_SLICE = ("slice_key", "slice_value")


def profile_quality(rows: DataFrame, keys: Sequence[str], sliced: Column, config: Config) -> DataFrame:
    """Measures the predictions within each group of rows, and within each slice where `sliced` says so.

    Args:
        rows: scored rows with the label (NULL until known), `outcome`, and the keys.
        keys: what names a group; one of them is `window`.
        sliced: true on rows that also count for their slices.
        config: names the label, the prediction and the slices.

    Returns:
        The keys, `slice_key` and `slice_value` (NULL: all rows), `column_name` ':table', `count` (rows), one
        column an outcome (rows), `label_share` (share of rows whose outcome is known, 0 to 1),
        `labelled_rows`, and the figures of `project.metrics.binary_metrics` on the labelled rows (NULL where
        there is none).
    """
    by_slice = rows.withColumn("_slice", F.explode(_slices(sliced, config))).select(
        "*", *(F.col(f"_slice.{name}").alias(name) for name in _SLICE)
    )
    groups = [*keys, *_SLICE]
    counted = by_slice.groupBy(*groups).agg(*_counts())
    figures = _figures(by_slice, groups, config)
    same = [counted[name].eqNullSafe(figures[name]) for name in groups]
    return counted.join(figures, same, "left").select(
        *(counted[name] for name in groups),
        F.lit(TABLE).alias("column_name"),
        *(counted[name] for name in counted.columns if name not in groups),
        *(figures[name] for name in figures.columns if name not in groups),
    )


def _slices(sliced: Column, config: Config) -> Column:
    nothing = F.lit(None).cast("string")
    everything = F.struct(nothing.alias("slice_key"), nothing.alias("slice_value"))
    by_column = [F.struct(F.lit(name).alias("slice_key"), F.col(name).alias("slice_value")) for name in config.slices]
    return F.when(sliced, F.array(everything, *by_column)).otherwise(F.array(everything))


def _counts() -> tuple[Column, ...]:
    known = F.count_if(F.col("outcome") != PENDING) / F.count("*")
    by_outcome = (F.count_if(F.col("outcome") == name).alias(name) for name in OUTCOMES)
    return (F.count("*").alias("count"), *by_outcome, known.alias("label_share"))


def _figures(rows: DataFrame, groups: Sequence[str], config: Config) -> DataFrame:
    """`metrics_by`; windows are numbers on their way through pandas, where a moment would lose its zone."""
    label, prediction = config.label.column, config.prediction.column
    plain = [name for name in groups if name != "window"]
    labelled = rows.filter(F.col(label).isNotNull()).select(
        *plain,
        F.unix_micros("window.start").alias("_start"),
        F.unix_micros("window.end").alias("_end"),
        label,
        prediction,
    )
    window = window_struct(F.timestamp_micros("_start"), F.timestamp_micros("_end")).alias("window")
    measured = metrics_by(labelled, [*plain, "_start", "_end"], label, prediction)
    return measured.select(*plain, window, F.col("rows").alias("labelled_rows"), *METRICS[1:])
