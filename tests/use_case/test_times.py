"""Moments from local clock times: both clock changes of 2013, past midnight, to the west, unknown zones."""

from dataclasses import dataclass
from datetime import date, timedelta

import pytest

from tests.unit.tables import collected, moment
from use_case.times import with_times

SCHEMA = (
    "case string, year int, month int, day int, time_hour timestamp, minute int, sched_arr_time int, dest string, "
    "dep_delay int, arr_delay int"
)
ZONES = [
    ("LAX", "America/Los_Angeles"),
    ("BOS", "America/New_York"),
    ("ORD", "America/Chicago"),
    ("HNL", "Pacific/Honolulu"),
    ("PHX", "America/Phoenix"),
    ("NUL", None),
]


@dataclass(frozen=True)
class Flight:
    """A departure from New York: its local day, its moment (UTC), the clock at its destination, and its arrival."""

    day: str
    departure: str
    clock: int
    dest: str
    arrival: str | None


CASES = {
    "an afternoon": Flight("2013-07-01", "2013-07-01 12:05", 1100, "LAX", "2013-07-01 18:00"),
    "a clock that is behind the departure's": Flight("2013-07-01", "2013-07-01 12:00", 755, "ORD", "2013-07-01 12:55"),
    "past midnight": Flight("2013-07-01", "2013-07-02 03:00", 20, "BOS", "2013-07-02 04:20"),
    "at midnight": Flight("2013-07-01", "2013-07-02 03:00", 0, "BOS", "2013-07-02 04:00"),
    "the end of a day, as 2400": Flight("2013-07-01", "2013-07-02 03:00", 2400, "BOS", "2013-07-02 04:00"),
    "overnight to the west": Flight("2013-07-01", "2013-07-02 03:59", 230, "LAX", "2013-07-02 09:30"),
    "to the west, still the same day there": Flight("2013-07-01", "2013-07-01 14:00", 1445, "HNL", "2013-07-02 00:45"),
    "the last night of a month": Flight("2013-02-28", "2013-03-01 03:30", 15, "BOS", "2013-03-01 05:15"),
    "the last night of the year": Flight("2013-12-31", "2014-01-01 04:30", 100, "ORD", "2014-01-01 07:00"),
    # 10 March 2013: 02:00 becomes 03:00, in each zone at its own moment; Phoenix has no summer time.
    "before the change in spring": Flight("2013-03-09", "2013-03-10 04:30", 110, "ORD", "2013-03-10 07:10"),
    "into the change in spring": Flight("2013-03-09", "2013-03-10 04:30", 330, "BOS", "2013-03-10 07:30"),
    "across the change in spring": Flight("2013-03-10", "2013-03-10 06:30", 500, "BOS", "2013-03-10 09:00"),
    "the west changes later in spring": Flight("2013-03-10", "2013-03-10 08:00", 130, "LAX", "2013-03-10 09:30"),
    "the day of the change in spring": Flight("2013-03-10", "2013-03-10 12:00", 1100, "LAX", "2013-03-10 18:00"),
    "no summer time": Flight("2013-03-10", "2013-03-10 12:00", 1100, "PHX", "2013-03-10 18:00"),
    # 3 November 2013: 02:00 becomes 01:00, so that 01:30 is twice.
    "the first of two 01:30 in autumn": Flight("2013-11-02", "2013-11-03 02:30", 130, "LAX", "2013-11-03 08:30"),
    "after the change in autumn": Flight("2013-11-02", "2013-11-03 02:30", 230, "LAX", "2013-11-03 10:30"),
    "the night of the change in autumn": Flight("2013-11-02", "2013-11-03 03:30", 200, "BOS", "2013-11-03 07:00"),
    # airports.csv lacks Puerto Rico; it has no summer time.
    "an airport that the file lacks": Flight("2013-07-01", "2013-07-01 12:00", 1150, "SJU", "2013-07-01 15:50"),
    "an unknown airport": Flight("2013-07-01", "2013-07-01 12:00", 1150, "XXX", None),
    "an airport of unknown zone": Flight("2013-07-01", "2013-07-01 12:00", 1150, "NUL", None),
}


def raw(case: str, flight: Flight, dep_delay: int | None, arr_delay: int | None) -> tuple:
    day, departure = date.fromisoformat(flight.day), moment(flight.departure)
    hour = departure.replace(minute=0)
    known = (flight.clock, flight.dest, dep_delay, arr_delay)
    return (case, day.year, day.month, day.day, hour, departure.minute, *known)


@pytest.fixture(scope="module")
def found(spark):
    """The moments of each case: 70 minutes late out, 20 early in; and of one that is not known to have left."""
    rows = [raw(case, flight, 70, -20) for case, flight in CASES.items()]
    rows.append(raw("scheduled", CASES["an afternoon"], None, None))
    airports = spark.createDataFrame(ZONES, "faa string, tzone string")
    timed = with_times(spark.createDataFrame(rows, SCHEMA), airports)
    assert "_zone" not in timed.columns
    by_case = {row["case"]: row for row in collected(timed)}
    assert len(by_case) == len(rows)
    return by_case


@pytest.mark.parametrize("case", CASES)
def test_moments_are_in_utc(found, case):
    flight, row = CASES[case], found[case]
    assert row["sched_dep_at"] == moment(flight.departure)
    assert row["departed_at"] == moment(flight.departure) + timedelta(minutes=70)
    arrival = None if flight.arrival is None else moment(flight.arrival)
    assert row["sched_arr_at"] == arrival
    assert row["arrived_at"] == (None if arrival is None else arrival - timedelta(minutes=20))


def test_what_has_not_happened_has_no_moment(found):
    row = found["scheduled"]
    assert (row["departed_at"], row["arrived_at"]) == (None, None)
    assert row["sched_arr_at"] == moment("2013-07-01 18:00")
