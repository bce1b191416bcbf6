"""What lands goes to bronze, typed and in UTC, or to quarantine with the reason."""

import csv
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pandas as pd
import pandera.pandas as pa
import pytest

from feature_engineering.bronze import read_source
from feature_engineering.contract_check import refusals
from feature_engineering.contracts import WEATHER
from feature_engineering.definitions import Reading
from feature_engineering.fill import Orders, bring_source
from feature_engineering.progress import Progress
from feature_engineering.sources import SOURCES
from project.config import load_config
from project.tables import Tables
from tests.unit.tables import changed_rows, collected, moment

pytestmark = pytest.mark.homes("local", "connect", reason="Spark and the test share a folder")

CONFIG = load_config()
SOURCE = {source.name: source for source in SOURCES}
MONDAY, TUESDAY, WEDNESDAY = moment("2013-07-01"), moment("2013-07-02"), moment("2013-07-03")
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
        "weather": [
            OBSERVATION | {"temp": "71.5"},
            OBSERVATION | {"origin": "LGA", "temp": "", "humid": ""},
            OBSERVATION | {"origin": "EWR", "temp": "70F"},
            OBSERVATION | {"origin": "EWR", "humid": "140"},
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


def land(volume: Path, source: str, at, rows: list[dict[str, str]], but: str = "") -> None:
    """Rows as a source lands them, without one column if it is named."""
    folder = volume / "landing" / source / f"as_of={at:%Y%m%dT%H%M%SZ}"
    folder.mkdir(parents=True)
    with (folder / "part-0.csv").open("w", newline="") as file:
        writer = csv.DictWriter(
            file, [name for name in SOURCE[source].contract.types if name != but], extrasaction="ignore"
        )
        writer.writeheader()
        writer.writerows(rows)


@pytest.fixture(scope="module")
def tables(home, spark) -> Iterator[Tables]:
    with home.schema(spark, "contract") as tables:
        yield tables


@pytest.fixture(scope="module")
def checked(spark, tables, tmp_path_factory) -> Path:
    """Two landings, checked at once; the volume."""
    volume = tmp_path_factory.mktemp("volume")
    for at, sources in LANDED.items():
        for source, rows in sources.items():
            land(volume, source, at, rows)
    check_contract(spark, tables, volume, TUESDAY)
    return volume


def check_contract(spark, tables, volume: Path, as_of, rebuild: tuple[str, ...] = ()) -> None:
    """All sources, in an order that a refresh may take."""
    progress, reading = Progress(spark, tables), Reading(spark, tables, CONFIG)
    orders = Orders(rebuild, "refuse", CONFIG.source.fill_piece)
    for source in SOURCES:
        bring_source(source, volume, as_of, orders, progress, reading)
    progress.save()


def in_quarantine(spark, tables) -> dict[tuple[str, str], int]:
    rows = collected(spark.table(tables.quarantine))
    found: dict[tuple[str, str], int] = {}
    for row in rows:
        key = row["source"], row["reason"]
        found[key] = found.get(key, 0) + row["occurrences"]
    return found


@pytest.mark.parametrize(
    ("column", "values", "reasons"),
    [
        ("temp", ["131", "70", None], ["not in -60 to 130", None, None]),
        ("temp", ["70F", "131", "70", None], ["not of its type", "not in -60 to 130", None, None]),
        ("temp", ["131", "inf", "70F"], ["not in -60 to 130"] * 2 + ["not of its type"]),
        ("origin", ["JFK", None, "JFQ"], [None, "missing", "not one of EWR, JFK, LGA"]),
        ("time_hour", ["2013-07-01 11:00:00", None], [None, "missing"]),
        ("temp", [], []),
    ],
)
def test_a_fault_hides_no_other(column, values, reasons):
    rows = pd.DataFrame([dict.fromkeys(WEATHER.types) | OBSERVATION | {column: value} for value in values])
    found = refusals(rows.reindex(columns=list(WEATHER.types)), WEATHER)
    assert list(found) == [None if reason is None else f"{column}: {reason}" for reason in reasons]


def test_a_check_that_fails_itself_lets_nothing_through():
    rows = pd.DataFrame([dict.fromkeys(WEATHER.types) | OBSERVATION]).reindex(columns=list(WEATHER.types))
    broken = pa.Check(lambda values: values.no_such_thing, error="broken")
    schema = WEATHER.schema.update_column("temp", checks=[broken])
    with pytest.raises(ValueError, match="weather could not be checked: temp: broken"):
        refusals(rows, replace(WEATHER, schema=schema))


def test_every_fault_is_named_and_counted(spark, tables, checked):
    assert in_quarantine(spark, tables) == REFUSED


def test_a_refused_row_is_kept_as_it_landed(spark, tables, checked):
    rows = collected(spark.table(tables.quarantine).filter("reason LIKE '%140%' OR reason LIKE 'humid%'"))
    (row,) = rows
    assert json.loads(row["row"]) == OBSERVATION | {"origin": "EWR", "humid": "140"}
    assert row["landed_as_of"] == TUESDAY


def test_the_newest_accepted_row_of_each_flight_is_in_bronze(spark, tables, checked):
    flights = {row["flight"]: row for row in collected(spark.table(tables.flights))}
    assert set(flights) == {1, 2, 3}
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


def test_an_observation_is_known_at_the_end_of_its_hour(spark, tables, checked):
    found = {row["origin"]: row for row in collected(spark.table(tables.weather))}
    assert {origin: row["temp"] for origin, row in found.items()} == {"JFK": 71.5, "LGA": None, "EWR": 70.5}
    assert {row["observed_at"] for row in found.values()} == {moment("2013-07-01 12:00")}


def test_aircraft_and_airports_are_typed(spark, tables, checked):
    planes = {row["tailnum"]: (row["year"], row["seats"]) for row in collected(spark.table(tables.planes))}
    assert planes == {"N1": (1999, 150), "N2": (None, 150)}
    airports = {row["faa"]: (row["lat"], row["tzone"]) for row in collected(spark.table(tables.airports))}
    assert airports == {"BOS": (42.36, "America/New_York"), "NUL": (42.36, None)}


@pytest.mark.parametrize("rebuild", [(), ("all",)], ids=["nothing is due", "all is read again"])
def test_a_second_run_changes_nothing(spark, tables, checked, rebuild):
    written = (tables.flights, tables.weather, tables.planes, tables.airports)
    with changed_rows(spark, *written) as changed:
        check_contract(spark, tables, checked, TUESDAY, rebuild)
    assert in_quarantine(spark, tables) == REFUSED
    assert changed == dict.fromkeys(written, 0)


def test_the_next_landing_alone_is_read(spark, tables, checked):
    """Last: a day without weather, and a flight that has arrived."""
    land(checked, "weather", WEDNESDAY, [])
    arrived = LEFT | {"status": "arrived", "arr_time": "1000", "arr_delay": "-60", "air_time": "50"}
    land(checked, "flights", WEDNESDAY, [FLIGHT | arrived])
    for source in ("airports", "flights"):
        (checked / "landing" / source / "as_of=20130701T000000Z" / "part-0.csv").unlink()
    check_contract(spark, tables, checked, WEDNESDAY)
    flights = {row["flight"]: row for row in collected(spark.table(tables.flights))}
    assert {number: row["ingested_as_of"] for number, row in flights.items()} == {1: WEDNESDAY, 2: TUESDAY, 3: TUESDAY}
    assert flights[1]["status"] == "arrived"
    assert flights[1]["arrived_at"] == flights[1]["departed_at"], "it can't arrive before it leaves"
    assert spark.table(tables.weather).count() == 3
    assert in_quarantine(spark, tables) == REFUSED


@pytest.mark.parametrize("since", [None, MONDAY])
def test_a_missing_column_stops_it_by_name(spark, tables, tmp_path, since):
    land(tmp_path, "weather", TUESDAY, [OBSERVATION], but="visib")
    with pytest.raises(ValueError, match=r"'visib' is missing .*weather"):
        read_source(SOURCE["weather"], tmp_path, since, TUESDAY, Reading(spark, tables, CONFIG))


@pytest.mark.parametrize(
    ("since", "source"), [(None, "airports"), (None, "planes"), (MONDAY, "weather"), (MONDAY, "flights")]
)
def test_a_source_that_has_not_landed_stops_it_by_name(spark, tables, tmp_path, since, source):
    land(tmp_path, "weather", MONDAY, [OBSERVATION])  # before the window
    with pytest.raises(FileNotFoundError, match=source):
        read_source(SOURCE[source], tmp_path, since, TUESDAY, Reading(spark, tables, CONFIG))


def test_a_source_that_lands_when_there_is_something_new_may_be_silent(spark, tables, tmp_path):
    land(tmp_path, "airports", MONDAY, [AIRPORT])
    for source in ("airports", "planes"):
        assert read_source(SOURCE[source], tmp_path, MONDAY, TUESDAY, Reading(spark, tables, CONFIG)) is None
