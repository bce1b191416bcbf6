"""The types of a model's inputs: each number is a double and each category a string, in training, scoring and serving.

An integer, a decimal or a flag has no value for unknown once it is in a signature: one NULL would fail its batch.
"""

from collections.abc import Collection

from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import BooleanType, DataType, DoubleType, IntegralType, NumericType, StringType, StructType

_COUNTABLE = (NumericType, BooleanType)
_CODES = (IntegralType, BooleanType)


def as_doubles(rows: DataFrame, but: Collection[str]) -> DataFrame:
    """Numbers and flags (true is 1.0) as doubles; columns of other types, and those of `but`, stay as they are."""
    numbers = [field.name for field in rows.schema if isinstance(field.dataType, _COUNTABLE) and field.name not in but]
    return _cast(rows, numbers, DoubleType())


def as_strings(rows: DataFrame, categories: Collection[str]) -> DataFrame:
    """Categories that are integer codes or flags ('true', 'false') as strings; all else stays as it is."""
    codes = [field.name for field in rows.schema if isinstance(field.dataType, _CODES) and field.name in categories]
    return _cast(rows, codes, StringType())


def check_inputs(inputs: StructType, categories: Collection[str]) -> None:
    """Refuses an input that is no double, and a category that is no string.

    Raises:
        TypeError: it names the column, its type, and what to do.
    """
    for field in inputs:
        name, kind = field.name, field.dataType
        if name in categories and not isinstance(kind, StringType):
            raise TypeError(f"the category '{name}' is {kind.simpleString()}: make it text, an integer or a flag")
        if name not in categories and not isinstance(kind, DoubleType):
            raise TypeError(
                f"the input '{name}' is {kind.simpleString()}, and a model learns from numbers: where it is computed, "
                f"make it one, such as the days since a date; text of the schedule can be a category "
                f"(request_features.categorical of use_case/config.yml)"
            )


def _cast(rows: DataFrame, names: Collection[str], kind: DataType) -> DataFrame:
    others = [name for name in names if rows.schema[name].dataType != kind]
    return rows.withColumns({name: F.col(name).cast(kind) for name in others}) if others else rows
