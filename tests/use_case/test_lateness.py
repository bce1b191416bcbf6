"""Lateness by midnight (UTC) against a slow and plain count: the edges of 7 and 28 days."""

from datetime import timedelta
from statistics import mean

import pytest

from tests.unit.tables import collected, moment
from use_case.lateness import lateness_features

SCHEMA = "carrier string, origin string, dest string, known_at timestamp, arr_delay double, late double"
CARRIER, ROUTE = ("carrier",), ("origin", "dest")
DAY, SECOND = timedelta(days=1), timedelta(seconds=1)
START, AS_OF = moment("2013-02-01 00:00"), moment("2013-03-20 05:00")


def label(carrier: str, route: str, known_at, delay: float | None) -> tuple:
    """Without a delay, of a flight that was cancelled or diverted."""
    return (carrier, *route.split("-"), known_at, delay, None if delay is None else float(delay >= 15))


LABELS = [
    label("UA", "JFK-LAX", START, 10.0),  # known at midnight: counts at that midnight
    label("UA", "JFK-LAX", START + SECOND, 20.0),  # counts at the next
    label("UA", "JFK-SFO", START + 7 * DAY, -5.0),
    label("UA", "EWR-LAX", START + 7 * DAY + SECOND, 100.0),
    label("UA", "JFK-LAX", AS_OF - SECOND, 7.0),  # known after the last midnight: in no row yet
    label("UA", "JFK-LAX", AS_OF + SECOND, 8.0),  # not known yet
    label("AA", "JFK-LAX", START + 3 * DAY, 15.0),
    label("AA", "JFK-LAX", START + 3 * DAY, 14.0),
    label("AA", "JFK-SFO", START + 10 * DAY, 60.0),
    label("AA", "JFK-SFO", START + 10 * DAY, None),
    label("DL", "JFK-SFO", START + 9 * DAY, None),  # all that is known of this carrier
]


def expected(keys: tuple[str, ...], prefix: str) -> dict[tuple, dict[str, float | None]]:
    places = {"carrier": 0, "origin": 1, "dest": 2}
    entity = [places[key] for key in keys]
    table = {}
    for days in range((AS_OF - START) // DAY + 1):
        at = START + days * DAY
        for key in {tuple(row[place] for place in entity) for row in LABELS}:
            own = [row for row in LABELS if tuple(row[place] for place in entity) == key and row[5] is not None]
            recent = {n: [row for row in own if at - n * DAY < row[3] <= at] for n in (7, 28)}
            if recent[28]:
                table[*key, at] = {
                    name: value for n, rows in recent.items() for name, value in figures(prefix, n, rows).items()
                }
    return table


def figures(prefix: str, days: int, rows: list[tuple]) -> dict[str, float | None]:
    return {
        f"{prefix}_flights_{days}d": len(rows),
        f"{prefix}_arr_delay_{days}d": mean(row[4] for row in rows) if rows else None,
        f"{prefix}_late_share_{days}d": mean(row[5] for row in rows) if rows else None,
    }


def by_key(rows, keys: tuple[str, ...]) -> dict:
    found = {tuple(row.pop(key) for key in (*keys, "known_at")): row for row in collected(rows)}
    assert len(found) > 1
    return found


@pytest.fixture(scope="module")
def labels(spark):
    return spark.createDataFrame(LABELS, SCHEMA)


@pytest.fixture(scope="module")
def by_carrier(labels):
    return by_key(lateness_features(labels, AS_OF, CARRIER, "carrier"), CARRIER)


def same(found: dict, wanted: dict) -> bool:
    return set(found) == set(wanted) and all(found[key] == pytest.approx(wanted[key]) for key in wanted)


def test_by_carrier_at_each_midnight(by_carrier):
    assert same(by_carrier, expected(CARRIER, "carrier"))


def test_by_route_at_each_midnight(labels):
    found = by_key(lateness_features(labels, AS_OF, ROUTE, "route"), ROUTE)
    assert same(found, expected(ROUTE, "route"))


@pytest.mark.parametrize(
    ("day", "in_7_days", "in_28_days"),
    [
        ("2013-02-01", 1, 1),
        ("2013-02-02", 2, 2),
        ("2013-02-07", 2, 2),
        ("2013-02-08", 2, 3),  # the one of the first midnight is seven days old, and one more is known
        ("2013-02-09", 2, 4),
        ("2013-02-28", 0, 4),
        ("2013-03-01", 0, 3),  # the one of the first midnight is 28 days old
        ("2013-03-08", 0, 1),
    ],
)
def test_edges_that_were_counted_by_hand(by_carrier, day, in_7_days, in_28_days):
    row = by_carrier["UA", moment(day)]
    assert (row["carrier_flights_7d"], row["carrier_flights_28d"]) == (in_7_days, in_28_days)
    assert (row["carrier_arr_delay_7d"] is None) == (in_7_days == 0)


def test_without_a_label_in_28_days_there_is_no_row(by_carrier):
    assert max(at for carrier, at in by_carrier if carrier == "UA") == moment("2013-03-08")


def test_what_did_not_arrive_makes_no_row(by_carrier):
    assert {carrier for carrier, _ in by_carrier} == {"AA", "UA"}


@pytest.mark.parametrize("early", [START + 8 * DAY, START + 8 * DAY - SECOND, START - SECOND])
def test_as_of_an_earlier_moment_the_rows_are_those_of_the_midnights_before(labels, by_carrier, early):
    found = collected(lateness_features(labels, early, CARRIER, "carrier"))
    known = {(row.pop("carrier"), row.pop("known_at")): row for row in found}
    assert known == {key: row for key, row in by_carrier.items() if key[1] <= early}
