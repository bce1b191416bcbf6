"""How good the predictions were, by group and slice: the rows ':table' of the profile metrics."""

from collections.abc import Mapping, Sequence

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

TABLE = ":table"


def profile_quality(
    rows: DataFrame,
    keys: Sequence[str],
    slices: Sequence[str],
    prediction: str,
    label: str,
    custom: Mapping[str, str],
) -> DataFrame:
    """Measures the predictions within each group of rows, and within each slice of it.

    Args:
        rows: scored rows with the label, NULL until it is known, and the keys.
        keys: what names a group.
        slices: SQL expressions; each of their values is a slice.
        prediction: the column of the predicted class.
        label: the column of the true one.
        custom: SQL aggregates by the name of the custom metric.

    Returns:
        The keys, `slice_key` and `slice_value` (NULL: all rows), `column_name` ':table', `count` (rows); on the rows
        with a label `accuracy_score` and `confusion_matrix` (prediction, label, count); the custom metrics.
    """
    by_slice = rows.withColumn("_slice", F.explode(_slices(slices))).select("*", "_slice.*").drop("_slice")
    measured = by_slice.groupBy(*keys, "slice_key", "slice_value").agg(
        F.count("*").alias("count"),
        F.avg((F.col(prediction) == F.col(label)).cast("double")).alias("accuracy_score"),
        _confusion_matrix(prediction, label).alias("confusion_matrix"),
        *(F.expr(definition).alias(name) for name, definition in custom.items()),
    )
    return measured.withColumn("column_name", F.lit(TABLE))


def _slices(slices: Sequence[str]) -> Column:
    nothing = F.lit(None).cast("string")
    everything = F.struct(nothing.alias("slice_key"), nothing.alias("slice_value"))
    values = [
        F.struct(F.lit(key).alias("slice_key"), F.expr(key).cast("string").alias("slice_value")) for key in slices
    ]
    return F.array(everything, *values)


def _confusion_matrix(prediction: str, label: str) -> Column:
    """Each pair of classes that occurs, with how often it does."""
    pair = F.struct(F.col(prediction).cast("string").alias("prediction"), F.col(label).cast("string").alias("label"))
    pairs = F.collect_list(F.when(F.col(label).isNotNull(), pair))

    def counted(one: Column) -> Column:
        occurrences = F.size(F.filter(pairs, lambda other: other == one)).cast("bigint")
        return F.struct(one["prediction"].alias("prediction"), one["label"].alias("label"), occurrences.alias("count"))

    return F.transform(F.sort_array(F.array_distinct(pairs)), counted)
