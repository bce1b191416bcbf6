"""Aircraft: age by year, and what the register said at a moment."""

from datetime import timedelta

import pytest

from tests.unit.tables import collected, moment
from use_case.aircraft import aircraft_features

PLANE = "tailnum string, known_at timestamp, year int, seats int, engines int"
START, NOW = moment("2013-01-01"), moment("2014-02-01")
SECOND = timedelta(seconds=1)
STATES = [
    ("OLD", START, 1990, 150, 2),
    ("NEW", START, 2013, 20, None),
    ("FUTURE", START, 2014, None, 1),
    ("UNKNOWN", NOW, None, 5, 1),
    ("CHANGED", START, 1990, 150, 2),
    ("CHANGED", moment("2013-07-01 05:00"), 1995, 160, 2),
    ("CHANGED", moment("2013-07-02 05:00"), 1995, 170, 2),
]


@pytest.fixture(scope="module")
def planes(spark):
    return spark.createDataFrame(STATES, PLANE)


def by_key(rows) -> dict:
    """Age, seats and engines by tail and moment."""
    found = collected(rows)
    values = {(row.pop("tailnum"), row.pop("known_at")): tuple(row.values()) for row in found}
    assert len(values) == len(found)
    return values


IN_2013 = {
    ("OLD", START): (23.0, 150.0, 2.0),
    ("NEW", START): (0.0, 20.0, None),
    ("FUTURE", START): (None, None, 1.0),  # built next year: its age is not known to be less than nothing
    ("CHANGED", START): (23.0, 150.0, 2.0),
    ("CHANGED", moment("2013-07-01 05:00")): (18.0, 160.0, 2.0),
    ("CHANGED", moment("2013-07-02 05:00")): (18.0, 170.0, 2.0),
}
NEW_YEAR = moment("2014-01-01")
AT_NEW_YEAR = {
    ("OLD", NEW_YEAR): (24.0, 150.0, 2.0),
    ("NEW", NEW_YEAR): (1.0, 20.0, None),
    ("FUTURE", NEW_YEAR): (0.0, None, 1.0),
    ("CHANGED", NEW_YEAR): (19.0, 170.0, 2.0),
}


def test_age_and_size_from_each_state_and_the_first_moment_of_each_year(planes):
    rows = aircraft_features(planes, NOW)
    assert rows.columns == ["tailnum", "known_at", "aircraft_age_years", "aircraft_seats", "aircraft_engines"]
    assert by_key(rows) == IN_2013 | AT_NEW_YEAR | {("UNKNOWN", NOW): (None, 5.0, 1.0)}


@pytest.mark.parametrize(
    ("as_of", "expected"),
    [
        (NEW_YEAR - SECOND, IN_2013),
        (NEW_YEAR, IN_2013 | AT_NEW_YEAR),
        (NOW - SECOND, IN_2013 | AT_NEW_YEAR),
        (moment("2013-07-02 04:59"), {key: row for key, row in IN_2013.items() if key[1] < moment("2013-07-02 05:00")}),
        (START - SECOND, {}),
    ],
)
def test_as_of_brings_new_aircraft_and_new_years(planes, as_of, expected):
    assert by_key(aircraft_features(planes, as_of)) == expected


def test_a_state_from_the_first_moment_of_a_year_is_that_years(spark):
    """And the one before it has no row in that year; one that lasts for years has one in each."""
    states = [("N1", moment("2010-06-01"), 2000, 1, 1), ("N1", moment("2012-01-01"), 2000, 2, 1)]
    found = by_key(aircraft_features(spark.createDataFrame(states, PLANE), moment("2013-06-01")))
    assert {at: seats for (_, at), (_, seats, _) in found.items()} == {
        moment("2010-06-01"): 1.0,
        moment("2011-01-01"): 1.0,
        moment("2012-01-01"): 2.0,
        moment("2013-01-01"): 2.0,
    }


@pytest.mark.parametrize("zone", ["Pacific/Auckland", "America/New_York"])
def test_a_year_begins_in_utc_whatever_zone_the_session_is_in(spark, planes, zone):
    before = spark.conf.get("spark.sql.session.timeZone")
    spark.conf.set("spark.sql.session.timeZone", zone)
    try:
        found = by_key(aircraft_features(planes, NOW))
    finally:
        spark.conf.set("spark.sql.session.timeZone", before)
    assert found == IN_2013 | AT_NEW_YEAR | {("UNKNOWN", NOW): (None, 5.0, 1.0)}
