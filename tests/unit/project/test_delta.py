"""How a Delta table is written: a second run changes nothing, also with NULL keys and odd names."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from pyspark.errors import PySparkException, SparkRuntimeException
from pyspark.sql import functions as F

from project.delta import append_once, ensure_table, has, is_conflict, replace_rows, upsert
from tests.unit.tables import changed_rows

# Names that need quoting: a dot, a minus, a reserved word.
SCHEMA = "`key.a` string, `key-b` int, `select` double, note string, run int"
KEYS = ("key.a", "key-b")


@pytest.fixture(scope="module")
def schema(home, spark) -> Iterator[str]:
    with home.schema(spark, "written") as tables:
        yield f"{tables.catalog}.{tables.schema}"


def rows_of(spark, table):
    return {tuple(row)[:2]: tuple(row)[2:] for row in spark.table(table).collect()}


def test_an_upsert_changes_what_is_other_and_nothing_else(spark, schema):
    """One test: each write follows from the one before."""
    table = f"{schema}.merged"

    def merge(*rows):
        upsert(spark, table, spark.createDataFrame(list(rows), SCHEMA), KEYS, but=["run"])

    first = [("a", 1, 1.0, "x", 1), ("a", None, 2.0, None, 1), (None, None, None, "z", 1)]
    merge(*first)
    as_written = {row[:2]: row[2:] for row in first}
    assert rows_of(spark, table) == as_written

    with changed_rows(spark, table) as changed:
        merge(*((*row[:4], 2) for row in first))
    assert changed == {table: 0}
    assert rows_of(spark, table) == as_written, "the run alone is no difference"

    with changed_rows(spark, table) as changed:
        merge(
            ("a", 1, None, "x", 3),  # a value becomes NULL
            ("a", None, 2.0, "now", 3),  # a NULL becomes a value
            (None, None, None, "z", 3),  # is the same
            ("b", 1, 4.0, "new", 3),
        )
    assert changed == {table: 3}
    assert rows_of(spark, table) == {
        ("a", 1): (None, "x", 3),
        ("a", None): (2.0, "now", 3),
        (None, None): (None, "z", 1),
        ("b", 1): (4.0, "new", 3),
    }


@pytest.fixture
def small_files(spark) -> Iterator[None]:
    """Files of 30 rows."""
    spark.conf.set("spark.sql.files.maxRecordsPerFile", "30")
    yield
    spark.conf.unset("spark.sql.files.maxRecordsPerFile")


@pytest.mark.usefixtures("small_files")
def test_a_merge_soon_writes_no_old_rows_again(spark, schema):
    """Days of 40 rows, the last few of which change on the next; keys tell nothing of the day."""
    table = f"{schema}.grown"
    for day in range(5):
        rows = spark.range(max(40 * day - 5, 0), 40 * day + 40).select(
            F.concat_ws("-", F.col("id") * 7919 % 97, "id").alias("key"), F.lit(day).alias("day")
        )
        # From a pandas function: how many they are is not known before.
        upsert(spark, table, rows.mapInArrow(lambda batches: batches, rows.schema), ["key"])
    assert spark.table(table).count() == 5 * 40
    merges = spark.sql(f"DESCRIBE HISTORY {table}").filter("operation = 'MERGE'").select("operationMetrics").collect()
    assert [int(merge[0]["numTargetRowsUpdated"]) for merge in merges] == [5] * 4 + [0]
    assert int(merges[0][0]["numTargetRowsCopied"]) < 2 * 30


def test_rows_that_are_keys_alone_are_added_once(spark, schema):
    table = f"{schema}.keys_only"
    for names in (["a"], ["a", None]):
        upsert(spark, table, spark.createDataFrame([(name,) for name in names], "k string"), ["k"])
    assert sorted(spark.table(table).collect(), key=str) == [("a",), (None,)]


def test_a_batch_is_appended_once_by_its_name(spark, schema):
    table = f"{schema}.appended"

    def append(value, batch):
        rows = spark.createDataFrame([(value, batch)], "v int, batch string")
        append_once(spark, table, rows, has(table, {"batch": batch}))

    append(1, "monday")
    append(2, "monday")
    append(1, "tuesday")
    assert sorted(row.v for row in spark.table(table).collect()) == [1, 1]


def test_batches_that_are_appended_at_once_are_all_there_and_each_once(spark, schema):
    """Twice each of four batches, by eight writers: those that meet a conflict are tried again."""
    table = f"{schema}.at_once"
    ensure_table(spark, table, spark.createDataFrame([], "v int, batch string").schema)

    def append(number):
        batch = f"batch {number % 4}"
        rows = spark.createDataFrame([(value, batch) for value in range(3)], "v int, batch string")
        append_once(spark, table, rows, has(table, {"batch": batch}))

    with ThreadPoolExecutor(8) as writers:
        for done in [writers.submit(append, number) for number in range(8)]:
            done.result()
    expected = [(value, f"batch {number}") for number in range(4) for value in range(3)]
    assert sorted(tuple(row) for row in spark.table(table).collect()) == sorted(expected)


def test_only_a_conflict_is_tried_again(spark, schema):
    table = f"{schema}.refused"
    ensure_table(spark, table, spark.createDataFrame([], "v int").schema)

    def fails(batches):
        raise ValueError("no rows to be had")

    rows = spark.range(1).mapInPandas(fails, "v int")
    with pytest.raises(PySparkException, match="no rows to be had") as refused:
        append_once(spark, table, rows, has(table, {"v": 1}))
    assert not is_conflict(refused.value)
    assert is_conflict(SparkRuntimeException(message="", errorClass="DELTA_CONCURRENT_APPEND"))


def test_a_later_batch_may_lack_what_the_first_one_had(spark, schema):
    """A column of literals is NOT NULL, and the first batch makes the table."""
    table = f"{schema}.literals"
    for value in ("x", None):
        append_once(spark, table, spark.range(1).select(F.lit(value).cast("string").alias("v")), F.lit(False))
    assert {row.v for row in spark.table(table).collect()} == {"x", None}


def test_rows_take_the_place_of_those_that_the_condition_holds_on(spark, schema):
    table = f"{schema}.replaced"

    def replace(version, *values):
        rows = spark.createDataFrame([(version, value) for value in values], "version string, v int")
        replace_rows(spark, table, rows, F.col("version") == "1")

    ensure_table(spark, table, spark.createDataFrame([], "version string, v int").schema)
    spark.createDataFrame([("2", 9)], "version string, v int").writeTo(table).append()
    replace("1", 1, 2, 3)
    replace("1", 1, 4)
    assert sorted(spark.table(table).collect()) == [("1", 1), ("1", 4), ("2", 9)]
    with pytest.raises(Exception, match="DELTA_REPLACE_WHERE_MISMATCH"):
        replace("2", 5)
    assert sorted(spark.table(table).collect()) == [("1", 1), ("1", 4), ("2", 9)]
