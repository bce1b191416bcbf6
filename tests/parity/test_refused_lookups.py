"""Lookups that cannot work are refused by both clients."""

from datetime import datetime, timedelta
from types import ModuleType
from typing import Any

import pytest
from comparison import Lookup, error_of, training_set
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

SERIES, STATIC = "spark_catalog.parity.refused_series", "spark_catalog.parity.refused_static"
TIMED = {"timestamp_lookup_key": "at"}


@pytest.fixture(scope="module")
def asked(spark: SparkSession, local: ModuleType) -> DataFrame:
    client = local.FeatureEngineeringClient()
    rows = spark.createDataFrame([("a", datetime(2024, 1, 1), 1.0)], "k string, known_at timestamp, price double")
    client.create_table(name=SERIES, primary_keys=["k", "known_at"], timeseries_column="known_at", df=rows)
    client.create_table(name=STATIC, primary_keys=["k"], df=rows.drop("known_at"))
    return rows.select("k", F.col("known_at").alias("at"), F.lit(1).alias("returned"), F.lit(2).alias("number"))


CASES: dict[str, tuple[list[Lookup], dict[str, Any]]] = {
    "no time for a time series": ([Lookup(SERIES, ["k"])], {}),
    "a time for a static table": ([Lookup(STATIC, ["k"], TIMED)], {}),
    "too many keys": ([Lookup(SERIES, ["k", "at"], TIMED)], {}),
    "a key that is not there": ([Lookup(SERIES, ["none"], TIMED)], {}),
    "a label as a key": ([Lookup(STATIC, ["returned"])], {}),
    "a key of another type": ([Lookup(STATIC, ["number"])], {}),
    "a time of another type": ([Lookup(SERIES, ["k"], {"timestamp_lookup_key": "number"})], {}),
    "a feature that is not there": ([Lookup(STATIC, ["k"], {"feature_names": ["none"]})], {}),
    "one name twice": ([Lookup(STATIC, ["k"]), Lookup(SERIES, ["k"], TIMED)], {}),
    "a name of the dataframe": ([Lookup(STATIC, ["k"], {"rename_outputs": {"price": "number"}})], {}),
    "a label that is not there": ([Lookup(STATIC, ["k"])], {"label": "none"}),
    "a label that is excluded": ([Lookup(STATIC, ["k"])], {"exclude_columns": ["returned"]}),
}


@pytest.mark.parametrize("case", CASES)
def test_refused_lookups_are_the_same(case: str, local: ModuleType, real: ModuleType, asked: DataFrame) -> None:
    lookups, options = CASES[case]
    for package in (local, real):
        call = error_of(lambda: training_set(package, asked, lookups, **{"label": "returned", **options}))  # noqa: B023
        assert call is ValueError


@pytest.mark.parametrize("window", [timedelta(-1), 5])
def test_refused_windows_are_the_same(window: Any, local: ModuleType, real: ModuleType) -> None:
    lookup = Lookup(SERIES, ["k"], {**TIMED, "lookback_window": window})
    untimed = Lookup(SERIES, ["k"], {"lookback_window": timedelta(1)})
    for package in (local, real):
        assert error_of(lambda: lookup.of(package)) is ValueError  # noqa: B023
        assert error_of(lambda: untimed.of(package)) is ValueError  # noqa: B023
