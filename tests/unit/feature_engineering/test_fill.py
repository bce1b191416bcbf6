"""A small source and a table of it, brought up to date: run by run it is what one run makes."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import functions as F

from feature_engineering.contracts import column, contract_of
from feature_engineering.definitions import FeatureTable, Input, Reading, Source
from feature_engineering.fill import Orders, bring, bring_source
from feature_engineering.progress import Progress
from project.config import load_config
from project.tables import Tables
from tests.sources import send
from tests.unit.tables import collected, moment

pytestmark = pytest.mark.homes("local", "connect", reason="Spark and the test share a folder")

MONDAY, TUESDAY = moment("2024-07-01"), moment("2024-07-02")
HOUR = timedelta(hours=1)
READINGS = contract_of(
    "readings",
    ("place", "at"),
    {"place": column("string"), "at": column("timestamp"), "value": column("double", nullable=True)},
)


def as_they_are(rows, _):
    return rows


def doubled(rows, _):
    return rows.withColumn("value", F.col("value") * 2)


def in_the_hour_after(rows, as_of):
    """Each reading counts at once and an hour later."""
    twice = F.explode(F.array(F.col("at"), F.col("at") + F.lit(HOUR)))
    counted = rows.withColumn("known_at", twice).filter(F.col("known_at") <= F.lit(as_of))
    return counted.groupBy("place", "known_at").agg(F.sum("value").alias("total"))


def when_it_is_over(rows, as_of):
    """Each reading counts so many hours later as it says."""
    known_at = F.col("at") + F.make_dt_interval(hours=F.col("value").cast("int"))
    return rows.select("place", known_at.alias("known_at"), F.col("value").alias("total")).filter(
        F.col("known_at") <= F.lit(as_of)
    )


SOURCE = Source(READINGS, key=("place", "at"), rows=as_they_are)
TABLE = FeatureTable("reading_features", ("place",), Input("readings", "at"), in_the_hour_after, reach=HOUR)


@pytest.fixture
def tables(home, spark) -> Iterator[Tables]:
    with home.schema(spark, "filled") as tables:
        yield tables


@pytest.fixture
def run(spark, tables, tmp_path) -> Callable[..., dict[tuple[str, Any], float]]:
    """Brings source and table to a moment, and gives the table's values."""

    def to(
        as_of, *rebuild: str, source: Source = SOURCE, table: FeatureTable = TABLE, piece=timedelta(days=999)
    ) -> dict[tuple[str, Any], float]:
        progress, orders = Progress(spark, tables), Orders(rebuild, "rebuild", piece)
        bring_source(source, tmp_path, as_of, orders, progress, Reading(spark, tables, load_config()))
        bring(spark, tables, table, as_of, orders, progress)
        progress.save()
        rows = collected(spark.table(tables.named(TABLE.name)))
        values = {(row["place"], row["known_at"]): row["total"] for row in rows}
        assert len(values) == len(rows)
        return values

    return to


def land(volume: Path, as_of, *readings: tuple[str, Any, float]) -> None:
    rows = ({"place": place, "at": f"{at:%Y-%m-%dT%H:%M:%SZ}", "value": value} for place, at, value in readings)
    send(volume, "readings", as_of, READINGS.types, *rows)


def expected(as_of, *readings: tuple[str, Any, float]) -> dict[tuple[str, Any], float]:
    totals: dict[tuple[str, Any], float] = {}
    for place, at, value in readings:
        for known_at in (at, at + HOUR):
            if known_at <= as_of:
                totals[place, known_at] = totals.get((place, known_at), 0.0) + value
    return totals


EARLY, LATE = ("a", MONDAY - 9 * HOUR, 1.0), ("a", MONDAY - 8 * HOUR, 5.0)
OTHERS = [("b", MONDAY - HOUR / 2, 2.0), ("b", MONDAY, 3.0)]
NEXT_DAY = [("a", TUESDAY - 2 * HOUR, 4.0), ("b", TUESDAY, 7.0)]


@pytest.mark.parametrize("piece", [timedelta(days=999), timedelta(hours=16)], ids=["at once", "in pieces"])
def test_rows_that_land_late_and_corrections_give_what_one_run_makes(run, tmp_path, piece):
    land(tmp_path, MONDAY, EARLY, *OTHERS)
    assert run(MONDAY, piece=piece) == expected(MONDAY, EARLY, *OTHERS)
    corrected = (*OTHERS[0][:2], 20.0)
    land(tmp_path, TUESDAY, LATE, corrected, *NEXT_DAY)
    known = expected(TUESDAY, EARLY, LATE, corrected, OTHERS[1], *NEXT_DAY)
    assert run(TUESDAY, piece=piece) == known
    assert run(TUESDAY, "all", piece=piece) == known


def test_a_first_landing_without_rows_leaves_all_to_the_next(run, tmp_path):
    land(tmp_path, MONDAY)
    assert run(MONDAY) == {}
    land(tmp_path, TUESDAY, EARLY, *NEXT_DAY)
    assert run(TUESDAY) == expected(TUESDAY, EARLY, *NEXT_DAY)


def test_a_table_that_is_missing_is_filled_for_the_whole_history(spark, tables, run, tmp_path):
    land(tmp_path, MONDAY, EARLY, *OTHERS)
    run(MONDAY)
    spark.sql(f"DROP TABLE {tables.named(TABLE.name)}")
    land(tmp_path, TUESDAY, *NEXT_DAY)
    assert run(TUESDAY) == expected(TUESDAY, EARLY, *OTHERS, *NEXT_DAY)


@pytest.mark.parametrize("as_of", [MONDAY, TUESDAY])
def test_where_bronze_is_made_otherwise_features_follow(run, tmp_path, as_of):
    """Also in a run as of the moment of the one before, as each run of the targets dev and test is."""
    land(tmp_path, MONDAY, EARLY, *OTHERS)
    run(MONDAY)
    twice = [(place, at, 2 * value) for place, at, value in (EARLY, *OTHERS)]
    land(tmp_path, TUESDAY)
    assert run(as_of, source=replace(SOURCE, rows=doubled)) == expected(as_of, *twice)


def test_a_correction_of_the_moment_from_which_a_row_counts_leaves_no_row_at_the_old_one(run, tmp_path):
    """What was known at the moment that was wrong is no longer so."""
    table = replace(TABLE, compute=when_it_is_over, reach=12 * HOUR)
    land(tmp_path, MONDAY, EARLY)
    assert run(MONDAY, table=table) == {("a", EARLY[1] + HOUR): 1.0}
    land(tmp_path, TUESDAY, (*EARLY[:2], 3.0))
    assert run(TUESDAY, table=table) == {("a", EARLY[1] + 3 * HOUR): 3.0}
