"""How a Delta table is written, so that a second run changes nothing: merged on its keys, or appended once."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import reduce
from itertools import batched

from pyspark.errors import PySparkException
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import StructField, StructType
from tenacity import Retrying, retry_if_exception, stop_after_attempt, wait_random_exponential

from project.tables import plain, quoted

_CHANGE_DATA_FEED = "delta.enableChangeDataFeed"
# As Delta names them.
_CONFLICTS = ("DELTA_CONCURRENT_", "DELTA_METADATA_CHANGED", "DELTA_PROTOCOL_CHANGED")
# How often a write that met another one is tried, and the longest wait between two tries.
_ATTEMPTS, _LONGEST_WAIT_SECONDS = 10, 5


class ChangedTypeError(TypeError):
    """A column would get another type than its table has."""


def ensure_table(spark: SparkSession, name: str, schema: StructType, comment: str = "") -> None:
    """Makes an empty Delta table of these columns; one that is there gets the columns that it lacks.

    The one rule by which tables change: a column is added and never taken away, and it keeps its type. Each may be
    NULL: a literal's column is NOT NULL, and earlier or later rows may lack what these have.

    Raises:
        ChangedTypeError: a column of the table has another type; nothing is written.
    """
    nullable = StructType([StructField(field.name, field.dataType) for field in schema])
    for attempt in _tries(_is_of_two_at_once):
        with attempt:
            if not spark.catalog.tableExists(name):
                spark.catalog.createTable(name, source="delta", schema=nullable, description=comment)
                return
            new = added_columns(name, spark.table(name).schema, nullable)
            if new:
                nulls = [F.lit(None).cast(field.dataType).alias(field.name) for field in new]
                none = spark.range(0).select(*nulls)
                none.write.format("delta").mode("append").option("mergeSchema", "true").saveAsTable(name)


def added_columns(name: str, known: StructType, wanted: StructType) -> list[StructField]:
    """The wanted columns that a table of this name lacks; upper and lower case are the same.

    Raises:
        ChangedTypeError: a column that it has is wanted of another type.
    """
    types = {field.name.casefold(): field.dataType for field in known}
    for field in wanted:
        kind = types.get(field.name.casefold(), field.dataType)
        if kind != field.dataType:
            raise ChangedTypeError(
                f"{plain(name)}: the column '{field.name}' is {kind.simpleString()} and would become "
                f"{field.dataType.simpleString()}; a column keeps its type, so give the new one another name"
            )
    return [field for field in wanted if field.name.casefold() not in types]


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
        table: full name, quoted; it is made if it is missing, and gets the columns that it lacks.
        rows: unique by `keys`; a NULL in a key equals another NULL.
        keys: the columns that identify a row.
        but: columns that do not make a row different, such as the as_of that brought it.
    """
    ensure_table(spark, table, rows.schema)
    compared = [name for name in rows.columns if name not in {*keys, *but}]
    given = _given(rows)
    # A hash join keeps the table's rows in the order of their files, the new ones at the end: what is old is soon in
    # files that no merge touches. Sorted by key, as rows of unknown number would be, old and new are in every file.
    merge = rows.hint("shuffle_hash").alias("new").mergeInto(table, _all_equal(table, keys))
    if compared:
        merge = merge.whenMatched(~_all_equal(table, compared)).update(given)
    merge.whenNotMatched().insert(given).merge()


def append_once(spark: SparkSession, table: str, rows: DataFrame, unless: Column) -> None:
    """Appends a batch of rows to a Delta table, unless it has a row that a condition holds on.

    A MERGE that only inserts: look and append are one commit. Of two runs that append at once, one meets a conflict, is
    tried again, and finds the other's rows.

    Args:
        spark: the session.
        table: full name, quoted; it is made if it is missing, and gets the columns that it lacks.
        rows: the batch.
        unless: what holds on the batch's own rows alone; made with `has` or from columns named `<table>.<column>`.

    Raises:
        PySparkException: the write failed, or met a conflict at each of its attempts.
    """
    ensure_table(spark, table, rows.schema)
    for attempt in _tries(is_conflict):
        with attempt:
            rows.alias("new").mergeInto(table, unless).whenNotMatched().insert(_given(rows)).merge()


def keep_only(spark: SparkSession, table: str, rows: DataFrame, keys: Sequence[str], where: Column) -> None:
    """Deletes the rows of a Delta table that a condition holds on and whose keys are not among the rows."""
    gone = spark.table(table).filter(where).select(*keys).join(rows.select(*keys), [*keys], "left_anti")
    if not gone.isEmpty():
        gone.alias("new").mergeInto(table, _all_equal(table, keys)).whenMatched().delete().merge()


def has(table: str, values: Mapping[str, object]) -> Column:
    """The condition that a table's row has these values, by column."""
    return _all([F.col(f"{table}.{quoted(name)}") == F.lit(value) for name, value in values.items()])


def _tries(which: Callable[[BaseException], bool]) -> Retrying:
    """Tries again what failed in such a way, and nothing else."""
    return Retrying(
        retry=retry_if_exception(which),
        stop=stop_after_attempt(_ATTEMPTS),
        wait=wait_random_exponential(0.1, _LONGEST_WAIT_SECONDS),
        reraise=True,
    )


def is_conflict(error: BaseException) -> bool:
    """Whether a write failed because another one had changed the table meanwhile, as Delta names its errors."""
    return _is_named(error, _CONFLICTS)


def _is_of_two_at_once(error: BaseException) -> bool:
    """Whether a table could not be made or changed because another one was making or changing it just then."""
    return _is_named(
        error, (*_CONFLICTS, "ALREADY_EXISTS", "already exists", "DELTA_CREATE_TABLE_WITH_NON_EMPTY_LOCATION")
    )


def _is_named(error: BaseException, names: Iterable[str]) -> bool:
    return isinstance(error, PySparkException) and any(
        name in (error.getCondition() or "") or name in str(error) for name in names
    )


def replace_rows(spark: SparkSession, table: str, rows: DataFrame, where: Column) -> None:
    """Puts rows in the place of those that a condition holds on, in one commit: a second run leaves the same.

    Args:
        spark: the session.
        table: full name, quoted; it is made if it is missing, and gets the columns that it lacks.
        rows: what the condition shall hold on from now on; a row outside it is refused.
        where: the condition, on the table's columns.
    """
    ensure_table(spark, table, rows.schema)
    rows.select(*in_full(rows, spark.table(table).schema)).writeTo(table).overwrite(where)


def enable_change_data_feed(spark: SparkSession, table: str) -> None:
    """Has a Delta table keep what each commit changes, for whoever follows it; one that does is left as it is."""
    known = {row["key"]: row["value"] for row in spark.sql(f"SHOW TBLPROPERTIES {table}").collect()}
    if known.get(_CHANGE_DATA_FEED) != "true":
        spark.sql(f"ALTER TABLE {table} SET TBLPROPERTIES ('{_CHANGE_DATA_FEED}' = 'true')")


def in_full(rows: DataFrame, schema: StructType) -> list[Column]:
    """All columns of a schema, NULL where the rows have none."""
    there = {name.casefold() for name in rows.columns}
    return [
        F.col(quoted(field.name))
        if field.name.casefold() in there
        else F.lit(None).cast(field.dataType).alias(field.name)
        for field in schema
    ]


def _given(rows: DataFrame) -> dict[str, Column]:
    """What a merge writes: the columns that the rows have. The table's others stay, or are NULL in a new row."""
    return {quoted(name): F.col(f"new.{quoted(name)}") for name in rows.columns}


def _all_equal(table: str, columns: Sequence[str]) -> Column:
    """NULL-safe equality of columns between the merged rows (alias `new`) and the table."""
    return _all([F.col(f"new.{quoted(c)}").eqNullSafe(F.col(f"{table}.{quoted(c)}")) for c in columns])


def _all(conditions: Sequence[Column]) -> Column:
    """Joined by AND as a balanced tree: Spark Connect sends no expression that is nested deeply."""
    while len(conditions) > 1:
        conditions = [reduce(Column.__and__, pair) for pair in batched(conditions, 2)]
    return conditions[0]
