"""What happened is merged as it becomes known, and nothing that came later is read."""

from datetime import UTC, datetime, timedelta
from functools import reduce

import pytest
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from monitoring.ground_truth import join_ground_truth, known_outcomes
from project.config import load_config
from project.kinds.binary import Binary
from project.kinds.regression import Regression
from tests.unit.tables import collected, version_of

NOON = datetime(2024, 8, 2, 12, tzinfo=UTC)
SCORED = datetime(2024, 8, 2, tzinfo=UTC)
HOUR = timedelta(hours=1)
OUTCOMES = {"column": "y", "outcome": "delivered", "other_outcomes": ("cancelled", "lost")}
BINARY = Binary(kind="binary", positives="late parcels", **OUTCOMES)
REGRESSION = Regression(kind="regression", quantity="hours", **OUTCOMES)
# One of them is known by two columns, of which a model may learn from the first.
KEY = ("shop", "number")
LABELS_SCHEMA = "shop string, number string, y double, known_at timestamp, outcome string"
PREDICTION = "shop string, number string, model_version string, as_of timestamp, prediction double"
# One has not ended.
NAMES = ("early", "late", "cancelled", "lost", "lost_late", "under_way")
LABELS = [
    ("A", "early", 0.0, NOON + 2 * HOUR, "delivered"),
    ("A", "late", 1.0, NOON + 5 * HOUR, "delivered"),
    ("A", "cancelled", None, NOON, "cancelled"),
    ("A", "lost", None, NOON + 2 * HOUR, "lost"),
    ("A", "lost_late", None, NOON + 3 * HOUR, "lost"),
    # The same number of another shop.
    ("B", "late", 0.0, NOON - HOUR, "delivered"),
]
KNOWN = {
    -2: {},
    0: {"cancelled": 0},
    2: {"cancelled": 0, "early": 2, "lost": 2},
    3: {"cancelled": 0, "early": 2, "lost": 2, "lost_late": 3},
    5: {"cancelled": 0, "early": 2, "lost": 2, "lost_late": 3, "late": 5},
}


def config_of(label):
    config = load_config()
    subject = config.subject.model_copy(update={"key": KEY})
    return config.model_copy(update={"label": label, "subject": subject})


@pytest.fixture(scope="module")
def known(spark):
    """The hour from which each outcome of shop A is known, by the hour (after noon) of the question."""
    labels, config = spark.createDataFrame(LABELS, LABELS_SCHEMA).filter("shop = 'A'"), config_of(BINARY)
    since = ((F.unix_timestamp("label_known_at") - int(NOON.timestamp())) / 3600).alias("since")
    asked = [
        known_outcomes(labels, NOON + hours * HOUR, config).select(F.lit(hours).alias("asked"), "number", since)
        for hours in KNOWN
    ]
    found = {hours: {} for hours in KNOWN}
    for hours, name, moment in reduce(DataFrame.unionByName, asked).collect():
        found[hours][name] = moment
    return found


@pytest.mark.parametrize("hours", KNOWN)
def test_an_outcome_is_known_from_its_own_moment(known, hours):
    assert known[hours] == KNOWN[hours]


def test_an_outcome_is_told_with_its_label(spark):
    labels = spark.createDataFrame(LABELS, LABELS_SCHEMA)
    rows = collected(known_outcomes(labels, NOON + 2 * HOUR, config_of(BINARY)))
    assert {(row["shop"], row["number"]): (row["y"], row["label_known_at"], row["outcome"]) for row in rows} == {
        ("A", "early"): (0.0, NOON + 2 * HOUR, "delivered"),
        ("A", "cancelled"): (None, NOON, "cancelled"),
        ("A", "lost"): (None, NOON + 2 * HOUR, "lost"),
        ("B", "late"): (0.0, NOON - HOUR, "delivered"),
    }


@pytest.fixture
def tables(home, spark):
    with home.schema(spark, "ground_truth") as tables:
        yield tables


@pytest.mark.parametrize(("label", "derived"), [(BINARY, {"predicted_y"}), (REGRESSION, set())])
def test_the_log_follows_the_truth_and_a_second_run_changes_nothing(spark, tables, inputs, label, derived):
    """One test: each merge takes a second."""
    inputs.write(tables.labels, LABELS, LABELS_SCHEMA)
    scores = [("A", name, "1", SCORED, 0.5) for name in NAMES]
    others = [
        ("A", "late", "2", SCORED, 0.6),
        ("B", "late", "1", SCORED, 0.4),
        ("A", "late", "1", NOON + 8 * HOUR, 0.7),
    ]
    inputs.write(tables.predictions, [*scores, *others], PREDICTION)
    config = config_of(label)

    def join(hours):
        join_ground_truth(spark, tables, NOON + hours * HOUR, config)
        rows = spark.table(tables.inference_log).collect()
        keys = {(row["shop"], row["number"], row["model_version"]) for row in rows}
        assert len(keys) == len(rows)
        return {(row["shop"], row["number"], row["model_version"]): (row["outcome"], row["y"]) for row in rows}

    early = join(4)
    assert early == {
        ("A", "early", "1"): ("delivered", 0.0),
        ("A", "late", "1"): ("pending", None),
        ("A", "late", "2"): ("pending", None),
        ("A", "cancelled", "1"): ("cancelled", None),
        ("A", "lost", "1"): ("lost", None),
        ("A", "lost_late", "1"): ("lost", None),
        ("A", "under_way", "1"): ("pending", None),
        ("B", "late", "1"): ("delivered", 0.0),
    }
    named = {*KEY, "model_version", "as_of", "prediction", "y", "label_known_at", "outcome"}
    assert set(spark.table(tables.inference_log).columns) == named | derived
    version = version_of(spark, tables.inference_log)
    assert join(4) == early
    assert version_of(spark, tables.inference_log) == version

    # What is known stays, also where the source changes its mind.
    inputs.write(tables.labels, [("A", "early", 1.0, NOON + 2 * HOUR, "delivered"), *LABELS[1:]], LABELS_SCHEMA)
    later = early | {("A", "late", "1"): ("delivered", 1.0), ("A", "late", "2"): ("delivered", 1.0)}
    assert join(6) == later
    assert version_of(spark, tables.inference_log) == version + 1

    # Shop B predicts one whose number A has too.
    inputs.write(tables.predictions, [*scores, *others, ("B", "early", "1", SCORED, 0.3)], PREDICTION)
    assert join(6) == later | {("B", "early", "1"): ("pending", None)}
