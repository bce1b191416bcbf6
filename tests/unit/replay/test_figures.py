"""What a replay reads of its tables."""

from collections.abc import Iterator

import pytest
from pyspark.sql import SparkSession

from project.tables import Tables
from replay.figures import read_promotions, read_verdicts
from tests.homes import Home
from tests.unit.tables import InputTables, moment

FIRST, SECOND = moment("2013-03-01 00:00"), moment("2013-03-02 00:00")


@pytest.fixture
def tables(home: Home, spark: SparkSession) -> Iterator[Tables]:
    with home.schema(spark, "replayed") as tables:
        yield tables


def test_a_day_has_one_verdict_whatever_its_checks_found(
    spark: SparkSession, tables: Tables, inputs: InputTables
) -> None:
    rows = [
        (SECOND, ":all", "violated", "two are broken", "1"),
        (SECOND, "skill", "violated", "one", "1"),
        (SECOND, "volume", "violated", "two", "1"),
        (FIRST, ":all", "ok", "all is well", "1"),
        (FIRST, "skill", "passed", "fine", "1"),
    ]
    schema = "as_of timestamp, check_name string, status string, sentence string, model_version string"
    inputs.write(tables.monitoring_verdicts, rows, schema)
    found = read_verdicts(spark, tables)
    assert [(row["as_of"], row["sentence"]) for row in found] == [(FIRST, "all is well"), (SECOND, "two are broken")]


def test_of_moves_of_champion_those_count_that_were_made_or_refused(
    spark: SparkSession, tables: Tables, inputs: InputTables
) -> None:
    rows = [(FIRST, "promotion", status, "1", "passed") for status in ("started", "done", "refused")]
    schema = "as_of timestamp, action string, status string, model_version string, reason string"
    inputs.write(tables.promotions, rows, schema)
    assert sorted(row["status"] for row in read_promotions(spark, tables)) == ["done", "refused"]


def test_before_anything_was_written_there_is_nothing(spark: SparkSession, tables: Tables) -> None:
    assert read_verdicts(spark, tables) == read_promotions(spark, tables) == []
