"""Traffic features against a slow and plain count, flight by flight and quarter by quarter."""

from datetime import timedelta
from statistics import mean

import pytest

from tests.unit.tables import collected, moment
from use_case.congestion import congestion_features

SCHEMA = "origin string, sched_dep_at timestamp, departed_at timestamp, dep_delay double, status string"
NOON, AS_OF = moment("2013-05-01 12:00"), moment("2013-05-01 18:00")
QUARTER, HOUR = timedelta(minutes=15), timedelta(hours=1)


def flight(origin: str, minute: float, delay: float | None, status: str = "departed") -> dict:
    """A flight scheduled so many minutes after noon."""
    scheduled = NOON + timedelta(minutes=minute)
    departed = None if delay is None else scheduled + timedelta(minutes=delay)
    names = ("origin", "sched_dep_at", "departed_at", "dep_delay", "status")
    return dict(zip(names, (origin, scheduled, departed, delay, status), strict=True))


FLIGHTS = [
    flight("JFK", 0, 0.0),  # on the edge of a quarter, leaves on it
    flight("JFK", 0, 15.0),  # late from 15 minutes on, leaves on the next
    flight("JFK", 5, 14.0),
    flight("JFK", 15, 1.0),  # leaves just after an edge
    flight("JFK", 20, -20.0),  # leaves before its time, on the edge
    flight("JFK", 30, 200.0),  # waits for more than three hours
    flight("JFK", 45, None, "cancelled"),
    flight("JFK", 60, None, "cancelled"),
    flight("JFK", 61, None, "scheduled"),  # of which nothing has been heard
    flight("JFK", 300, 120.0),  # leaves after as_of
    flight("JFK", 420, None, "scheduled"),  # to come
    flight("EWR", 359, 1.0),  # leaves at as_of
    flight("EWR", 361, None, "cancelled"),  # a cancellation that is known at its time, after as_of
]


def expected(flights: list[dict], origin: str, at) -> dict[str, float | None] | None:
    here = [f for f in flights if f["origin"] == origin]
    gone = {h: [f["dep_delay"] for f in here if seen(f["departed_at"], at, h)] for h in (1, 3)}
    off = {h: sum(f["status"] == "cancelled" and seen(f["sched_dep_at"], at, h) for f in here) for h in (1, 3)}
    waits = [
        (at - f["sched_dep_at"]) / timedelta(minutes=1)
        for f in here
        if f["status"] != "cancelled"
        and seen(f["sched_dep_at"], at, 3)
        and (f["departed_at"] is None or f["departed_at"] > at)
    ]
    load = sum(at < f["sched_dep_at"] <= at + 2 * HOUR for f in here)
    if not (gone[3] or off[3] or waits or load):
        return None
    features: dict[str, float | None] = {"waiting": len(waits), "load_next_2h": load}
    features["waiting_minutes"] = mean(waits) if waits else None
    for h in (1, 3):
        features |= {f"departures_{h}h": len(gone[h]), f"cancellations_{h}h": off[h]}
        features[f"dep_delay_{h}h"] = mean(gone[h]) if gone[h] else None
        features[f"dep_late_share_{h}h"] = mean(delay >= 15 for delay in gone[h]) if gone[h] else None
    return features


def seen(what, at, hours: int) -> bool:
    return what is not None and at - hours * HOUR < what <= at


def by_key(rows) -> dict:
    found = {(row.pop("origin"), row.pop("known_at")): row for row in collected(rows)}
    assert len(found) > 1
    return found


def all_expected(flights: list[dict]) -> dict:
    """What each airport should have at each quarter up to as_of."""
    quarters = [NOON - 3 * HOUR + place * QUARTER for place in range(9 * 4 + 1)]
    table = {(origin, at): expected(flights, origin, at) for origin in ("JFK", "EWR", "LGA") for at in quarters}
    return {key: features for key, features in table.items() if features is not None}


@pytest.fixture(scope="module")
def flights(spark):
    return spark.createDataFrame([tuple(f.values()) for f in FLIGHTS], SCHEMA)


@pytest.fixture(scope="module")
def found(flights):
    return by_key(congestion_features(flights, AS_OF))


def test_there_is_a_row_at_each_quarter_that_a_flight_touches(found):
    """And none at an airport without flights, nor later than as_of."""
    assert set(found) == set(all_expected(FLIGHTS))
    assert {origin for origin, _ in found} == {"JFK", "EWR"}
    assert max(at for _, at in found) == AS_OF


@pytest.mark.parametrize(
    "feature",
    [
        *(
            f"{name}_{hours}h"
            for name in ("departures", "dep_delay", "dep_late_share", "cancellations")
            for hours in (1, 3)
        ),
        *("waiting", "waiting_minutes", "load_next_2h"),
    ],
)
def test_a_feature_at_all_quarters(found, feature):
    wanted = {key: features[feature] for key, features in all_expected(FLIGHTS).items()}
    assert {key: row[feature] for key, row in found.items()} == pytest.approx(wanted)


@pytest.mark.parametrize(
    ("clock", "feature", "value"),
    [
        ("12:15", "departures_1h", 3.0),  # at 12:00 twice, and at 12:15
        ("13:00", "departures_1h", 3.0),  # at 12:15, 12:16 and 12:19; those of 12:00 are an hour old
        ("12:15", "dep_late_share_1h", 1 / 3),
        ("12:45", "cancellations_1h", 1.0),
        ("14:00", "cancellations_1h", 0.0),
        ("15:45", "waiting", 1.0),  # the flight of 12:30 has been waited for three hours and more
        ("18:00", "waiting_minutes", 60.0),
        ("10:00", "load_next_2h", 2.0),
    ],
)
def test_figures_that_were_counted_by_hand(found, clock, feature, value):
    assert found["JFK", moment(f"2013-05-01 {clock}")][feature] == pytest.approx(value)


@pytest.mark.parametrize("clock", ["14:00", "14:07", "12:45"])
def test_what_is_later_than_as_of_changes_nothing(flights, found, clock):
    """As of 14:00, a departure of 15:50 has not happened."""
    early = moment(f"2013-05-01 {clock}")
    assert by_key(congestion_features(flights, early)) == {key: row for key, row in found.items() if key[1] <= early}
