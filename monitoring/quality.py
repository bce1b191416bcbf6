"""How good the predictions of some days were together: what a report shows, beside the figures of each day."""

from collections.abc import Sequence

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from project.kinds.label import Label
from project.metrics import metrics_by

SLICE = ("slice_key", "slice_value")


def measure_quality(rows: DataFrame, slices: Sequence[str], label: Label, prediction: str) -> DataFrame:
    """Measures the labelled rows, all together and each slice of them.

    Args:
        rows: scored rows with the label, NULL until it is known.
        slices: columns; each of their values is a slice.
        label: names its column and the figures.
        prediction: name of the prediction column.

    Returns:
        `slice_key` and `slice_value` (empty: all rows), `labelled_rows`, and the other figures of `label.metrics`.
    """
    everything = F.struct(*(F.lit("").alias(name) for name in SLICE))
    values = [F.struct(F.lit(name).alias(SLICE[0]), F.col(name).alias(SLICE[1])) for name in slices]
    labelled = rows.filter(F.col(label.column).isNotNull())
    each = labelled.select(F.explode(F.array(everything, *values)).alias("_slice"), label.column, prediction)
    measured = metrics_by(each.select("_slice.*", label.column, prediction), SLICE, label, prediction)
    return measured.withColumnRenamed("rows", "labelled_rows")
