"""What a replay reads of its tables."""

from collections.abc import Iterator
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest
from pyspark.sql import SparkSession
from sklearn.metrics import mean_absolute_error, roc_auc_score

from project.config import Config
from project.tables import Tables
from replay.figures import RECENT, read_promotions, read_scores, read_verdicts, recent_quality
from tests.homes import Home
from tests.unit.tables import InputTables, moment

FIRST, SECOND = moment("2024-03-01 00:00"), moment("2024-03-02 00:00")


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


def test_the_recent_quality_is_that_of_the_last_weeks_whose_label_is_known(
    spark: SparkSession, tables: Tables, inputs: InputTables, any_config: Config
) -> None:
    assert recent_quality(spark, tables, SECOND, any_config) is None
    random, label = np.random.default_rng(1), any_config.label.column
    asked = pd.date_range(SECOND - RECENT - timedelta(days=7), SECOND, freq="6h", unit="us")
    rows = pd.DataFrame({"plant": "north", "number": np.arange(len(asked)), "asked_at": asked, "used_at": asked})
    rows = rows.assign(prediction=random.uniform(size=len(rows)))
    rows[label] = random.integers(0, 2, len(rows)).astype(float)
    rows.loc[rows.index[-4:], label] = None
    inputs.write_frame(tables.inference_log, rows)
    counted = rows[(rows["asked_at"] > SECOND - RECENT) & rows[label].notna()]
    by_hand = {"binary": roc_auc_score, "regression": mean_absolute_error}[any_config.label.kind]
    quality = recent_quality(spark, tables, SECOND, any_config)
    assert quality == pytest.approx(by_hand(counted[label], counted["prediction"]))
    found = read_scores(spark, tables, SECOND - RECENT, SECOND, any_config)
    assert list(found.columns) == ["plant", "number", "asked_at", label, "prediction"]
    assert sorted(found["asked_at"]) == list(counted["asked_at"])
