"""What lands goes to bronze, typed, or to quarantine with the reason."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pandera.pandas as pa
import pytest
from pyspark.sql import functions as F

from feature_engineering.bronze import read_source
from feature_engineering.contract_check import refusals
from feature_engineering.contracts import (
    MOMENT,
    NUMBER,
    TEXT,
    WHOLE,
    between,
    clock,
    column,
    contract_of,
    day_in_month,
    one_of,
    time_zone,
)
from feature_engineering.definitions import Reading, Source
from feature_engineering.fill import Orders, bring_source
from feature_engineering.landing import landed_folders, landing_folder
from feature_engineering.progress import Progress
from project.config import load_config
from project.tables import Tables
from tests.sources import send
from tests.unit.tables import changed_rows, collected, moment

pytestmark = pytest.mark.homes("local", "connect", reason="Spark and the test share a folder")

CONFIG = load_config()
MONDAY, TUESDAY, WEDNESDAY = moment("2024-07-01"), moment("2024-07-02"), moment("2024-07-03")


def is_paid() -> pa.Check:
    return pa.Check(
        lambda rows: (rows["status"] != "paid") | rows["price"].notna(), error="price: missing of a paid one"
    )


def as_they_are(rows, _):
    return rows


def refuse_of_unknown_places(judged, reading):
    places = reading.spark.table(reading.tables.named("places")).select("place", F.lit(True).alias("is_known"))
    marked = judged.join(places, "place", "left")
    reason = F.coalesce("reason", F.when(F.col("is_known").isNull(), "place: it is unknown"))
    is_newest = F.col("is_newest") & F.col("is_known").isNotNull()
    return marked.withColumns({"reason": reason, "is_newest": is_newest}).select(*judged.columns)


PLACES = contract_of(
    "places",
    ("place",),
    {
        "place": column(TEXT),
        "zone": column(TEXT, time_zone(), nullable=True),
        "floors": column(WHOLE, between(1, 90), nullable=True),
    },
)
VISITS = contract_of(
    "visits",
    ("year", "month", "day", "visit"),
    {
        "year": column(WHOLE, between(1990, 2100)),
        "month": column(WHOLE, between(1, 12)),
        "day": column(WHOLE, between(1, 31)),
        "visit": column(WHOLE, between(1, 9999)),
        "place": column(TEXT),
        "arrives": column(WHOLE, clock()),
        "booked_at": column(MOMENT),
        "price": column(NUMBER, between(-60, 130), nullable=True),
        "status": column(TEXT, one_of(("open", "paid"))),
    },
    day_in_month(),
    is_paid(),
)
SOURCES = {
    "places": Source(PLACES, key=("place",), rows=as_they_are),
    "visits": Source(
        VISITS,
        key=VISITS.key,
        rows=as_they_are,
        judge_more=refuse_of_unknown_places,
        after=("places",),
        is_due_each_run=True,
    ),
}
PLACE = {"place": "here", "zone": "America/New_York", "floors": "2"}
VISIT = {
    "year": "2024",
    "month": "7",
    "day": "1",
    "visit": "1",
    "place": "here",
    "arrives": "805",
    "booked_at": "2024-07-01T11:00:00.000Z",
    "price": "70.5",
    "status": "open",
}
LANDED = {
    MONDAY: {
        "places": [
            PLACE,
            PLACE,
            PLACE | {"place": "there", "zone": "", "floors": ""},
            PLACE | {"place": "", "floors": "x"},
            PLACE | {"place": "Mars", "zone": "Mars/Olympus"},
            PLACE | {"place": "nowhere", "floors": "0"},
        ],
        "visits": [VISIT, VISIT | {"visit": "2"}],
    },
    TUESDAY: {
        "visits": [
            VISIT | {"price": "71.5", "status": "paid"},
            VISIT | {"visit": "2", "price": "131"},  # the one that landed before stays
            *[VISIT | {"visit": "3"}] * 3,
            VISIT | {"visit": "03", "month": "07"},  # the same one, written otherwise
            VISIT | {"visit": "4", "place": "elsewhere"},
            VISIT | {"visit": "5", "place": "Mars"},  # its own row was refused
            VISIT | {"visit": "6x"},
            VISIT | {"visit": "7", "price": "70F"},
            VISIT | {"visit": "8", "arrives": "2375"},
            VISIT | {"visit": "9", "month": "x", "day": "40", "place": "", "status": "gone"},
            VISIT | {"visit": "10", "month": "6", "day": "31"},
            VISIT | {"visit": "11", "booked_at": "07/01/2024 11:00"},
            VISIT | {"visit": "12", "price": "", "status": "paid"},
            VISIT | {"visit": "13", "price": "", "booked_at": "2024-07-01 07:00:00-04:00"},  # as good as any
        ],
    },
}
REFUSED = {
    ("places", "duplicate place"): 1,
    ("places", "floors: not of its type; place: missing"): 1,
    ("places", "zone: not a time zone"): 1,
    ("places", "floors: not in 1 to 90"): 1,
    ("visits", "price: not in -60 to 130"): 1,
    ("visits", "duplicate year, month, day, visit"): 3,
    ("visits", "place: it is unknown"): 2,
    ("visits", "visit: not of its type"): 1,
    ("visits", "price: not of its type"): 1,
    ("visits", "arrives: not a clock time"): 1,
    ("visits", "day: not in 1 to 31; month: not of its type; place: missing; status: not one of open, paid"): 1,
    ("visits", "day: not in its month"): 1,
    ("visits", "booked_at: not of its type"): 1,
    ("visits", "price: missing of a paid one"): 1,
}


def land(volume: Path, source: str, at, *rows: dict[str, str], but: str = "") -> None:
    """Rows as a source lands them, without one column if it is named."""
    send(volume, source, at, [name for name in SOURCES[source].contract.types if name != but], *rows)


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
            land(volume, source, at, *rows)
    check_contract(spark, tables, volume, TUESDAY)
    return volume


def check_contract(spark, tables, volume: Path, as_of, rebuild: tuple[str, ...] = ()) -> None:
    """All sources, in an order that a refresh may take."""
    progress, reading = Progress(spark, tables), Reading(spark, tables, CONFIG)
    orders = Orders(rebuild, "refuse", CONFIG.source.fill_piece)
    for source in SOURCES.values():
        bring_source(source, volume, as_of, orders, progress, reading)
    progress.save()


def in_quarantine(spark, tables) -> dict[tuple[str, str], int]:
    found: dict[tuple[str, str], int] = {}
    for row in collected(spark.table(tables.quarantine)):
        key = row["source"], row["reason"]
        found[key] = found.get(key, 0) + row["occurrences"]
    return found


def visits(spark, tables) -> dict[int, dict]:
    return {row["visit"]: row for row in collected(spark.table(tables.named("visits")))}


@pytest.mark.parametrize(
    ("column", "values", "reasons"),
    [
        ("price", ["131", "70", None], ["not in -60 to 130", None, None]),
        ("price", ["70F", "131", "70", None], ["not of its type", "not in -60 to 130", None, None]),
        ("price", ["131", "inf", "70F"], ["not in -60 to 130"] * 2 + ["not of its type"]),
        ("status", ["open", None, "gone"], [None, "missing", "not one of open, paid"]),
        ("booked_at", ["2024-07-01 11:00:00", None], [None, "missing"]),
        ("price", [], []),
    ],
)
def test_a_fault_hides_no_other(column, values, reasons):
    rows = pd.DataFrame([VISIT | {column: value} for value in values], columns=list(VISITS.types))
    found = refusals(rows, VISITS)
    assert list(found) == [None if reason is None else f"{column}: {reason}" for reason in reasons]


def test_a_check_that_fails_itself_lets_nothing_through():
    broken = pa.Check(lambda values: values.no_such_thing, error="broken")
    contract = replace(VISITS, schema=VISITS.schema.update_column("price", checks=[broken]))
    with pytest.raises(ValueError, match="visits could not be checked: price: broken"):
        refusals(pd.DataFrame([VISIT]), contract)


def test_every_fault_is_named_and_counted(spark, tables, checked):
    assert in_quarantine(spark, tables) == REFUSED


def test_a_refused_row_is_kept_as_it_landed(spark, tables, checked):
    (row,) = collected(spark.table(tables.quarantine).filter("reason LIKE 'arrives%'"))
    assert json.loads(row["row"]) == VISIT | {"visit": "8", "arrives": "2375"}
    assert row["landed_as_of"] == TUESDAY


def test_the_newest_accepted_row_of_each_key_is_in_bronze(spark, tables, checked):
    found = visits(spark, tables)
    assert set(found) == {1, 2, 3, 13}
    assert found[1] == {
        "year": 2024,
        "month": 7,
        "day": 1,
        "visit": 1,
        "place": "here",
        "arrives": 805,
        "booked_at": moment("2024-07-01 11:00"),
        "price": 71.5,
        "status": "paid",
        "ingested_as_of": TUESDAY,
    }
    assert found[2]["price"] == 70.5
    assert (found[13]["booked_at"], found[13]["price"]) == (moment("2024-07-01 11:00"), None)


def test_what_may_be_missing_is_null(spark, tables, checked):
    found = {row["place"]: (row["zone"], row["floors"]) for row in collected(spark.table(tables.named("places")))}
    assert found == {"here": ("America/New_York", 2), "there": (None, None)}


@pytest.mark.parametrize("rebuild", [(), ("all",)], ids=["nothing is due", "all is read again"])
def test_a_second_run_changes_nothing(spark, tables, checked, rebuild):
    written = (tables.named("visits"), tables.named("places"))
    with changed_rows(spark, *written) as changed:
        check_contract(spark, tables, checked, TUESDAY, rebuild)
    assert in_quarantine(spark, tables) == REFUSED
    assert changed == dict.fromkeys(written, 0)


def test_the_next_landing_alone_is_read(spark, tables, checked):
    """Last, as it brings the tables on."""
    land(checked, "visits", WEDNESDAY, VISIT | {"price": "72.5", "status": "paid"})
    for source in SOURCES:
        (landed_folders(landing_folder(checked), source, None, MONDAY)[0] / "part-0.csv").unlink()
    check_contract(spark, tables, checked, WEDNESDAY)
    found = visits(spark, tables)
    came = {visit: row["ingested_as_of"] for visit, row in found.items()}
    assert came == {1: WEDNESDAY, 2: TUESDAY, 3: TUESDAY, 13: TUESDAY}
    assert found[1]["price"] == 72.5
    assert in_quarantine(spark, tables) == REFUSED


@pytest.mark.parametrize("since", [None, MONDAY])
def test_a_missing_column_stops_it_by_name(spark, tables, tmp_path, since):
    land(tmp_path, "visits", TUESDAY, VISIT, but="price")
    with pytest.raises(ValueError, match=r"'price' is missing .*visits"):
        read_source(SOURCES["visits"], tmp_path, since, TUESDAY, Reading(spark, tables, CONFIG))


@pytest.mark.parametrize(("since", "source"), [(None, "places"), (None, "visits"), (MONDAY, "visits")])
def test_a_source_that_has_not_landed_stops_it_by_name(spark, tables, tmp_path, since, source):
    if since:
        land(tmp_path, source, since, VISIT)  # before the window
    with pytest.raises(FileNotFoundError, match=source):
        read_source(SOURCES[source], tmp_path, since, TUESDAY, Reading(spark, tables, CONFIG))


def test_a_source_that_lands_when_there_is_something_new_may_be_silent(spark, tables, tmp_path):
    land(tmp_path, "places", MONDAY, PLACE)
    assert read_source(SOURCES["places"], tmp_path, MONDAY, TUESDAY, Reading(spark, tables, CONFIG)) is None
