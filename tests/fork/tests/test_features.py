"""Features are what pandas makes of the sales that were known then, also where only a stretch of them is given."""

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from feature_engineering.definitions import FeatureTable
from project.config import load_config
from tests.unit.tables import collected, moment
from use_case.registry import FEATURE_TABLES, label_table

PAIR, PRODUCT = FEATURE_TABLES
START, DAYS, DAY = moment("2010-10-01 00:00"), 150, timedelta(days=1)
CHRISTMAS = range(83, 95)
AS_OF = START + DAYS * DAY


def sales() -> pd.DataFrame:
    """Two products in two channels, one of them now and then; no trade on each seventh day and around Christmas."""
    random = np.random.default_rng(3)
    trading = [START + day * DAY for day in range(DAYS) if day % 7 != 1 and day not in CHRISTMAS]
    every = pd.MultiIndex.from_product(
        [["customer_id", "no_customer_id"], ["22041", "85048A"], trading], names=["channel", "product", "day"]
    )
    pieces = random.poisson(4, len(every)) * (random.random(len(every)) < 0.6)
    frame = every.to_frame(index=False).assign(pieces=pieces)
    rare = frame["product"] == "22041"
    return frame.assign(pieces=frame["pieces"].where(~rare | (frame["day"] < START + 60 * DAY), 0))


@pytest.fixture(scope="module")
def labels(spark: SparkSession) -> DataFrame:
    kinds = "channel string, product string, day timestamp, pieces int"
    rows = [tuple(row) for row in sales().astype(object).itertuples(index=False)]
    made = collected(label_table(load_config()).compute(spark.createDataFrame(rows, kinds), AS_OF))
    columns = "channel string, product string, day timestamp, known_at timestamp, outcome string, pieces double, "
    return spark.createDataFrame([tuple(row.values()) for row in made], columns + "log_pieces double")


def of_weeks(frame: pd.DataFrame, day: pd.Timestamp, weeks: int) -> pd.DataFrame:
    return frame[(frame["day"] > day - timedelta(weeks=weeks)) & (frame["day"] <= day)]


def expected_pairs() -> pd.DataFrame:
    rows = []
    for (channel, product), pair in sales().assign(log=lambda sold: np.log1p(sold["pieces"])).groupby(PAIR_KEY):
        for day, last in zip(pair["day"], pair["log"], strict=True):
            means = [of_weeks(pair, day, weeks)["log"].mean() for weeks in (1, 4, 12)]
            rows.append((channel, product, day + DAY, last, *means))
    return pd.DataFrame(rows, columns=[*PAIR_KEY, "known_at", "last_day", "mean_1w", "mean_4w", "mean_12w"])


def expected_products() -> pd.DataFrame:
    rows = []
    for product, sold in sales().groupby(["product", "day"])["pieces"].sum().reset_index().groupby("product"):
        for day in sold["day"]:
            week, weeks = (of_weeks(sold, day, weeks)["pieces"].mean() for weeks in (1, 4))
            rows.append((product, day + DAY, week, np.log(week / weeks) if week else None))
    return pd.DataFrame(rows, columns=["product", "known_at", "pieces_1w", "weeks_trend"])


PAIR_KEY = ["channel", "product"]
EXPECTED = {PAIR.name: expected_pairs, PRODUCT.name: expected_products}
each_table = pytest.mark.parametrize("table", FEATURE_TABLES, ids=lambda table: table.name)


def in_order(rows: DataFrame, table: FeatureTable) -> pd.DataFrame:
    frame = pd.DataFrame(collected(rows))
    return frame.sort_values(list(table.primary_key), ignore_index=True)


@each_table
def test_features_are_as_pandas_has_them(table: FeatureTable, labels: DataFrame) -> None:
    found = in_order(table.make_rows(labels, AS_OF), table)
    expected = EXPECTED[table.name]().sort_values(list(table.primary_key), ignore_index=True)
    # Sums are of millionths.
    pd.testing.assert_frame_equal(found, expected, check_dtype=False, rtol=0, atol=1e-6)
    assert found["known_at"].max() == AS_OF


@each_table
def test_nothing_later_counts(table: FeatureTable, labels: DataFrame) -> None:
    then = START + 70 * DAY
    known, whole = (in_order(table.compute(labels, as_of), table) for as_of in (then, AS_OF))
    pd.testing.assert_frame_equal(known, whole[whole["known_at"] <= then].reset_index(drop=True))


@each_table
def test_a_stretch_is_computed_from_what_reach_lets_through(table: FeatureTable, labels: DataFrame) -> None:
    whole = in_order(table.compute(labels, AS_OF), table)
    for day in (85, 97, 120, 149):
        start = START + day * DAY
        given = labels.filter(F.col("day") >= F.lit(start - table.reach))
        part = in_order(table.compute(given, AS_OF).filter(F.col("known_at") >= F.lit(start)), table)
        pd.testing.assert_frame_equal(part, whole[whole["known_at"] >= start].reset_index(drop=True))


def test_a_day_is_known_when_it_is_over(spark: SparkSession) -> None:
    table, day = label_table(load_config()), moment("2010-03-05 00:00")
    rows = [("customer_id", "85048A", day, 0), ("customer_id", "85048A", day + DAY, None)]
    given = spark.createDataFrame(rows, "channel string, product string, day timestamp, pieces int")
    assert collected(table.compute(given, day + DAY - timedelta(seconds=1))) == []
    (found,) = collected(table.compute(given, day + 3 * DAY))
    assert (found["known_at"], found["outcome"], found["log_pieces"]) == (day + DAY, "sold", 0.0)
