"""Aircraft: age by year, and the last leg that was known."""

from datetime import timedelta

import pytest

from feature_engineering.aircraft import aircraft_features, leg_features, new_aircraft_features, new_leg_features
from tests.unit.tables import collected, moment

PLANE = "tailnum string, year int, seats int, engines int, ingested_as_of timestamp"
LEG = (
    "tailnum string, flight_id string, sched_dep_at timestamp, departed_at timestamp, arrived_at timestamp, "
    "dep_delay double, arr_delay double, ingested_as_of timestamp"
)
BEFORE, NOW = moment("2013-03-01"), moment("2014-02-01")
NOON, MINUTE = moment("2013-05-01 12:00"), timedelta(minutes=1)


@pytest.fixture(scope="module")
def planes(spark):
    rows = [
        ("OLD", 1990, 150, 2, BEFORE),
        ("NEW", 2013, 20, None, BEFORE),
        ("FUTURE", 2014, None, 1, BEFORE),
        ("UNKNOWN", None, 5, 1, NOW),
    ]
    return spark.createDataFrame(rows, PLANE)


def ages(rows):
    found = collected(rows)
    by_key = {(row["tailnum"], row["known_at"].year): row["aircraft_age_years"] for row in found}
    assert len(by_key) == len(found)
    return by_key


def test_age_and_size_from_the_first_moment_of_each_year(planes):
    found = collected(aircraft_features(planes, 2013, 2014))
    assert {row["known_at"] for row in found} == {moment("2013-01-01"), moment("2014-01-01")}
    by_key = {(row.pop("tailnum"), row.pop("known_at").year): tuple(row.values()) for row in found}
    assert by_key == {
        ("OLD", 2013): (23.0, 150.0, 2.0),
        ("OLD", 2014): (24.0, 150.0, 2.0),
        ("NEW", 2013): (0.0, 20.0, None),
        ("NEW", 2014): (1.0, 20.0, None),
        ("FUTURE", 2013): (None, None, 1.0),  # built next year: its age is not known to be less than nothing
        ("FUTURE", 2014): (0.0, None, 1.0),
        ("UNKNOWN", 2013): (None, 5.0, 1.0),
        ("UNKNOWN", 2014): (None, 5.0, 1.0),
    }


def test_a_run_brings_new_aircraft_and_new_years(planes):
    start = moment("2013-01-01")
    assert len(ages(new_aircraft_features(planes, start, None, NOW))) == 8
    in_a_new_year = ages(new_aircraft_features(planes, start, moment("2013-12-31"), NOW))
    assert set(in_a_new_year) == {("UNKNOWN", 2013), *((tail, 2014) for tail in ("OLD", "NEW", "FUTURE", "UNKNOWN"))}
    in_the_same_year = ages(new_aircraft_features(planes, start, moment("2014-01-01"), NOW))
    assert set(in_the_same_year) == {("UNKNOWN", 2013), ("UNKNOWN", 2014)}


def leg(tailnum, flight, scheduled, dep_delay, lasts, arr_delay, ingested=BEFORE):
    """A leg scheduled so many minutes after noon; without a delay it has not left, or not arrived."""
    scheduled_at = NOON + scheduled * MINUTE
    departed = None if dep_delay is None else scheduled_at + dep_delay * MINUTE
    arrived = None if arr_delay is None else departed + lasts * MINUTE
    return (tailnum, flight, scheduled_at, departed, arrived, dep_delay, arr_delay, ingested)


LEGS = [
    leg("N1", "a", 0, 5.0, 100, 10.0),
    leg("N1", "b", 120, 0.0, 60, None),  # has left, not arrived
    leg("N1", "c", 300, None, 60, None),  # has not left
    leg("N2", "a2", 0, 60.0, 30, 20.0),  # arrives at 13:30,
    leg("N2", "b2", 90, 0.0, 60, 30.0, ingested=NOW),  # as the next one leaves
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


def test_a_changed_leg_brings_the_moments_of_its_news(legs):
    assert news(new_leg_features(legs, BEFORE, NOON, NOW)) == {key: ALL_NEWS[key] for key in (("N2", 90), ("N2", 150))}


def test_a_leg_that_leaves_and_arrives_in_one_moment_has_arrived(spark):
    at_once = spark.createDataFrame([leg("N4", "q", 0, 9.0, 0, 8.0)], LEG)
    assert news(leg_features(at_once, NOW)) == {("N4", 9): (9.0, 8.0)}
