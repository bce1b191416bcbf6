"""Steps of a grid, and from when on things have changed."""

from datetime import timedelta

import pytest
from pyspark.sql import functions as F

from feature_engineering.changes import (
    changed,
    flights_changed_from,
    minutes_later,
    next_step,
    steps,
    weather_changed_from,
)
from tests.unit.tables import collected, moment

MIDNIGHT = moment("2013-05-01")
MINUTE, MICROSECOND = timedelta(minutes=1), timedelta(microseconds=1)
SINCE = moment("2013-05-02")


def test_the_next_step_is_not_before_the_moment(spark):
    cases = {
        moment("2013-05-01 12:00"): moment("2013-05-01 12:00"),
        moment("2013-05-01 12:00:01"): moment("2013-05-01 12:15"),
        moment("2013-05-01 12:15"): moment("2013-05-01 12:15"),
        moment("2013-05-01 23:46"): moment("2013-05-02 00:00"),
        moment("2013-03-10 06:59"): moment("2013-03-10 07:00"),  # New York's clocks change at 7: the grid does not
    }
    rows = spark.createDataFrame([(at,) for at in cases], "at timestamp").select(
        "at", next_step(F.col("at"), 15).alias("s")
    )
    assert {row["at"]: row["s"] for row in collected(rows)} == cases


def test_steps_are_there_from_first_to_last(spark):
    rows = [("both ends", 0, 30), ("between", 0, 29), ("one", 0, 0), ("none", 1, 0), ("no last", 0, None)]
    moments = [(n, MIDNIGHT + a * MINUTE, None if b is None else MIDNIGHT + b * MINUTE) for n, a, b in rows]
    frame = spark.createDataFrame(moments, "name string, first timestamp, last timestamp")
    found: dict[str, list[int]] = {}
    for row in collected(frame.select("name", steps(F.col("first"), F.col("last"), 15).alias("at"))):
        found.setdefault(row["name"], []).append((row["at"] - MIDNIGHT) // MINUTE)
    assert {name: sorted(at) for name, at in found.items()} == {
        "both ends": [0, 15, 30],
        "between": [0, 15],
        "one": [0],
    }


def test_minutes_go_both_ways(spark):
    moved = spark.range(1).select(
        minutes_later(F.lit(MIDNIGHT), 90).alias("later"), minutes_later(F.lit(MIDNIGHT), -90).alias("earlier")
    )
    assert collected(moved) == [{"later": moment("2013-05-01 01:30"), "earlier": moment("2013-04-30 22:30")}]


@pytest.fixture(scope="module")
def news(spark):
    def flights(*rows):
        return spark.createDataFrame(list(rows), "sched_dep_at timestamp, ingested_as_of timestamp")

    def weather(*rows):
        return spark.createDataFrame(list(rows), "observed_at timestamp, ingested_as_of timestamp")

    return flights, weather


def test_what_a_run_brought_has_changed(news):
    flights, _ = news
    rows = flights((MIDNIGHT, SINCE), (MIDNIGHT + MINUTE, SINCE + MICROSECOND))
    assert [row["sched_dep_at"] for row in collected(rows.filter(changed(SINCE)))] == [MIDNIGHT + MINUTE]
    assert rows.filter(changed(None)).count() == 2


@pytest.mark.parametrize(
    ("moment_of_news", "brought_by", "earliest"),
    [
        (moment("2013-04-03 12:00"), SINCE + MINUTE, moment("2013-04-03 12:00")),
        (SINCE + 300 * MINUTE, SINCE + MINUTE, SINCE),
        (moment("2013-04-03"), SINCE, SINCE),  # known before: nothing has changed
    ],
)
def test_changes_reach_back_to_the_earliest_moment_they_are_about(news, moment_of_news, brought_by, earliest):
    """A load counts two hours before its departure."""
    flights, weather = news
    departures = [(moment_of_news + minutes * MINUTE, brought_by) for minutes in (121, 120)]
    observations = [(moment_of_news + minutes * MINUTE, brought_by) for minutes in (1, 0)]
    assert flights_changed_from(flights(*departures), SINCE) == earliest
    assert weather_changed_from(weather(*observations), SINCE) == earliest


def test_at_first_all_is_new(news):
    flights, weather = news
    assert flights_changed_from(flights((MIDNIGHT, SINCE)), None) is None
    assert weather_changed_from(weather((MIDNIGHT, SINCE)), None) is None
