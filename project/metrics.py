"""The figures of groups of rows, where there are too many rows for one machine."""

from collections.abc import Sequence

import pandas as pd
from pyspark.sql import DataFrame
from pyspark.sql.types import DoubleType, StructField, StructType

from project.kinds.label import Label


def metrics_by(scores: DataFrame, keys: Sequence[str], label: Label, prediction: str) -> DataFrame:
    """`label.measure` of each group of rows.

    Args:
        scores: rows with the keys, the label (no nulls) and the prediction.
        keys: columns that name a group.
        label: its column, and what is measured.
        prediction: name of the prediction column.

    Returns:
        The keys and one column (double) a metric.
    """

    def measure(group: pd.DataFrame) -> pd.DataFrame:
        named = {key: group[key].iloc[0] for key in keys}
        figures = label.measure(group[label.column], group[prediction])
        return pd.DataFrame([named | figures])[[*keys, *label.metrics]]

    fields = [*(scores.schema[key] for key in keys), *(StructField(name, DoubleType()) for name in label.metrics)]
    return scores.select(*keys, label.column, prediction).groupBy(*keys).applyInPandas(measure, StructType(fields))
