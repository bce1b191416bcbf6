"""How a flight ended is there once it is known, and an arrival is late from exactly 15 minutes on."""

from datetime import timedelta

import pytest

from tests.unit.tables import collected, moment
from use_case.labels import labels

FLIGHT = (
    "flight_id string, carrier string, origin string, dest string, status string, sched_dep_at timestamp, "
    "sched_arr_at timestamp, departed_at timestamp, arrived_at timestamp, arr_delay double"
)
AS_OF = moment("2013-05-03")
SECOND, HOUR = timedelta(seconds=1), timedelta(hours=1)
SCHEDULED, LANDS = AS_OF - 4 * HOUR, AS_OF - 2 * HOUR


def flight(name, status, departed_at=None, arrived_at=None, delay=None, scheduled=SCHEDULED, lands=LANDS):
    return (name, "UA", "JFK", "LAX", status, scheduled, lands, departed_at, arrived_at, delay)


FLIGHTS = [
    flight("14", "arrived", SCHEDULED, AS_OF - SECOND, 14.0),
    flight("15", "arrived", SCHEDULED, AS_OF - SECOND, 15.0),
    flight("early", "arrived", SCHEDULED, AS_OF, -60.0),
    flight("not yet", "departed", SCHEDULED),
    flight("to come", "scheduled"),
    flight("after as_of", "arrived", SCHEDULED, AS_OF + SECOND, 20.0),
    flight("cancelled", "cancelled"),
    flight("cancelled at as_of", "cancelled", scheduled=AS_OF),
    flight("cancelled after", "cancelled", scheduled=AS_OF + SECOND),
    flight("diverted", "diverted", SCHEDULED),
    flight("diverted late", "diverted", AS_OF - HOUR),  # leaves after its scheduled arrival
    flight("diverted after", "diverted", SCHEDULED, lands=AS_OF + SECOND),
]
KNOWN = {
    "14": ("arrived", AS_OF - SECOND, 14.0, 0.0),
    "15": ("arrived", AS_OF - SECOND, 15.0, 1.0),
    "early": ("arrived", AS_OF, -60.0, 0.0),
    "cancelled": ("cancelled", SCHEDULED, None, None),
    "cancelled at as_of": ("cancelled", AS_OF, None, None),
    "diverted": ("diverted", LANDS, None, None),
    "diverted late": ("diverted", AS_OF - HOUR, None, None),
}


@pytest.fixture(scope="module")
def found(spark):
    rows = collected(labels(spark.createDataFrame(FLIGHTS, FLIGHT), AS_OF, 15))
    assert len(rows) == len({row["flight_id"] for row in rows})
    return {row["flight_id"]: row for row in rows}


def test_a_label_is_there_once_the_end_of_the_flight_is_known(found):
    assert {
        name: (row["outcome"], row["known_at"], row["arr_delay"], row["late"]) for name, row in found.items()
    } == KNOWN


def test_a_label_says_of_which_flight_it_is(found):
    assert found["15"] == {
        "flight_id": "15",
        "carrier": "UA",
        "origin": "JFK",
        "dest": "LAX",
        "sched_dep_at": SCHEDULED,
        "known_at": AS_OF - SECOND,
        "outcome": "arrived",
        "arr_delay": 15.0,
        "late": 1.0,
    }


def test_what_is_late_is_the_configurations_word(spark):
    rows = collected(labels(spark.createDataFrame(FLIGHTS[:2], FLIGHT), AS_OF, 14))
    assert [row["late"] for row in rows] == [1.0, 1.0]
