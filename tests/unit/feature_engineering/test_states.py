"""The aircraft register keeps each state that an aircraft has had, from when it landed on."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from feature_engineering.definitions import Reading
from feature_engineering.fill import Orders, bring_source
from feature_engineering.progress import Progress
from feature_engineering.sources import SOURCES
from project.config import load_config
from project.tables import Tables
from tests.unit.tables import changed_rows, collected, moment

pytestmark = pytest.mark.homes("local", "connect", reason="Spark and the test share a folder")

CONFIG = load_config()
(PLANES,) = (source for source in SOURCES if source.name == "planes")
START = CONFIG.history_start
MONDAY, TUESDAY, WEDNESDAY, THURSDAY = (moment(f"2013-07-0{day}") for day in range(1, 5))
LANDED = {
    MONDAY: ["SAME,1999,,,2,150", "BACK,1999,,,2,150", "GONE,,,,,"],
    TUESDAY: ["SAME,1999,,,2,150", "BACK,1999,,,2,160", "NEW,2013,,,2,20"],
    WEDNESDAY: ["SAME,1999,,,2,150", "BACK,1999,,,2,150", "NEW,2013,,,2,0"],  # one can't be without a seat
    THURSDAY: ["SAME,1999,,,2,150", "BACK,1999,,,,150", "NEW,2013,,,2,20"],
}
# By aircraft, from when on it has had how many engines and seats.
STATES = {
    "SAME": {START: (2, 150)},
    "BACK": {START: (2, 150), TUESDAY: (2, 160), WEDNESDAY: (2, 150), THURSDAY: (None, 150)},
    "GONE": {START: (None, None)},  # what a landing leaves out is as it was
    "NEW": {TUESDAY: (2, 20)},
}


def land(volume: Path, at, lines: list[str]) -> None:
    folder = volume / "landing" / "planes" / f"as_of={at:%Y%m%dT%H%M%SZ}"
    folder.mkdir(parents=True)
    (folder / "part-0.csv").write_text("\n".join(["tailnum,year,manufacturer,model,engines,seats", *lines]))


@pytest.fixture
def tables(home, spark) -> Iterator[Tables]:
    with home.schema(spark, "states") as tables:
        yield tables


@pytest.fixture
def bring(spark, tables, tmp_path) -> Callable[..., dict[str, dict[Any, tuple]]]:
    """Brings the table to a moment, and gives the states it has."""
    for at, lines in LANDED.items():
        land(tmp_path, at, lines)

    def to(as_of, *rebuild: str) -> dict[str, dict[Any, tuple]]:
        progress, orders = Progress(spark, tables), Orders(rebuild, "refuse", CONFIG.source.fill_piece)
        bring_source(PLANES, tmp_path, as_of, orders, progress, Reading(spark, tables, CONFIG))
        progress.save()
        states: dict[str, dict[Any, tuple]] = {}
        rows = collected(spark.table(tables.planes))
        for row in rows:
            states.setdefault(row["tailnum"], {})[row["known_at"]] = (row["engines"], row["seats"])
        assert sum(map(len, states.values())) == len(rows)
        return states

    return to


def known_by(as_of) -> dict[str, dict[Any, tuple]]:
    states = {tail: {at: state for at, state in had.items() if at <= as_of} for tail, had in STATES.items()}
    return {tail: had for tail, had in states.items() if had}


def test_states_add_up_landing_by_landing(bring):
    for as_of in LANDED:
        assert bring(as_of) == known_by(as_of)


@pytest.mark.parametrize("first", [MONDAY, TUESDAY])
def test_landings_that_are_read_at_once_give_the_same_states(bring, first):
    assert bring(first) == known_by(first)
    assert bring(THURSDAY) == STATES


def test_all_that_ever_landed_gives_the_same_states_again(spark, tables, bring):
    assert bring(THURSDAY) == STATES
    with changed_rows(spark, tables.planes) as changed:
        assert bring(THURSDAY, "planes") == STATES
    assert changed == {tables.planes: 0}


def test_a_landing_without_news_brings_no_row(spark, tables, bring, tmp_path):
    assert bring(THURSDAY) == STATES
    friday = moment("2013-07-05")
    land(tmp_path, friday, LANDED[THURSDAY])
    with changed_rows(spark, tables.planes) as changed:
        assert bring(friday) == STATES
    assert changed == {tables.planes: 0}
    assert {row["ingested_as_of"] for row in collected(spark.table(tables.planes))} == {THURSDAY}
