"""The guard mends what Delta means by an overwrite, and calls a conflict by Delta's name."""

from datetime import datetime

import grpc
import pytest
from pyspark.errors import PySparkException
from pyspark.sql import functions as F

from local_workspace import delta_log
from local_workspace.engine.guard import _Answer
from local_workspace.engine.session import register_tables
from project.delta import ensure_table, is_conflict, upsert
from tests.unit.local_workspace.engine.conftest import on_sail


@pytest.fixture
def parts(spark):
    spark.sql("CREATE SCHEMA guarded")
    rows = spark.sql("SELECT * FROM VALUES ('a', 1), ('b', 2), (CAST(NULL AS STRING), 3) AS t(part, value)")
    rows.write.format("delta").saveAsTable("guarded.parts")
    yield "spark_catalog.guarded.parts"
    spark.sql("DROP SCHEMA guarded CASCADE")


def new(spark, part, value):
    return spark.createDataFrame([(part, value)], "part string, value int")


def values(spark, table):
    return sorted(row.value for row in spark.table(table).collect())


def test_rows_on_which_the_condition_is_null_stay(spark, parts):
    new(spark, "a", 9).writeTo(parts).overwrite(F.col("part") == "a")
    assert values(spark, parts) == [2, 3, 9]


def test_a_negated_condition_keeps_them_too(spark, parts):
    new(spark, "c", 9).writeTo(parts).overwrite(F.col("part") != "a")
    assert values(spark, parts) == [1, 3, 9]


@pytest.mark.parametrize("part", ["b", None])
def test_a_new_row_outside_the_condition_is_refused(spark, parts, part):
    with pytest.raises(PySparkException, match="DELTA_REPLACE_WHERE_MISMATCH"):
        new(spark, part, 9).writeTo(parts).overwrite(F.col("part") == "a")
    assert values(spark, parts) == [1, 2, 3]


@on_sail
def test_files_that_the_condition_rules_out_are_left_alone(spark, parts, workspace):
    folder = workspace.root / "warehouse" / "guarded.db" / "parts"
    new(spark, "c", 4).write.format("delta").mode("append").saveAsTable(parts)
    before = set(delta_log.files(folder))
    new(spark, "c", 5).writeTo(parts).overwrite(F.col("part").isin("c", "d"))
    (gone,) = before - set(delta_log.files(folder))
    assert [row.value for row in spark.read.parquet(str(gone)).collect()] == [4]
    assert values(spark, parts) == [1, 2, 3, 5]


@on_sail
@pytest.mark.parametrize("is_known", [False, True], ids=["made by this session", "found by this session"])
def test_a_merge_leaves_old_files_alone(spark, parts, workspace, is_known):
    """The first files of a table that grows are full, and later rows are in others."""
    folder, table = workspace.root / "warehouse" / "guarded.db" / "grown", "spark_catalog.guarded.grown"
    rows = spark.range(100_000).select("id", F.sha2(F.col("id").cast("string"), 256).alias("value")).coalesce(1)
    ensure_table(spark, table, rows.schema)
    if is_known:
        forgotten = folder.rename(folder.with_name("kept"))
        spark.sql(f"DROP TABLE {table}")
        forgotten.rename(folder)
        register_tables(spark, workspace.root / "warehouse")
    upsert(spark, table, rows, ["id"])
    first = set(delta_log.files(folder))
    assert len(first) > 2
    upsert(spark, table, rows.filter("id >= 99990").withColumn("value", F.lit("new")), ["id"])
    assert len(first - set(delta_log.files(folder))) == 1
    assert spark.table(table).filter("value = 'new'").count() == 10
    assert spark.table(table).count() == 100_000


def test_a_condition_on_a_field(spark, parts):
    moments = [datetime(2024, 1, 1), datetime(2024, 1, 2)]
    rows = spark.createDataFrame([(moment, place) for place, moment in enumerate(moments)], "at timestamp, value int")
    windows = rows.select(F.window("at", "1 day").alias("window"), "value")
    windows.write.format("delta").saveAsTable("guarded.windows")
    again = windows.filter(F.col("window.start") >= moments[1]).withColumn("value", F.lit(9))
    again.writeTo("spark_catalog.guarded.windows").overwrite(F.col("window.start") >= moments[1])
    assert values(spark, "guarded.windows") == [0, 9]


@pytest.mark.parametrize(("condition", "left"), [(True, [9]), (False, [1, 2, 3])])
def test_a_condition_without_a_column(spark, parts, condition, left):
    rows = new(spark, "z", 9)
    (rows if condition else rows.limit(0)).writeTo(parts).overwrite(F.lit(condition))
    assert values(spark, parts) == left


def test_a_table_is_refreshed(spark, parts):
    spark.catalog.refreshTable(parts)


@on_sail
def test_a_conflict_has_deltas_name():
    class Conflict(grpc.RpcError):
        def __str__(self):
            return "Failed to commit transaction: 3"

    def answers():
        raise Conflict
        yield

    with pytest.raises(PySparkException) as met:
        next(_Answer(answers()))
    assert is_conflict(met.value)
