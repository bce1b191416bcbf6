"""Training sets of both clients on random tables, and both against a search in plain Python."""

from datetime import datetime, timedelta
from random import Random
from types import ModuleType
from typing import Any

import pytest
from comparison import Lookup, assert_same, minutes, rows, training_set
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

START = datetime(2024, 3, 30, 23, 0)
SHOPS = ["Alder", "Birch", "Cedar"]
PRICES, STOCK, CUSTOMERS = (f"spark_catalog.parity.{name}" for name in ("prices", "stock", "customers"))


def drawing(seed: int) -> Random:
    return Random(seed)  # noqa: S311 (test data, no secret)


def sometimes(chance: Random, value: Any) -> Any:
    return None if chance.random() < 0.2 else value


@pytest.fixture(scope="module")
def price_rows() -> list[tuple[Any, ...]]:
    chance = drawing(1)
    hours = [(store, hour) for store in SHOPS for hour in range(24) if chance.random() < 0.7]
    return [
        (store, START + timedelta(hours=hour), sometimes(chance, chance.random()), sometimes(chance, hour))
        for store, hour in hours
    ]


@pytest.fixture(scope="module")
def tables(spark: SparkSession, local: ModuleType, price_rows: list[tuple[Any, ...]]) -> None:
    client = local.FeatureEngineeringClient()
    prices = spark.createDataFrame(price_rows, "store string, known_at timestamp, price double, hour int")
    client.create_table(name=PRICES, primary_keys=["store", "known_at"], timeseries_column="known_at", df=prices)
    chance = drawing(2)
    stock = spark.createDataFrame(
        [
            (
                START + minutes(15 * quarter),
                store,
                product,
                sometimes(chance, chance.randrange(50)),
                "x" * quarter,
            )
            for quarter in range(0, 96, 3)
            for store in SHOPS
            for product in (1, 2)
        ],
        "at timestamp, store string, product bigint, items int, note string",
    )
    client.create_table(name=STOCK, primary_keys=["at", "store", "product"], timeseries_column="at", df=stock)
    customers = spark.createDataFrame(
        [(f"N{number}", sometimes(chance, number), number % 2 == 0) for number in range(8)],
        "customer_id string, credit int, trusted boolean",
    )
    client.create_table(name=CUSTOMERS, primary_keys="customer_id", df=customers)


def label_rows(seed: int) -> list[tuple[Any, ...]]:
    """Times on the hour and beside it, keys that are not there or NULL, and rows twice."""
    chance = drawing(seed)
    beside = [timedelta(0), timedelta(0), timedelta(microseconds=1), timedelta(microseconds=-1), minutes(20)]
    drawn = [
        (
            sometimes(chance, chance.choice([*SHOPS, "Dogwood"])),
            START + timedelta(hours=chance.randrange(-2, 27)) + chance.choice(beside),
            chance.choice([1, 2, 3]),
            sometimes(chance, f"N{chance.randrange(10)}"),
            chance.random(),
            chance.randrange(2),
        )
        for _ in range(60)
    ]
    return drawn + drawn[:10]


def labels(spark: SparkSession, seed: int) -> DataFrame:
    columns = "shop string, asked_at timestamp, product bigint, customer string, distance double, returned int"
    return spark.createDataFrame(label_rows(seed), columns)


def draw_lookups(seed: int) -> list[Lookup]:
    chance = drawing(seed)
    windows = [None, minutes(0), minutes(60), minutes(180), timedelta(hours=1, microseconds=1)]
    prices: dict[str, Any] = {"timestamp_lookup_key": "asked_at", "lookback_window": chance.choice(windows)}
    stock: dict[str, Any] = {
        "timestamp_lookup_key": "asked_at",
        "lookback_window": chance.choice(windows),
    }
    customers: dict[str, Any] = {}
    prices["feature_names"] = chance.choice([None, ["hour"], ["hour", "price"], "price", ["known_at", "price"]])
    stock["rename_outputs"] = chance.choice([None, {"items": "crowd"}])
    customers["feature_names"] = chance.choice([None, ["credit", "trusted"]])
    lookups = [
        Lookup(PRICES, ["shop"], prices),
        Lookup(STOCK, ["shop", "product"], stock),
        Lookup(CUSTOMERS, ["customer"], customers),
    ]
    chance.shuffle(lookups)
    return lookups[: chance.randrange(1, 4)]


@pytest.mark.parametrize("seed", range(10))
def test_random_training_sets_are_the_same(
    seed: int, spark: SparkSession, local: ModuleType, real: ModuleType, tables: None
) -> None:
    options = {
        "label": drawing(seed).choice(["returned", None, ["returned", "distance"]]),
        "exclude_columns": drawing(seed).choice([[], ["shop", "customer"], ["asked_at", "hour", "credit"]]),
    }
    ours, theirs = (
        training_set(package, labels(spark, seed), draw_lookups(seed), **options).load_df() for package in (local, real)
    )
    assert_same(ours, theirs)


@pytest.mark.parametrize("zone", ["America/New_York", "Asia/Kolkata"])
def test_the_sessions_time_zone_changes_nothing(
    zone: str, spark: SparkSession, local: ModuleType, real: ModuleType, tables: None
) -> None:
    lookups = [Lookup(PRICES, ["shop"], {"timestamp_lookup_key": "asked_at", "lookback_window": minutes(60)})]
    spark.conf.set("spark.sql.session.timeZone", zone)
    try:
        ours, theirs = (
            training_set(package, labels(spark, 11), lookups, label="returned").load_df() for package in (local, real)
        )
        assert_same(ours, theirs)
    finally:
        spark.conf.set("spark.sql.session.timeZone", "UTC")


def test_rows_without_a_time_are_dropped(
    spark: SparkSession, local: ModuleType, real: ModuleType, tables: None
) -> None:
    lookups = [Lookup(PRICES, ["shop"], {"timestamp_lookup_key": "asked_at"})]
    untimed = labels(spark, 12).withColumn("asked_at", F.when(F.col("distance") > 0.5, F.col("asked_at")))
    ours, theirs = (training_set(package, untimed, lookups, label="returned").load_df() for package in (local, real))
    assert_same(ours, theirs)


def test_one_table_in_two_lookups(spark: SparkSession, local: ModuleType, real: ModuleType, tables: None) -> None:
    lookups = [
        Lookup(PRICES, ["shop"], {"timestamp_lookup_key": "asked_at", "feature_names": ["price"]}),
        Lookup(CUSTOMERS, ["customer"], {"rename_outputs": {"credit": "trusted", "trusted": "credit"}}),
        Lookup(PRICES, ["shop"], {"timestamp_lookup_key": "asked_at", "feature_names": ["hour"]}),
        Lookup(
            PRICES,
            ["other_shop"],
            {
                "timestamp_lookup_key": "asked_at",
                "feature_names": ["hour", "price"],
                "rename_outputs": {"price": "price_there", "hour": "hour_there", "none": "such"},
            },
        ),
    ]
    asked = labels(spark, 13).withColumn("other_shop", F.lit("Birch"))
    ours, theirs = (training_set(package, asked, lookups, label="returned").load_df() for package in (local, real))
    assert_same(ours, theirs)


def latest(prices: list[tuple[Any, ...]], store: str | None, asked_at: datetime, window: timedelta) -> tuple[Any, Any]:
    """The definition, row by row: the newest one that is neither after the question nor too old."""
    seen = [row for row in prices if row[0] == store and asked_at - window <= row[1] <= asked_at]
    return max(seen, key=lambda row: row[1])[2:] if seen else (None, None)


@pytest.mark.parametrize("window", [minutes(0), minutes(60), minutes(60.5), timedelta(days=99)])
def test_both_are_what_a_search_row_by_row_finds(
    window: timedelta,
    spark: SparkSession,
    local: ModuleType,
    price_rows: list[tuple[Any, ...]],
    tables: None,
) -> None:
    options = {
        "timestamp_lookup_key": "asked_at",
        "lookback_window": window,
        "feature_names": ["price", "hour"],
    }
    ours = training_set(local, labels(spark, 14), [Lookup(PRICES, ["shop"], options)], label="returned").load_df()
    expected = [(*row[:-1], *latest(price_rows, row[0], row[1], window), row[-1]) for row in label_rows(14)]
    assert_same(ours, spark.createDataFrame(expected, ours.schema))
    assert len(rows(ours)) > 1
