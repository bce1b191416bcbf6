"""How a Delta table is written, so that a second run changes nothing: merged on its keys, or appended once."""

from collections.abc import Iterable, Sequence
from functools import reduce

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import StructField, StructType

_CHANGE_DATA_FEED = "delta.enableChangeDataFeed"


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
    first_sorted_by: str | None = None,
) -> None:
    """Merges rows into a Delta table by its keys, and leaves rows that are the same untouched.

    Args:
        spark: the session.
        table: full name; it is made with the schema of `rows` if it is missing.
        rows: unique by `keys`; a NULL in a key equals another NULL.
        keys: the columns that identify a row.
        but: columns that do not make a row different, such as the as_of that brought it.
        first_sorted_by: the order in which a new table's rows are written: where later rows are near each other in it,
            a merge writes few of the table's files again.
    """
    if not spark.catalog.tableExists(table):
        first = rows if first_sorted_by is None else rows.sort(first_sorted_by)
        first.write.format("delta").saveAsTable(table)
        return
    compared = [name for name in rows.columns if name not in {*keys, *but}]
    # A hash join keeps the table's rows in the order of their files, the new ones at the end: what is old is soon in
    # files that no merge touches. Sorted by key, as rows of unknown number would be, old and new are in every file.
    merge = rows.hint("shuffle_hash").alias("new").mergeInto(table, _all_equal(table, keys))
    if compared:
        merge = merge.whenMatched(~_all_equal(table, compared)).updateAll()
    merge.whenNotMatched().insertAll().merge()


def append_once(spark: SparkSession, table: str, rows: DataFrame, batch: str) -> None:
    """Appends a batch of rows to a Delta table, unless a batch of that name has been appended.

    Delta's idempotent writes see to it, also where two runs append at once: the batch's name is the application, and
    its one transaction has the version 1.

    Args:
        spark: the session.
        table: full name; it is made with the schema of `rows` if it is missing.
        rows: the batch.
        batch: names it among all that is ever appended to the table.
    """
    ensure_table(spark, table, rows.schema)
    once = rows.write.option("txnAppId", batch).option("txnVersion", 1)
    once.format("delta").mode("append").saveAsTable(table)


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
    pairs = (F.col(f"new.{_quoted(c)}").eqNullSafe(F.col(f"{table}.{_quoted(c)}")) for c in columns)
    return reduce(lambda left, right: left & right, pairs)


def _quoted(column: str) -> str:
    return "`" + column.replace("`", "``") + "`"
