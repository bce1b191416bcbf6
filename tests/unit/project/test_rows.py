"""The rows that a model is asked about: which flights, and what is known of them."""

from datetime import timedelta

import pytest

from project.config import load_config
from project.rows import filed, labelled_rows, request_rows
from tests.unit.tables import collected, moment

CONFIG = load_config()
START, END, KNOWN_BY = moment("2013-07-01"), moment("2013-08-01"), moment("2013-08-02")
SECOND = timedelta(seconds=1)
FLIGHT = (
    "flight_id string, sched_dep_at timestamp, prediction_at timestamp, tailnum string, origin string, dest string, "
    "carrier string, distance_miles double, block_minutes double, departure_minute_of_day double, "
    "departure_weekday double, status string, dep_delay double, departed_at timestamp"
)


def flight(name, scheduled):
    schedule = ("JFK", "BOS", "B6", 187.0, 85.0, 480.0, 0.0)
    return (name, scheduled, scheduled - timedelta(hours=2), None, *schedule, "arrived", 30.0, scheduled)


@pytest.fixture(scope="module")
def flights(spark):
    scheduled = {"first": START, "last": END - SECOND, "before": START - SECOND, "after": END, "no label": START}
    return spark.createDataFrame([flight(*item) for item in (scheduled | {"late news": START}).items()], FLIGHT)


def test_the_request_says_what_is_known_two_hours_ahead_and_nothing_else(flights):
    rows = collected(request_rows(flights, CONFIG))
    assert len(rows) == 6
    first = next(row for row in rows if row["flight_id"] == "first")
    assert first == {
        "flight_id": "first",
        "sched_dep_at": START,
        "tailnum": None,
        "prediction_at": START - timedelta(hours=2),
        "distance_miles": 187.0,
        "block_minutes": 85.0,
        "departure_minute_of_day": 480.0,
        "departure_weekday": 0.0,
        "origin": "JFK",
        "dest": "BOS",
        "carrier": "B6",
    }


def test_labels_count_by_schedule_and_by_when_they_were_known(spark, flights):
    known = {"first": KNOWN_BY, "last": START, "before": START, "after": START, "late news": KNOWN_BY + SECOND}
    labels = [(name, at, 0.0) for name, at in known.items()]
    labels = spark.createDataFrame(
        [*labels, ("of no flight", START, 1.0)], "flight_id string, known_at timestamp, late double"
    )
    rows = labelled_rows(flights, labels, START, END, KNOWN_BY, CONFIG)
    assert rows.columns == [*request_rows(flights, CONFIG).columns, "late"]
    assert sorted(row["flight_id"] for row in collected(rows)) == ["first", "last"]


def test_a_schedule_feature_or_label_that_is_not_there_is_refused_with_the_known_ones(spark, flights):
    labels = spark.createDataFrame([], "flight_id string, known_at timestamp, overdue double")
    with pytest.raises(
        ValueError, match=r"label\.column: there is no column 'late'; there are flight_id, known_at, overdue"
    ):
        labelled_rows(flights, labels, START, END, KNOWN_BY, CONFIG)
    with pytest.raises(
        ValueError, match=r"schedule_features: there is no column 'carrier'; there are flight_id, .*origin"
    ):
        request_rows(flights.drop("carrier"), CONFIG)


def test_scores_are_filed_under_model_version_and_moment(spark):
    rows = filed(spark.createDataFrame([(0.5,)], "prediction double"), "m", "7", KNOWN_BY)
    assert collected(rows) == [{"prediction": 0.5, "model_name": "m", "model_version": "7", "as_of": KNOWN_BY}]
