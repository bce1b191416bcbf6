"""Which columns are watched."""

from dataclasses import dataclass

from pyspark.sql import DataFrame
from pyspark.sql.types import DataType, NumericType, StringType

from monitoring.ground_truth import ADDED_COLUMNS
from project.config import Config

_FILED_UNDER = ("model_name", "model_version", "as_of")


@dataclass(frozen=True)
class WatchedColumns:
    """The model's inputs and its prediction, by kind."""

    numeric: tuple[str, ...]
    categorical: tuple[str, ...]


def watched_columns(scores: DataFrame, config: Config) -> WatchedColumns:
    """The columns of scored rows that are inputs of the model, and the prediction."""
    # What is derived from the prediction says nothing that it does not.
    derived = config.label.derived(config.prediction.column)
    others = {*config.filed_columns, *_FILED_UNDER, *ADDED_COLUMNS, config.label.column, *derived}

    def of_type(kind: type[DataType]) -> tuple[str, ...]:
        fields = scores.schema.fields
        return tuple(f.name for f in fields if f.name not in others and isinstance(f.dataType, kind))

    return WatchedColumns(of_type(NumericType), of_type(StringType))
