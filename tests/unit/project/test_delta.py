"""How a Delta table is written: a second run changes nothing, also with NULL keys and odd names; columns are added."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from pyspark.errors import PySparkException, SparkRuntimeException
from pyspark.sql import functions as F

from project.delta import ChangedTypeError, append_once, ensure_table, has, is_conflict, replace_rows, upsert
from tests.unit.tables import changed_rows, version_of

# Names that need quoting: a dot, a minus, a reserved word.
SCHEMA = "`key.a` string, `key-b` int, `select` double, note string, run int"
KEYS = ("key.a", "key-b")


@pytest.fixture(scope="module")
def schema(home, spark) -> Iterator[str]:
    with home.schema(spark, "written") as tables:
        yield tables.full_schema


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


# How rows are written, whatever columns they have; each holds on rows of its own.
WRITES = {
    "upsert": lambda spark, table, rows: upsert(spark, table, rows, ["k"]),
    "append_once": lambda spark, table, rows: append_once(spark, table, rows, F.lit(False)),
    "replace_rows": lambda spark, table, rows: replace_rows(spark, table, rows, F.col("k") == "b"),
}


@pytest.fixture(params=WRITES)
def write(request, spark, schema):
    """Writes rows of a schema to a table that holds ("a", 1) in the columns k and v."""
    table = f"{schema}.grown_by_{request.param}_{request.node.originalname}"
    first = spark.createDataFrame([("a", 1)], "k string, v int")
    ensure_table(spark, table, first.schema)
    first.writeTo(table).append()

    def given(columns, *rows):
        WRITES[request.param](spark, table, spark.createDataFrame(list(rows), columns))
        return sorted(tuple(row) for row in spark.table(table).collect())

    given.table = table
    return given


def test_a_new_column_is_added_and_is_null_in_the_rows_before(spark, write):
    assert write("k string, v int, `w-x` double", ("b", 2, 0.5)) == [("a", 1, None), ("b", 2, 0.5)]
    assert spark.table(write.table).columns == ["k", "v", "w-x"]


def test_rows_that_lack_a_column_have_none_of_it(write):
    assert write("k string", ("b",)) == [("a", 1), ("b", None)]


def test_a_table_takes_rows_that_lack_one_column_and_bring_another(spark, write):
    assert write("w int, k string", (3, "b")) == [("a", 1, None), ("b", None, 3)]
    assert spark.table(write.table).columns == ["k", "v", "w"]


def test_another_type_is_refused_and_nothing_is_written(spark, write):
    version = version_of(spark, write.table)
    for columns, row, fault in (
        ("k string, w int, v double", ("b", 3, 2.0), "'v' is int and would become double"),
        ("k string, w int, v bigint", ("b", 3, 2), "'v' is int and would become bigint"),
        ("k int, v int, w int", (5, 2, 3), "'k' is string and would become int"),
    ):
        with pytest.raises(ChangedTypeError, match=fault):
            write(columns, row)
    assert version_of(spark, write.table) == version
    assert spark.table(write.table).columns == ["k", "v"]


def test_upper_and_lower_case_are_one_column(spark, write):
    assert write("K string, V int", ("b", 2)) == [("a", 1), ("b", 2)]
    assert spark.table(write.table).columns == ["k", "v"]
    with pytest.raises(ChangedTypeError, match="'V' is int and would become string"):
        write("K string, V string", ("b", "2"))


def test_a_merged_row_keeps_what_the_new_one_says_nothing_of(spark, schema):
    table = f"{schema}.kept"

    def merge(columns, *rows):
        upsert(spark, table, spark.createDataFrame(list(rows), columns), ["k"])
        return sorted(tuple(row) for row in spark.table(table).collect())

    merge("k string, v int", ("a", 1), ("b", 2))
    assert merge("k string, w int", ("a", 7), ("c", 8)) == [("a", 1, 7), ("b", 2, None), ("c", None, 8)]
    with changed_rows(spark, table) as changed:
        merge("k string, w int", ("a", 7), ("b", None), ("c", 8))
    assert changed == {table: 0}
    assert merge("k string, v int, w int", ("a", None, 7)) == [("a", None, 7), ("b", 2, None), ("c", None, 8)]


def test_replaced_rows_have_none_of_what_the_new_ones_say_nothing_of(spark, schema):
    table = f"{schema}.not_kept"
    for columns, rows in (
        ("version string, v int, w int", [("1", 1, 1), ("1", 2, 2)]),
        ("version string, w int", [("1", 5)]),
    ):
        replace_rows(spark, table, spark.createDataFrame(rows, columns), F.col("version") == "1")
    assert [tuple(row) for row in spark.table(table).collect()] == [("1", None, 5)]


def test_columns_that_are_added_at_once_are_there_once(spark, schema):
    """As the first run of a release does, whose sources write one quarantine side by side."""
    table = f"{schema}.added_at_once"
    ensure_table(spark, table, spark.createDataFrame([], "k string").schema)
    with ThreadPoolExecutor(4) as writers:
        for number in range(5):
            wider = spark.createDataFrame([], f"k string, v{number} int").schema
            for done in [writers.submit(ensure_table, spark, table, wider) for _ in range(4)]:
                done.result()
    assert spark.table(table).columns == ["k", *(f"v{number}" for number in range(5))]


def test_a_table_that_is_there_keeps_its_rows_and_each_of_its_columns(spark, schema):
    table = f"{schema}.ensured"

    def ensure(columns):
        ensure_table(spark, table, spark.createDataFrame([], columns).schema)
        return spark.table(table).columns

    assert ensure("k string, v int") == ["k", "v"]
    spark.createDataFrame([("a", 1)], "k string, v int").writeTo(table).append()
    version = version_of(spark, table)
    assert ensure("v int") == ensure("k string, v int") == ["k", "v"]
    assert version_of(spark, table) == version, "where nothing is new, nothing is written"
    assert ensure("w timestamp, v int") == ["k", "v", "w"]
    assert [tuple(row) for row in spark.table(table).collect()] == [("a", 1, None)]
