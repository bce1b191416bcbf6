"""The guard mends what Delta means by an overwrite, and calls a conflict by Delta's name."""

from datetime import datetime

import grpc
import pytest
from pyspark.errors import PySparkException
from pyspark.sql import functions as F

from local_workspace.engine.guard import _Answer
from project.delta import is_conflict
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
