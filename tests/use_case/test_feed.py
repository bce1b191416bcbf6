"""The sample's feed holds back what was not yet known, and lands each piece of news once."""

import zipfile
from datetime import timedelta
from functools import reduce

import pytest
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from feature_engineering.landing import landed_folders, read_landed
from tests.unit.tables import collected, moment
from use_case.feed import known_flights, known_weather, land_sample, sample_folder

shares_a_folder = pytest.mark.homes("local", "connect", reason="Spark and the test share a folder")

AHEAD = timedelta(hours=24)
MINUTE, SECOND = timedelta(minutes=1), timedelta(seconds=1)
SCHEMA = (
    "year int, month int, day int, dep_time int, sched_dep_time int, dep_delay int, arr_time int, sched_arr_time int, "
    "arr_delay int, carrier string, flight int, tailnum string, origin string, dest string, air_time int, "
    "distance int, hour int, minute int, time_hour timestamp"
)
COLUMNS = tuple(column.split()[0] for column in SCHEMA.split(", "))
FATES = ("dep_time", "dep_delay", "arr_time", "arr_delay", "air_time")
# JFK to Boston, scheduled from 12:00 to 13:30 UTC.
NOON, LANDING = moment("2013-07-01 12:00"), moment("2013-07-01 13:30")
START = moment("2013-01-01 00:00")
LATE, CANCELLED, DIVERTED, DIVERTED_LATE, BACKWARDS = 1, 2, 3, 4, 5


def flight(number: int, dep_time, dep_delay, arr_time, arr_delay, air_time, day: int = 1) -> tuple:
    schedule = (2013, 7, day, dep_time, 800, dep_delay, arr_time, 930, arr_delay)
    return (*schedule, "B6", number, "N1", "JFK", "BOS", air_time, 187, 8, 0, NOON + timedelta(days=day - 1))


FLIGHTS = [
    flight(LATE, 830, 30, 1010, 40, 60),  # leaves at 12:30, arrives at 14:10
    flight(CANCELLED, None, None, None, None, None),
    flight(DIVERTED, 805, 5, 1200, None, None),
    flight(DIVERTED_LATE, 1000, 120, 1500, None, None),  # leaves at 14:00, after its scheduled arrival
    flight(BACKWARDS, 1000, 120, 1005, -60, 60),  # would arrive at 12:30, before it leaves at 14:00
]
ASKED = {
    "before it is published": (None, NOON - AHEAD - SECOND),
    "published": (None, NOON - AHEAD),
    "before it leaves": (None, NOON - SECOND),
    "its scheduled departure": (None, NOON),
    "it has left": (None, NOON + 30 * MINUTE),
    "before it arrives": (None, NOON + 130 * MINUTE - SECOND),
    "it has arrived": (None, NOON + 130 * MINUTE),
    "news in the window": (NOON + 5 * MINUTE, NOON + 30 * MINUTE),
    "no news in the window": (NOON + 30 * MINUTE, NOON + 89 * MINUTE),
    "from its publication on": (NOON - AHEAD, NOON - SECOND),
    "until its publication": (NOON - AHEAD - SECOND, NOON - AHEAD),
}


@pytest.fixture(scope="module")
def found(spark):
    """What is known of each flight by question."""
    flights = spark.createDataFrame(FLIGHTS, SCHEMA)
    airports = spark.createDataFrame([("BOS", "America/New_York")], "faa string, tzone string")
    asked = [
        known_flights(flights, airports, since, as_of, AHEAD).withColumn("asked", F.lit(name))
        for name, (since, as_of) in ASKED.items()
    ]
    assert asked[0].columns == [*COLUMNS, "status", "asked"]
    answers: dict[str, dict[int, dict]] = {name: {} for name in ASKED}
    for row in collected(reduce(DataFrame.unionByName, asked)):
        answers[row.pop("asked")][row["flight"]] = row
    return answers


def fate(row: dict) -> tuple:
    return (row["status"], *(row[name] for name in FATES))


UNKNOWN = (None, None, None, None, None)


@pytest.mark.parametrize(
    ("asked", "known"),
    [
        ("published", ("scheduled", *UNKNOWN)),
        ("before it leaves", ("scheduled", *UNKNOWN)),
        ("it has left", ("departed", 830, 30, None, None, None)),
        ("before it arrives", ("departed", 830, 30, None, None, None)),
        ("it has arrived", ("arrived", 830, 30, 1010, 40, 60)),
    ],
)
def test_what_has_not_happened_is_held_back(found, asked, known):
    row = found[asked][LATE]
    assert fate(row) == known
    raw = dict(zip(COLUMNS, FLIGHTS[0], strict=True))
    assert {name: row[name] for name in COLUMNS if name not in FATES} == {
        name: raw[name] for name in COLUMNS if name not in FATES
    }


def test_a_schedule_is_known_a_day_ahead(found):
    assert found["before it is published"] == {}
    assert set(found["published"]) == {LATE, CANCELLED, DIVERTED, DIVERTED_LATE, BACKWARDS}


def test_a_cancellation_is_known_at_the_scheduled_departure(found):
    assert fate(found["before it leaves"][CANCELLED]) == ("scheduled", *UNKNOWN)
    assert fate(found["its scheduled departure"][CANCELLED]) == ("cancelled", *UNKNOWN)


def test_a_diversion_is_known_at_the_scheduled_arrival_or_the_departure(found):
    assert fate(found["it has left"][DIVERTED]) == ("departed", 805, 5, None, None, None)
    assert fate(found["before it arrives"][DIVERTED]) == ("diverted", 805, 5, 1200, None, None)
    assert fate(found["no news in the window"].get(DIVERTED, {"status": None} | dict.fromkeys(FATES))) == (
        *(None,),
        *UNKNOWN,
    )
    assert fate(found["it has left"][DIVERTED_LATE]) == ("scheduled", *UNKNOWN)
    assert fate(found["before it arrives"][DIVERTED_LATE]) == ("diverted", 1000, 120, 1500, None, None)


def test_no_flight_arrives_before_it_leaves(found):
    assert fate(found["it has left"][BACKWARDS]) == ("scheduled", *UNKNOWN)
    assert fate(found["before it arrives"][BACKWARDS])[0] == "arrived"


def test_a_window_holds_its_end_and_not_its_beginning(found):
    assert set(found["news in the window"]) == {LATE}  # the diverted one left at its beginning
    assert found["no news in the window"] == {}
    assert found["from its publication on"] == {}
    assert len(found["until its publication"]) == len(FLIGHTS)


def test_an_observation_is_known_when_its_hour_has_ended(spark):
    hours = [("JFK", NOON + n * 60 * MINUTE) for n in range(-2, 2)]
    weather = spark.createDataFrame(hours, "origin string, time_hour timestamp")
    assert [row["time_hour"] for row in collected(known_weather(weather, NOON - 60 * MINUTE, NOON + 60 * MINUTE))] == [
        NOON - 60 * MINUTE,
        NOON,
    ]


FILES = {
    "airports.csv": "faa,name,tzone\nBOS,Logan,America/New_York\nXXX,Nowhere,NA\n",
    "planes.csv": "tailnum,year\nN1,NA\nN2,1999\n",
    "weather.csv": "origin,year,month,day,temp,time_hour\nJFK,2013,7,1,70.5,2013-07-01T11:00:00Z\n",
}


def text_of(row: tuple) -> str:
    cells = ["NA" if value is None else value for value in row[:-1]]
    return ",".join(map(str, [*cells, f"{row[-1]:%Y-%m-%dT%H:%M:%SZ}"]))


@pytest.fixture
def source(tmp_path):
    """A source folder: yesterday's news, and a flight of next week."""
    folder = tmp_path / "source"
    folder.mkdir()
    for name, text in FILES.items():
        (folder / name).write_text(text)
    rows = [*FLIGHTS[:2], flight(LATE, 830, 30, 1010, 40, 60, day=9)]
    with zipfile.ZipFile(folder / "flights.csv.zip", "w") as archive:
        archive.writestr("flights.csv", "\n".join([",".join(COLUMNS), *map(text_of, rows)]))
    return folder


@shares_a_folder
def test_news_lands_once(spark, source, tmp_path):
    landing = tmp_path / "landing"

    def landed(name, since, as_of, *columns):
        folders = landed_folders(landing, name, since, as_of)
        return [tuple(row.values()) for row in collected(read_landed(spark, folders, columns))] if folders else None

    land_sample(spark, source, landing, None, NOON, AHEAD, START)
    flights = landed("flights", None, NOON, "flight", "status", "dep_delay", "time_hour")
    assert [row[:3] for row in flights] == [("1", "scheduled", None), ("2", "cancelled", None)]
    assert {moment(row[3].removesuffix("Z")[:16].replace("T", " ")) for row in flights} == {NOON}
    assert landed("weather", None, NOON, "origin", "temp") == [("JFK", "70.5", NOON)]
    assert landed("planes", None, NOON, "tailnum", "year") == [("N1", None, NOON), ("N2", "1999", NOON)]
    assert landed("airports", None, NOON, "faa", "tzone") == [
        ("BOS", "America/New_York", NOON),
        ("XXX", None, NOON),
    ]
    later = NOON + 60 * MINUTE
    land_sample(spark, source, landing, NOON, later, AHEAD, START)
    assert landed("flights", NOON, later, "flight", "status", "dep_delay") == [("1", "departed", "30", later)]
    assert landed("weather", NOON, later, "origin") == []
    assert landed("planes", NOON, later, "tailnum") is None


@shares_a_folder
@pytest.mark.parametrize(("start", "lands"), [("2013-07-01 00:00", True), ("2013-07-02 00:00", False)])
@pytest.mark.parametrize("since", [None, NOON - 60 * MINUTE])
def test_nothing_lands_of_the_days_before_the_history_starts(spark, source, tmp_path, start, lands, since):
    as_of = NOON + 60 * MINUTE
    land_sample(spark, source, tmp_path, since, as_of, AHEAD, moment(start))
    for name, column in (("flights", "flight"), ("weather", "origin")):
        folders = landed_folders(tmp_path, name, since, as_of)
        assert bool(collected(read_landed(spark, folders, (column,)))) is lands


@shares_a_folder
@pytest.mark.parametrize("name", ["flights.csv.zip", "weather.csv", "airports.csv", "planes.csv"])
def test_a_missing_source_file_is_named(spark, source, tmp_path, name):
    (source / name).unlink()
    with pytest.raises(FileNotFoundError, match=name):
        land_sample(spark, source, tmp_path / "landing", None, NOON, AHEAD, START)


def test_the_sample_is_found():
    assert {file.name for file in sample_folder().iterdir()} >= {"flights.csv.zip", *FILES}
