"""A training refuses a configuration that is about other inputs, before it fits anything."""

from types import SimpleNamespace

import pytest
from pyspark.sql import SparkSession

from project.config import load_config
from project.tables import Tables
from tests.unit.tables import moment
from training import train


def test_a_column_that_is_no_input_stops_a_training_before_it_fits(
    spark: SparkSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    schema = "price double, shop string, returned double, week double"
    rows = spark.createDataFrame([(1.0, "Alder", 0.0, 1.0), (2.0, "Birch", 1.0, 2.0)], schema)
    monkeypatch.setattr(train, "make_training_set", lambda *_: SimpleNamespace(load_df=lambda: rows))
    config = load_config().model_copy(update={"slices": ("shop", "product")})
    with pytest.raises(ValueError, match=r"^slices: there is no column 'product'; there are .*price, shop$"):
        train.train(spark, Tables("c", "s"), "c.s.m", "none", moment("2024-08-01"), "abc", config)
