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
    schema = "distance_miles double, origin string, late double, week double"
    rows = spark.createDataFrame([(1.0, "EWR", 0.0, 1.0), (2.0, "JFK", 1.0, 2.0)], schema)
    monkeypatch.setattr(train, "make_training_set", lambda *_: SimpleNamespace(load_df=lambda: rows))
    config = load_config().model_copy(update={"slices": ("origin", "carrier")})
    with pytest.raises(ValueError, match=r"^slices: there is no column 'carrier'; there are .*distance_miles, origin$"):
        train.train(spark, Tables("c", "s"), "c.s.m", "none", moment("2013-08-01"), "abc", config)
