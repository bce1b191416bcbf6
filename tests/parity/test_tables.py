"""Tables created and written by both clients."""

from datetime import datetime
from types import ModuleType
from typing import Any

import pytest
from comparison import assert_same, error_of
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

COLUMNS = "k string, at timestamp, wind double, hour int"
FIRST, SECOND = datetime(2024, 1, 1, 0), datetime(2024, 1, 1, 1)
ROWS = [("a", FIRST, 1.0, 10), ("a", SECOND, None, 20), ("b", FIRST, 3.0, 30)]


@pytest.fixture(scope="module")
def rows(spark: SparkSession) -> DataFrame:
    return spark.createDataFrame(ROWS, COLUMNS).coalesce(1)


@pytest.fixture(scope="module")
def clients(local: ModuleType, real: ModuleType) -> dict[str, Any]:
    return {"local": local.FeatureEngineeringClient(), "real": real.FeatureEngineeringClient()}


def named(table: str, client: str) -> str:
    return f"spark_catalog.parity.{table}_{client}"


@pytest.fixture(scope="module")
def series(clients: dict[str, Any], rows: DataFrame) -> str:
    for name, client in clients.items():
        client.create_table(name=named("series", name), primary_keys=["k", "at"], timeseries_column="at", df=rows)
    return "series"


@pytest.fixture(scope="module")
def static(clients: dict[str, Any], spark: SparkSession) -> str:
    planes = spark.createDataFrame([("a", 1, "x"), ("b", 2, "y")], "k string, seats int, kind string")
    for name, client in clients.items():
        client.create_table(name=named("static", name), primary_keys="k", df=planes)
    return "static"


def test_what_is_known_of_a_table_is_the_same(clients: dict[str, Any], series: str, static: str) -> None:
    for table in (series, static):
        ours, theirs = (client.get_table(name=named(table, name)) for name, client in clients.items())
        for attribute in ("primary_keys", "timestamp_keys", "features", "partition_columns"):
            assert getattr(ours, attribute) == getattr(theirs, attribute)


def test_the_former_name_of_the_time_column_is_taken(clients: dict[str, Any], rows: DataFrame) -> None:
    for name, client in clients.items():
        table = client.create_table(
            name=named("former", name), primary_keys=["k", "at"], timeseries_columns="at", df=rows
        )
        assert table.timestamp_keys == ["at"]


def test_a_table_that_is_there_stays_as_it_is(clients: dict[str, Any], series: str, rows: DataFrame) -> None:
    for name, client in clients.items():
        other = rows.withColumn("k", F.concat("k", F.lit("new"))).withColumn("more", F.lit(1))
        table = client.create_table(name=named(series, name), primary_keys=["k"], df=other)
        assert table.primary_keys == ["k", "at"]
    ours, theirs = (client.read_table(name=named(series, name)) for name, client in clients.items())
    assert_same(ours, theirs)


def test_writes_to_a_time_series_are_the_same(clients: dict[str, Any], spark: SparkSession, series: str) -> None:
    known_new_and_null = [("a", SECOND, 5.0, 1), ("c", SECOND, 6.0, None), ("a", FIRST, None, None)]
    batch = spark.createDataFrame(known_new_and_null, COLUMNS)
    for name, client in clients.items():
        assert client.write_table(name=named(series, name), df=batch) is None
    ours, theirs = (client.read_table(name=named(series, name)) for name, client in clients.items())
    assert_same(ours, theirs)


STATIC_WRITES: dict[str, tuple[list[tuple[Any, ...]], str]] = {
    "some of the columns": ([(5, "a"), (6, "c"), (None, "b")], "seats int, k string"),
    "a new column": ([("a", 0.5), ("d", 0.6)], "k string, weight double"),
}


@pytest.mark.parametrize("case", STATIC_WRITES)
def test_writes_to_a_static_table_are_the_same(
    case: str, clients: dict[str, Any], spark: SparkSession, static: str
) -> None:
    batch = spark.createDataFrame(*STATIC_WRITES[case])
    for name, client in clients.items():
        client.write_table(name=named(static, name), df=batch)
    ours, theirs = (client.read_table(name=named(static, name)) for name, client in clients.items())
    assert_same(ours, theirs)


REFUSED: dict[str, Any] = {
    "a key twice": lambda rows: rows.union(rows),
    "a key twice, unlike": lambda rows: rows.union(rows.withColumn("hour", F.lit(1))),
    "no key": lambda rows: rows.drop("k"),
    "no time": lambda rows: rows.drop("at"),
    "some of the columns": lambda rows: rows.drop("wind"),
    "another type": lambda rows: rows.withColumn("wind", F.lit("strong")),
    "a wider type": lambda rows: rows.withColumn("hour", F.col("hour").cast("bigint")),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_writes_are_the_same(case: str, clients: dict[str, Any], rows: DataFrame, series: str) -> None:
    for name, client in clients.items():
        table, batch = named(series, name), REFUSED[case](rows)
        assert error_of(lambda: client.write_table(name=table, df=batch)) is ValueError  # noqa: B023


def test_refused_tables_are_the_same(clients: dict[str, Any], rows: DataFrame) -> None:
    refused: list[dict[str, Any]] = [
        {"primary_keys": ["k"], "df": rows},
        {"primary_keys": ["k"], "timeseries_column": "at", "df": rows},
        {"primary_keys": ["none"], "df": rows},
        {"primary_keys": ["k"]},
        {"primary_keys": ["k", "at"], "df": rows, "schema": rows.drop("hour").schema},
    ]
    for name, client in clients.items():
        for options in refused:
            call = error_of(lambda: client.create_table(name=named("refused", name), **options))  # noqa: B023
            assert call is ValueError
        assert error_of(lambda: client.read_table(name=named("refused", name))) is ValueError  # noqa: B023


def test_a_dropped_table_is_gone(clients: dict[str, Any], rows: DataFrame) -> None:
    for name, client in clients.items():
        client.create_table(name=named("dropped", name), primary_keys=["k", "at"], schema=rows.schema)
        client.drop_table(name=named("dropped", name))
        assert error_of(lambda: client.get_table(name=named("dropped", name))) is ValueError  # noqa: B023
