"""What unit tests add to all tests' fixtures: Spark set for a handful of rows, and cheap tables to read."""

from collections.abc import Iterator

import pytest
from pyspark.sql import SparkSession

from tests.unit.tables import InputTables

# One task a stage, and no compiling of queries that see a few rows: half the time, the same results.
_FEW_ROWS = {
    "spark.sql.leafNodeDefaultParallelism": "1",
    "spark.sql.shuffle.partitions": "1",
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    "spark.databricks.delta.snapshotPartitions": "1",
    "spark.databricks.delta.stats.collect": "false",
}


@pytest.fixture(scope="package")
def spark(spark: SparkSession) -> Iterator[SparkSession]:
    """The one session, set for few rows; other folders' tests have a real run's settings."""
    before = {key: spark.conf.get(key, None) for key in _FEW_ROWS}
    for key, value in _FEW_ROWS.items():
        spark.conf.set(key, value)
    yield spark
    for key, value in before.items():
        if value is None:
            spark.conf.unset(key)
        else:
            spark.conf.set(key, value)


@pytest.fixture(scope="package")
def inputs(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> InputTables:
    return InputTables(spark, tmp_path_factory.mktemp("inputs"))
