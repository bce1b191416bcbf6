"""Statistics of every column, as Databricks' data profiling names them."""

from collections.abc import Sequence

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import NumericType, StringType

QUANTILES = tuple(step / 10 for step in range(11))
_FREQUENT_ITEMS = 100
_PLACES = {"min": 0, "median": 5, "max": 10}
# A sum depends on the order of its terms in the last digits: cut, so that a second run finds the same figure.
_OF_NUMBERS = f"""named_struct(
    'data_type', 'double',
    'count', count({{value}}),
    'avg', round(avg(double({{value}})), 9),
    'stddev', round(stddev(double({{value}})), 9),
    'quantiles', percentile(double({{value}}), array({", ".join(f"{share}D" for share in QUANTILES)})),
    'distinct_count', bigint(NULL),
    'frequent_items', cast(NULL AS array<struct<item string, count bigint>>)
)"""
_OF_TEXTS = f"""named_struct(
    'data_type', 'string',
    'count', count({{value}}),
    'avg', double(NULL),
    'stddev', double(NULL),
    'quantiles', cast(NULL AS array<double>),
    'distinct_count', approx_count_distinct({{value}}),
    'frequent_items', cast(approx_top_k({{value}}, {_FREQUENT_ITEMS}) FILTER (WHERE {{value}} IS NOT NULL)
        AS array<struct<item string, count bigint>>)
)"""


def numeric_columns(rows: DataFrame, but: Sequence[str]) -> list[str]:
    """The columns of numbers."""
    return [f.name for f in rows.schema.fields if f.name not in but and isinstance(f.dataType, NumericType)]


def text_columns(rows: DataFrame, but: Sequence[str]) -> list[str]:
    """The columns of texts."""
    return [f.name for f in rows.schema.fields if f.name not in but and isinstance(f.dataType, StringType)]


def profile_columns(rows: DataFrame, keys: Sequence[str], numeric: Sequence[str], texts: Sequence[str]) -> DataFrame:
    """Measures each column within each group of rows.

    Args:
        rows: what is measured.
        keys: what names a group.
        numeric: the columns of numbers.
        texts: the columns of texts.

    Returns:
        The keys, `column_name`, `data_type`; `count` (values that are not NULL), `num_nulls`, `percent_null`
        (0 to 100); of numbers `avg`, `stddev` (of a sample), `min`, `max`, `median`, and `quantiles` (at 0,
        0.1, …, 1, interpolated linearly), in the column's unit; of texts `distinct_count` (HyperLogLog++,
        within 5 %) and the 100 most `frequent_items` (a sketch, exact up to 7,500 different ones).
    """
    structs = [*(_statistics(_OF_NUMBERS, name) for name in numeric), *(_statistics(_OF_TEXTS, name) for name in texts)]
    # One struct a column, turned to a row once the rows are grouped: the rows read are not multiplied.
    wide = rows.groupBy(*keys).agg(F.count("*").alias("_rows"), *structs)
    ids: list[Column | str] = [*keys, "_rows"]
    names: list[Column | str] = [*numeric, *texts]
    nulls, edges = F.col("_rows") - F.col("_of.count"), F.col("_of.quantiles")
    return wide.unpivot(ids, names, "column_name", "_of").select(
        *keys,
        "column_name",
        "_of.*",
        nulls.alias("num_nulls"),
        (100 * nulls / F.col("_rows")).alias("percent_null"),
        *(edges[place].alias(name) for name, place in _PLACES.items()),
    )


def _statistics(template: str, name: str) -> Column:
    """As one expression of SQL: built call by call, those of 45 columns take seconds to send."""
    quoted = "`" + name.replace("`", "``") + "`"
    return F.expr(template.format(value=quoted)).alias(name)
