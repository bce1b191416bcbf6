"""What happened is merged as it becomes known, and nothing that came later is read."""

from datetime import UTC, datetime, timedelta
from functools import reduce

import pytest
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from monitoring.ground_truth import join_ground_truth, known_outcomes
from project.config import load_config
from tests.unit.tables import collected, version_of

NOON = datetime(2013, 8, 2, 12, tzinfo=UTC)
SCORED = datetime(2013, 8, 2, tzinfo=UTC)
HOUR = timedelta(hours=1)
LABEL = "flight_id string, late double, known_at timestamp, outcome string"
PREDICTION = "flight_id string, model_version string, as_of timestamp, prediction double"
# All are scheduled from 12:00 to 14:00; one is still airborne, and has no label.
FLIGHTS = ("on_time", "late", "cancelled", "diverted", "diverted_late", "airborne")
LABELS = [
    ("on_time", 0.0, NOON + 2 * HOUR, "arrived"),
    ("late", 1.0, NOON + 5 * HOUR, "arrived"),
    ("cancelled", None, NOON, "cancelled"),
    ("diverted", None, NOON + 2 * HOUR, "diverted"),
    ("diverted_late", None, NOON + 3 * HOUR, "diverted"),
]
KNOWN = {
    -1: {},
    0: {"cancelled": 0},
    2: {"cancelled": 0, "on_time": 2, "diverted": 2},
    3: {"cancelled": 0, "on_time": 2, "diverted": 2, "diverted_late": 3},
    5: {"cancelled": 0, "on_time": 2, "diverted": 2, "diverted_late": 3, "late": 5},
}


@pytest.fixture(scope="module")
def known(spark):
    """The hour from which each outcome is known, by the hour (after noon) of the question."""
    labels = spark.createDataFrame(LABELS, LABEL)
    since = ((F.unix_timestamp("label_known_at") - int(NOON.timestamp())) / 3600).alias("since")
    asked = [
        known_outcomes(labels, NOON + hours * HOUR, "late").select(F.lit(hours).alias("asked"), "flight_id", since)
        for hours in KNOWN
    ]
    found = {hours: {} for hours in KNOWN}
    for hours, flight, moment in reduce(DataFrame.unionByName, asked).collect():
        found[hours][flight] = moment
    return found


@pytest.mark.parametrize("hours", KNOWN)
def test_an_outcome_is_known_from_its_own_moment(known, hours):
    assert known[hours] == KNOWN[hours]


def test_an_outcome_is_told_with_its_label(spark):
    rows = collected(known_outcomes(spark.createDataFrame(LABELS, LABEL), NOON + 2 * HOUR, "late"))
    assert {row["flight_id"]: (row["late"], row["label_known_at"], row["outcome"]) for row in rows} == {
        "on_time": (0.0, NOON + 2 * HOUR, "arrived"),
        "cancelled": (None, NOON, "cancelled"),
        "diverted": (None, NOON + 2 * HOUR, "diverted"),
    }


@pytest.fixture
def tables(home, spark):
    with home.schema(spark, "ground_truth") as tables:
        yield tables


def test_the_log_follows_the_truth_and_a_second_run_changes_nothing(spark, tables, inputs):
    """One test: each merge takes a second."""
    inputs.write(tables.labels, LABELS, LABEL)
    scores = [(flight, "1", SCORED, 0.5) for flight in FLIGHTS]
    others = [("late", "2", SCORED, 0.6), ("late", "1", NOON + 8 * HOUR, 0.7)]
    inputs.write(tables.predictions, [*scores, *others], PREDICTION)

    def join(hours):
        join_ground_truth(spark, tables, NOON + hours * HOUR, config)
        rows = spark.table(tables.inference_log).collect()
        keys = {(row["flight_id"], row["model_version"]) for row in rows}
        assert len(keys) == len(rows)
        return {(row["flight_id"], row["model_version"]): (row["outcome"], row["late"]) for row in rows}

    config = load_config()
    early = join(4)
    assert early == {
        ("on_time", "1"): ("arrived", 0.0),
        ("late", "1"): ("pending", None),
        ("late", "2"): ("pending", None),
        ("cancelled", "1"): ("cancelled", None),
        ("diverted", "1"): ("diverted", None),
        ("diverted_late", "1"): ("diverted", None),
        ("airborne", "1"): ("pending", None),
    }
    version = version_of(spark, tables.inference_log)
    assert join(4) == early
    assert version_of(spark, tables.inference_log) == version

    # What is known stays, also where the source changes its mind.
    inputs.write(tables.labels, [("on_time", 1.0, NOON + 2 * HOUR, "arrived"), *LABELS[1:]], LABEL)
    assert join(6) == early | {("late", "1"): ("arrived", 1.0), ("late", "2"): ("arrived", 1.0)}
    assert version_of(spark, tables.inference_log) == version + 1
