"""A source that keeps states keeps each one that a row has had, from when it landed on."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from feature_engineering.contracts import TEXT, WHOLE, between, column, contract_of
from feature_engineering.definitions import Reading, Source
from feature_engineering.fill import Orders, bring_source
from feature_engineering.progress import Progress
from project.config import load_config
from project.tables import Tables
from tests.sources import send
from tests.unit.tables import changed_rows, collected, moment

pytestmark = pytest.mark.homes("local", "connect", reason="Spark and the test share a folder")

CONFIG = load_config()
START = CONFIG.history_start
MONDAY, TUESDAY, WEDNESDAY, THURSDAY = (moment(f"2024-07-0{day}") for day in range(1, 5))
PLACES = contract_of(
    "places",
    ("place",),
    {
        "place": column(TEXT),
        "floors": column(WHOLE, between(1, 90), nullable=True),
        "seats": column(WHOLE, nullable=True),
    },
)


def as_they_are(rows, _):
    return rows


SOURCE = Source(PLACES, key=("place",), rows=as_they_are, keeps_states=True)
LANDED = {
    MONDAY: [("same", "2", "150"), ("back", "2", "150"), ("gone", "", "")],
    TUESDAY: [("same", "2", "150"), ("back", "2", "160"), ("new", "2", "20")],
    WEDNESDAY: [("same", "2", "150"), ("back", "2", "150"), ("new", "0", "20")],  # one can't be without a floor
    THURSDAY: [("same", "2", "150"), ("back", "", "150"), ("new", "2", "20")],
}
# By place, from when on it has had how many floors and seats.
STATES = {
    "same": {START: (2, 150)},
    "back": {START: (2, 150), TUESDAY: (2, 160), WEDNESDAY: (2, 150), THURSDAY: (None, 150)},
    "gone": {START: (None, None)},  # what a landing leaves out is as it was
    "new": {TUESDAY: (2, 20)},
}


def land(volume, at, rows: list[tuple[str, ...]]) -> None:
    send(volume, "places", at, PLACES.types, *(dict(zip(PLACES.types, row, strict=True)) for row in rows))


@pytest.fixture
def tables(home, spark) -> Iterator[Tables]:
    with home.schema(spark, "states") as tables:
        yield tables


@pytest.fixture
def bring(spark, tables, tmp_path) -> Callable[..., dict[str, dict[Any, tuple]]]:
    """Brings the table to a moment, and gives the states it has."""
    for at, rows in LANDED.items():
        land(tmp_path, at, rows)

    def to(as_of, *rebuild: str) -> dict[str, dict[Any, tuple]]:
        progress, orders = Progress(spark, tables), Orders(rebuild, "refuse", CONFIG.source.fill_piece)
        bring_source(SOURCE, tmp_path, as_of, orders, progress, Reading(spark, tables, CONFIG))
        progress.save()
        states: dict[str, dict[Any, tuple]] = {}
        rows = collected(spark.table(tables.named("places")))
        for row in rows:
            states.setdefault(row["place"], {})[row["known_at"]] = (row["floors"], row["seats"])
        assert sum(map(len, states.values())) == len(rows)
        return states

    return to


def known_by(as_of) -> dict[str, dict[Any, tuple]]:
    states = {place: {at: state for at, state in had.items() if at <= as_of} for place, had in STATES.items()}
    return {place: had for place, had in states.items() if had}


def test_states_add_up_landing_by_landing(bring):
    for as_of in LANDED:
        assert bring(as_of) == known_by(as_of)


@pytest.mark.parametrize("first", [MONDAY, TUESDAY])
def test_landings_that_are_read_at_once_give_the_same_states(bring, first):
    assert bring(first) == known_by(first)
    assert bring(THURSDAY) == STATES


def test_all_that_ever_landed_gives_the_same_states_again(spark, tables, bring):
    assert bring(THURSDAY) == STATES
    with changed_rows(spark, tables.named("places")) as changed:
        assert bring(THURSDAY, "places") == STATES
    assert changed == {tables.named("places"): 0}


def test_a_landing_without_news_brings_no_row(spark, tables, bring, tmp_path):
    assert bring(THURSDAY) == STATES
    friday = moment("2024-07-05")
    land(tmp_path, friday, LANDED[THURSDAY])
    with changed_rows(spark, tables.named("places")) as changed:
        assert bring(friday) == STATES
    assert changed == {tables.named("places"): 0}
    assert {row["ingested_as_of"] for row in collected(spark.table(tables.named("places")))} == {THURSDAY}
