"""How good the predictions were, by group and slice: the rows ':table' of the profile metrics."""

from collections.abc import Mapping, Sequence

from databricks.sdk.service.dataquality import InferenceProblemType
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

TABLE = ":table"


def profile_quality(
    rows: DataFrame,
    keys: Sequence[str],
    slices: Sequence[str],
    prediction: str,
    label: str,
    problem: InferenceProblemType,
    custom: Mapping[str, str],
) -> DataFrame:
    """Measures the predictions within each group of rows, and within each slice of it.

    Args:
        rows: scored rows with the label, NULL until it is known, and the keys.
        keys: what names a group.
        slices: SQL expressions; each of their values is a slice.
        prediction: the column of the predicted class or number.
        label: the column of the true one.
        problem: whether they are classes or numbers.
        custom: SQL aggregates by the name of the custom metric.

    Returns:
        The keys, `slice_key` and `slice_value` (NULL: all rows), `column_name` ':table', `count` (rows); on the rows
        with a label, of classes `accuracy_score` and `confusion_matrix` (prediction, label, count), of numbers
        `mean_squared_error`, `root_mean_squared_error` and `r2_score` (NULL where labels do not differ); the custom
        metrics.
    """
    by_slice = rows.withColumn("_slice", F.explode(_slices(slices))).select("*", "_slice.*").drop("_slice")
    measured = by_slice.groupBy(*keys, "slice_key", "slice_value").agg(
        F.count("*").alias("count"),
        *_OF_PROBLEM[problem](prediction, label),
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


def _of_classes(prediction: str, label: str) -> list[Column]:
    return [
        F.avg((F.col(prediction) == F.col(label)).cast("double")).alias("accuracy_score"),
        _confusion_matrix(prediction, label).alias("confusion_matrix"),
    ]


def _of_numbers(prediction: str, label: str) -> list[Column]:
    squared = F.avg((F.col(prediction) - F.col(label)) ** 2)
    return [
        squared.alias("mean_squared_error"),
        F.sqrt(squared).alias("root_mean_squared_error"),
        (1 - squared / F.nullif(F.var_pop(label), F.lit(0))).alias("r2_score"),
    ]


def _confusion_matrix(prediction: str, label: str) -> Column:
    """Each pair of classes that occurs, with how often it does."""
    pair = F.struct(F.col(prediction).cast("string").alias("prediction"), F.col(label).cast("string").alias("label"))
    pairs = F.collect_list(F.when(F.col(label).isNotNull(), pair))

    def counted(one: Column) -> Column:
        occurrences = F.size(F.filter(pairs, lambda other: other == one)).cast("bigint")
        return F.struct(one["prediction"].alias("prediction"), one["label"].alias("label"), occurrences.alias("count"))

    return F.transform(F.sort_array(F.array_distinct(pairs)), counted)


_OF_PROBLEM = {
    InferenceProblemType.INFERENCE_PROBLEM_TYPE_CLASSIFICATION: _of_classes,
    InferenceProblemType.INFERENCE_PROBLEM_TYPE_REGRESSION: _of_numbers,
}
