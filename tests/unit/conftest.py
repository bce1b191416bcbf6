"""What unit tests add to all tests' fixtures: Spark set for a handful of rows, and cheap tables to read."""

from collections.abc import Iterator

import pytest
from pyspark.sql import SparkSession

from tests.homes import Home
from tests.unit.tables import InputTables


@pytest.fixture(scope="package")
def spark(home: Home, spark: SparkSession) -> Iterator[SparkSession]:
    """The one session, set for few rows; other folders' tests have a real run's settings."""
    before = {key: spark.conf.get(key, None) for key in home.few_rows}
    for key, value in home.few_rows.items():
        spark.conf.set(key, value)
    yield spark
    for key, value in before.items():
        if value is None:
            spark.conf.unset(key)
        else:
            spark.conf.set(key, value)


@pytest.fixture(scope="package")
def inputs(home: Home, spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> InputTables:
    return home.make_inputs(spark, tmp_path_factory.mktemp("inputs"))
