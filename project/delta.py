"""How a Delta table is written, so that a second run changes nothing: merged on its keys, or appended once."""

from collections.abc import Iterable, Mapping, Sequence
from functools import reduce
from itertools import batched

from pyspark.errors import PySparkException
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import StructField, StructType
from tenacity import Retrying, retry_if_exception, stop_after_attempt, wait_random_exponential

_CHANGE_DATA_FEED = "delta.enableChangeDataFeed"
# How often a write that met another one is tried, and the longest wait between two tries.
_ATTEMPTS, _LONGEST_WAIT_SECONDS = 10, 5


def ensure_table(spark: SparkSession, name: str, schema: StructType, comment: str = "") -> None:
    """Makes an empty Delta table of these columns unless the table is there.

    Each may be NULL: a literal's column is NOT NULL, and later rows may lack what the first ones have.
    """
    if not spark.catalog.tableExists(name):
        nullable = StructType([StructField(field.name, field.dataType) for field in schema])
        spark.catalog.createTable(name, source="delta", schema=nullable, description=comment)


def upsert(
    spark: SparkSession,
    table: str,
    rows: DataFrame,
    keys: Sequence[str],
    *,
    but: Iterable[str] = (),
) -> None:
    """Merges rows into a Delta table by its keys, and leaves rows that are the same untouched.

    Args:
        spark: the session.
        table: full name; it is made with the schema of `rows` if it is missing.
        rows: unique by `keys`; a NULL in a key equals another NULL.
        keys: the columns that identify a row.
        but: columns that do not make a row different, such as the as_of that brought it.
    """
    ensure_table(spark, table, rows.schema)
    compared = [name for name in rows.columns if name not in {*keys, *but}]
    # A hash join keeps the table's rows in the order of their files, the new ones at the end: what is old is soon in
    # files that no merge touches. Sorted by key, as rows of unknown number would be, old and new are in every file.
    merge = rows.hint("shuffle_hash").alias("new").mergeInto(table, _all_equal(table, keys))
    if compared:
        merge = merge.whenMatched(~_all_equal(table, compared)).updateAll()
    merge.whenNotMatched().insertAll().merge()


def append_once(spark: SparkSession, table: str, rows: DataFrame, unless: Column) -> None:
    """Appends a batch of rows to a Delta table, unless it has a row that a condition holds on.

    A MERGE that only inserts: look and append are one commit. Of two runs that append at once, one meets a conflict, is
    tried again, and finds the other's rows.

    Args:
        spark: the session.
        table: full name; it is made with the schema of `rows` if it is missing.
        rows: the batch.
        unless: what holds on the batch's own rows alone; made with `has` or from columns named `<table>.<column>`.

    Raises:
        PySparkException: the write failed, or met a conflict at each of its attempts.
    """
    ensure_table(spark, table, rows.schema)
    for attempt in Retrying(
        retry=retry_if_exception(is_conflict),
        stop=stop_after_attempt(_ATTEMPTS),
        wait=wait_random_exponential(0.1, _LONGEST_WAIT_SECONDS),
        reraise=True,
    ):
        with attempt:
            rows.alias("new").mergeInto(table, unless).whenNotMatched().insertAll().merge()


def has(table: str, values: Mapping[str, object]) -> Column:
    """The condition that a table's row has these values, by column."""
    return _all([F.col(f"{table}.{_quoted(name)}") == F.lit(value) for name, value in values.items()])


def is_conflict(error: BaseException) -> bool:
    """Whether a write failed because another one had changed the table meanwhile, as Delta names its errors."""
    return isinstance(error, PySparkException) and "DELTA_CONCURRENT_" in (error.getCondition() or str(error))


def replace_rows(spark: SparkSession, table: str, rows: DataFrame, where: Column) -> None:
    """Puts rows in the place of those that a condition holds on, in one commit: a second run leaves the same.

    Args:
        spark: the session.
        table: full name; it is made with the schema of `rows` if it is missing.
        rows: what the condition shall hold on from now on; a row outside it is refused.
        where: the condition, on the table's columns.
    """
    ensure_table(spark, table, rows.schema)
    rows.writeTo(table).overwrite(where)


def enable_change_data_feed(spark: SparkSession, table: str) -> None:
    """Has a Delta table keep what each commit changes, for whoever follows it; one that does is left as it is.

    A statement about a table takes no parameter for its name, so the name stands in it, quoted.
    """
    name = ".".join(map(_quoted, table.split(".")))
    known = {row["key"]: row["value"] for row in spark.sql(f"SHOW TBLPROPERTIES {name}").collect()}
    if known.get(_CHANGE_DATA_FEED) != "true":
        spark.sql(f"ALTER TABLE {name} SET TBLPROPERTIES ('{_CHANGE_DATA_FEED}' = 'true')")


def _all_equal(table: str, columns: Sequence[str]) -> Column:
    """NULL-safe equality of columns between the merged rows (alias `new`) and the table."""
    return _all([F.col(f"new.{_quoted(c)}").eqNullSafe(F.col(f"{table}.{_quoted(c)}")) for c in columns])


def _all(conditions: Sequence[Column]) -> Column:
    """Joined by AND as a balanced tree: Spark Connect sends no expression that is nested deeply."""
    while len(conditions) > 1:
        conditions = [reduce(Column.__and__, pair) for pair in batched(conditions, 2)]
    return conditions[0]


def _quoted(column: str) -> str:
    return "`" + column.replace("`", "``") + "`"
