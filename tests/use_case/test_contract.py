"""What lands of flights, weather, aircraft and airports goes to bronze, typed and in UTC, or to quarantine."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from feature_engineering.definitions import Reading
from feature_engineering.fill import Orders, bring_source
from feature_engineering.progress import Progress
from project.config import load_config
from project.tables import Tables
from tests.sources import send
from tests.unit.tables import collected, moment
from use_case.sources import SOURCES

pytestmark = pytest.mark.homes("local", "connect", reason="Spark and the test share a folder")

CONFIG = load_config()
SOURCE = {source.name: source for source in SOURCES}
MONDAY, TUESDAY = moment("2013-07-01"), moment("2013-07-02")
AIRPORT = {"faa": "BOS", "name": "Logan", "lat": "42.36", "lon": "-71.01", "tzone": "America/New_York"}
PLANE = {"tailnum": "N1", "year": "1999", "engines": "2", "seats": "150"}
OBSERVATION = {"origin": "JFK", "time_hour": "2013-07-01T11:00:00.000Z", "temp": "70.5", "humid": "50"}
FLIGHT = {
    "year": "2013",
    "month": "7",
    "day": "1",
    "sched_dep_time": "805",
    "sched_arr_time": "930",
    "carrier": "B6",
    "flight": "1",
    "tailnum": "N1",
    "origin": "JFK",
    "dest": "BOS",
    "distance": "187",
    "hour": "8",
    "minute": "5",
    "time_hour": "2013-07-01T12:00:00.000Z",
    "status": "scheduled",
}
LEFT = {"status": "departed", "dep_time": "835", "dep_delay": "30"}
ARRIVED = LEFT | {"status": "arrived", "arr_time": "1000", "arr_delay": "-60", "air_time": "50"}
LANDED = {
    MONDAY: {
        "airports": [
            AIRPORT,
            AIRPORT | {"faa": "NUL", "tzone": ""},
            AIRPORT | {"faa": "", "lat": "x"},
            AIRPORT | {"faa": "MRS", "tzone": "Mars/Olympus"},
        ],
        "planes": [PLANE, PLANE, PLANE | {"tailnum": "N2", "year": ""}, PLANE | {"tailnum": "N3", "seats": "0"}],
        "weather": [OBSERVATION],
        "flights": [FLIGHT, FLIGHT | {"flight": "2"}],
    },
    TUESDAY: {
        "planes": [PLANE | {"seats": "160"}],
        "weather": [
            OBSERVATION | {"temp": "71.5"},
            OBSERVATION | {"origin": "LGA", "temp": "", "humid": ""},
            OBSERVATION | {"origin": "EWR", "temp": "70F"},
            OBSERVATION | {"origin": "EWR", "humid": "140"},
            OBSERVATION | {"origin": "BOS"},
            OBSERVATION | {"origin": "", "temp": "131", "time_hour": "noon"},
            OBSERVATION | {"origin": "EWR", "time_hour": "07/01/2013 11:00"},
            OBSERVATION | {"origin": "EWR", "time_hour": "2013-07-01 07:00:00-04:00"},  # as good as any
        ],
        "flights": [
            FLIGHT | LEFT,
            FLIGHT | {"flight": "2", "distance": "0"},  # the one that landed before stays
            *[FLIGHT | {"flight": "3"}] * 3,
            FLIGHT | {"flight": "03", "month": "07"},  # the same flight, written otherwise
            FLIGHT | {"flight": "4", "dest": "XXX"},
            FLIGHT | {"flight": "5", "dest": "NUL"},
            FLIGHT | {"flight": "6", "dest": "MRS"},
            FLIGHT | {"flight": "7x"},
            FLIGHT | {"flight": "8", "dep_delay": "5000"},
            FLIGHT | {"flight": "9", "carrier": ""},
            FLIGHT | {"flight": "10", "sched_arr_time": "2375"},
            FLIGHT | {"flight": "11", "month": "x", "day": "40", "origin": "", "dest": "bos"},
            FLIGHT | {"flight": "12", "month": "6", "day": "31"},
            FLIGHT | ARRIVED | {"flight": "13"},
        ],
    },
}
REFUSED = {
    ("airports", "faa: missing; lat: not of its type"): 1,
    ("airports", "tzone: not a time zone"): 1,
    ("planes", "duplicate tailnum"): 1,
    ("planes", "seats: not in 1 to 900"): 1,
    ("weather", "temp: not of its type"): 1,
    ("weather", "humid: not in 0 to 100"): 1,
    ("weather", "origin: not one of EWR, JFK, LGA"): 1,
    ("weather", "origin: missing; temp: not in -60 to 130; time_hour: not of its type"): 1,
    ("weather", "time_hour: not of its type"): 1,
    ("flights", "distance: not in 1 to 15000"): 1,
    ("flights", "duplicate year, month, day, carrier, flight, origin"): 3,
    ("flights", "dest: its time zone is unknown"): 3,
    ("flights", "flight: not of its type"): 1,
    ("flights", "dep_delay: not in -120 to 1440"): 1,
    ("flights", "carrier: missing"): 1,
    ("flights", "sched_arr_time: not a clock time"): 1,
    ("flights", "day: not in 1 to 31; dest: not an airport code; month: not of its type; origin: missing"): 1,
    ("flights", "day: not in its month"): 1,
}


@pytest.fixture(scope="module")
def tables(home, spark) -> Iterator[Tables]:
    with home.schema(spark, "contract") as tables:
        yield tables


@pytest.fixture(scope="module")
def checked(spark, tables, tmp_path_factory) -> None:
    """Two landings, checked at once."""
    volume = tmp_path_factory.mktemp("volume")
    for at, sources in LANDED.items():
        for source, rows in sources.items():
            send(volume, source, at, SOURCE[source].contract.types, *rows)
    progress, reading = Progress(spark, tables), Reading(spark, tables, CONFIG)
    for source in SOURCES:
        bring_source(source, volume, TUESDAY, Orders((), "refuse", CONFIG.source.fill_piece), progress, reading)


def in_quarantine(spark, tables) -> dict[tuple[str, str], int]:
    rows = collected(spark.table(tables.quarantine))
    found: dict[tuple[str, str], int] = {}
    for row in rows:
        key = row["source"], row["reason"]
        found[key] = found.get(key, 0) + row["occurrences"]
    return found


def test_every_fault_is_named_and_counted(spark, tables, checked):
    assert in_quarantine(spark, tables) == REFUSED


def test_the_newest_accepted_row_of_each_flight_is_in_bronze(spark, tables, checked):
    flights = {row["flight"]: row for row in collected(spark.table(tables.named("flights")))}
    assert set(flights) == {1, 2, 3, 13}
    first = flights[1]
    scheduled, half_an_hour = moment("2013-07-01 12:05"), timedelta(minutes=30)
    assert first == first | {
        "flight_id": "B6-1-JFK-2013-07-01",
        "status": "departed",
        "sched_dep_at": scheduled,
        "departed_at": scheduled + half_an_hour,
        "sched_arr_at": moment("2013-07-01 13:30"),
        "arrived_at": None,
        "prediction_at": moment("2013-07-01 10:05"),
        "distance_miles": 187.0,
        "block_minutes": 85.0,
        "departure_minute_of_day": 485.0,
        "departure_weekday": 0.0,
        "dep_delay": 30.0,
        "arr_delay": None,
        "ingested_as_of": TUESDAY,
    }
    assert (flights[2]["status"], flights[2]["distance_miles"]) == ("scheduled", 187.0)
    assert flights[13]["arrived_at"] == flights[13]["departed_at"], "it can't arrive before it leaves"


def test_an_observation_is_known_at_the_end_of_its_hour(spark, tables, checked):
    found = {row["origin"]: row for row in collected(spark.table(tables.named("weather")))}
    assert {origin: row["temp"] for origin, row in found.items()} == {"JFK": 71.5, "LGA": None, "EWR": 70.5}
    assert {row["observed_at"] for row in found.values()} == {moment("2013-07-01 12:00")}


def test_aircraft_keep_their_states_and_airports_are_typed(spark, tables, checked):
    states = collected(spark.table(tables.named("planes")))
    planes = {(row["tailnum"], row["known_at"]): (row["year"], row["seats"]) for row in states}
    start = CONFIG.history_start
    assert planes == {("N1", start): (1999, 150), ("N1", TUESDAY): (1999, 160), ("N2", start): (None, 150)}
    airports = {row["faa"]: (row["lat"], row["tzone"]) for row in collected(spark.table(tables.named("airports")))}
    assert airports == {"BOS": (42.36, "America/New_York"), "NUL": (42.36, None)}
