"""A label is there once the flight has arrived, and late from exactly 15 minutes on."""

from datetime import timedelta

import pytest

from feature_engineering.labels import new_labels
from tests.unit.tables import collected, moment

FLIGHT = (
    "flight_id string, carrier string, origin string, dest string, status string, arrived_at timestamp, "
    "arr_delay double, ingested_as_of timestamp"
)
BEFORE, SINCE, AS_OF = moment("2013-05-01"), moment("2013-05-02"), moment("2013-05-03")
SECOND = timedelta(seconds=1)


def flight(name, status, arrived_at, delay, ingested=AS_OF):
    return (name, "UA", "JFK", "LAX", status, arrived_at, delay, ingested)


FLIGHTS = [
    flight("14", "arrived", AS_OF - SECOND, 14.0),
    flight("15", "arrived", AS_OF - SECOND, 15.0),
    flight("early", "arrived", AS_OF, -60.0),
    flight("not yet", "departed", None, None),
    flight("after as_of", "arrived", AS_OF + SECOND, 20.0),
    flight("cancelled", "cancelled", None, None),
    flight("diverted", "diverted", None, None),
    flight("seen before", "arrived", BEFORE, 30.0, ingested=SINCE),
    flight("landed late", "arrived", BEFORE, 30.0),
]


@pytest.fixture(scope="module")
def flights(spark):
    return spark.createDataFrame(FLIGHTS, FLIGHT)


def test_a_label_needs_an_arrival(flights):
    found = collected(new_labels(flights, 15, None, AS_OF))
    assert {row["flight_id"]: row["late"] for row in found} == {
        "14": 0.0,
        "15": 1.0,
        "early": 0.0,
        "seen before": 1.0,
        "landed late": 1.0,
    }


def test_a_run_brings_what_has_changed_since(flights):
    found = {row["flight_id"]: row for row in collected(new_labels(flights, 15, SINCE, AS_OF))}
    assert set(found) == {"14", "15", "early", "landed late"}
    assert found["landed late"] == {
        "flight_id": "landed late",
        "carrier": "UA",
        "origin": "JFK",
        "dest": "LAX",
        "known_at": BEFORE,
        "arr_delay": 30.0,
        "late": 1.0,
        "ingested_as_of": AS_OF,
    }
