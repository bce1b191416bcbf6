"""The last leg of an aircraft, as far as it was known."""

from datetime import timedelta

import pytest

from tests.unit.tables import collected, moment
from use_case.legs import leg_features

LEG = (
    "tailnum string, flight_id string, sched_dep_at timestamp, departed_at timestamp, arrived_at timestamp, "
    "dep_delay double, arr_delay double"
)
NOW = moment("2014-02-01")
NOON, MINUTE = moment("2013-05-01 12:00"), timedelta(minutes=1)


def leg(tailnum, flight, scheduled, dep_delay, lasts, arr_delay):
    """A leg scheduled so many minutes after noon; without a delay it has not left, or not arrived."""
    scheduled_at = NOON + scheduled * MINUTE
    departed = None if dep_delay is None else scheduled_at + dep_delay * MINUTE
    arrived = None if arr_delay is None else departed + lasts * MINUTE
    return (tailnum, flight, scheduled_at, departed, arrived, dep_delay, arr_delay)


LEGS = [
    leg("N1", "a", 0, 5.0, 100, 10.0),
    leg("N1", "b", 120, 0.0, 60, None),  # has left, not arrived
    leg("N1", "c", 300, None, 60, None),  # has not left
    leg("N2", "later name", 0, 60.0, 30, 20.0),  # arrives at 13:30,
    leg("N2", "earlier name", 90, 0.0, 60, 30.0),  # as the next one leaves
    leg("N3", "y", 0, 1.0, 10, 2.0),  # two at once: the same schedule, the same moments
    leg("N3", "z", 0, 1.0, 10, 3.0),
    leg(None, "n", 0, 1.0, 10, 4.0),
]


@pytest.fixture(scope="module")
def legs(spark):
    return spark.createDataFrame(LEGS, LEG)


def news(rows):
    """Delays by tail and minutes after noon."""
    found = collected(rows)
    by_key = {
        (row["tailnum"], (row["known_at"] - NOON) // MINUTE): (row["last_leg_dep_delay"], row["last_leg_arr_delay"])
        for row in found
    }
    assert len(by_key) == len(found)
    return by_key


ALL_NEWS = {
    ("N1", 5): (5.0, None),
    ("N1", 105): (5.0, 10.0),
    ("N1", 120): (0.0, None),
    ("N2", 60): (60.0, None),
    ("N2", 90): (0.0, None),  # the leg that is scheduled later counts
    ("N2", 150): (0.0, 30.0),
    ("N3", 1): (1.0, None),
    ("N3", 11): (1.0, 3.0),  # of two of one schedule, the flight that sorts last
}


def test_the_last_leg_at_each_departure_and_arrival(legs):
    assert news(leg_features(legs, NOW)) == ALL_NEWS


def test_no_news_is_later_than_as_of(legs):
    known = news(leg_features(legs, NOON + 105 * MINUTE))
    assert known == {key: value for key, value in ALL_NEWS.items() if key[1] <= 105}


def test_a_leg_that_leaves_and_arrives_in_one_moment_has_arrived(spark):
    at_once = spark.createDataFrame([leg("N4", "q", 0, 9.0, 0, 8.0)], LEG)
    assert news(leg_features(at_once, NOW)) == {("N4", 9): (9.0, 8.0)}
