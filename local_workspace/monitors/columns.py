"""Statistics of every column, as Databricks' data profiling names them."""

from collections.abc import Sequence

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F
from pyspark.sql.types import NumericType, StringType

from project.tables import quoted

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
_OF_TEXTS = """named_struct(
    'data_type', 'string',
    'count', count({value}),
    'avg', double(NULL),
    'stddev', double(NULL),
    'quantiles', cast(NULL AS array<double>),
    'distinct_count', approx_count_distinct({value}),
    'frequent_items', cast(NULL AS array<struct<item string, count bigint>>)
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
        0.1, …, 1, interpolated linearly), in the column's unit; of texts `distinct_count` (an
        estimate, with a standard error of up to 5 %) and the 100 most `frequent_items`.
    """
    structs = [*(_statistics(_OF_NUMBERS, name) for name in numeric), *(_statistics(_OF_TEXTS, name) for name in texts)]
    # One struct a column, turned to a row once the rows are grouped: the rows read are not multiplied.
    wide = rows.groupBy(*keys).agg(F.count("*").alias("_rows"), *structs)
    ids: list[Column | str] = [*keys, "_rows"]
    names: list[Column | str] = [*numeric, *texts]
    nulls, edges = F.col("_rows") - F.col("_of.count"), F.col("_of.quantiles")
    measured = wide.unpivot(ids, names, "column_name", "_of").select(
        *keys,
        "column_name",
        "_of.*",
        nulls.alias("num_nulls"),
        (100 * nulls / F.col("_rows")).alias("percent_null"),
        *(edges[place].alias(name) for name, place in _PLACES.items()),
    )
    return _with_frequent_items(measured, rows, [*keys, "column_name"], texts) if texts else measured


def _with_frequent_items(measured: DataFrame, rows: DataFrame, keys: Sequence[str], texts: Sequence[str]) -> DataFrame:
    """Fills in the most frequent values of each column of texts, within each group; of equal ones the first."""
    *group, column_name = keys
    values = rows.unpivot(list(group), list(texts), column_name, "item").filter(F.col("item").isNotNull())
    counts = values.groupBy(*keys, "item").agg(F.count("*").alias("count"))
    most_first = Window.partitionBy(*keys).orderBy(F.desc("count"), "item")
    most = counts.withColumn("_place", F.row_number().over(most_first)).filter(F.col("_place") <= _FREQUENT_ITEMS)
    in_order = F.sort_array(F.collect_list(F.struct("_place", F.struct("item", "count").alias("_item"))))
    found = most.groupBy(*keys).agg(F.transform(in_order, lambda one: one["_item"]).alias("frequent_items"))
    same = [measured[key].eqNullSafe(found[key]) for key in keys]
    columns = [measured[name] for name in measured.columns if name != "frequent_items"]
    return measured.join(found, same, "left").select(*columns, found["frequent_items"])


def _statistics(template: str, name: str) -> Column:
    """As one expression of SQL: built call by call, those of 45 columns take seconds to send."""
    return F.expr(template.format(value=quoted(name))).alias(name)
