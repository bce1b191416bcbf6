"""Steps of a grid."""

from datetime import timedelta

from pyspark.sql import functions as F

from tests.unit.tables import collected, moment
from use_case.grid import minutes_later, next_step, steps

MIDNIGHT = moment("2013-05-01")
MINUTE = timedelta(minutes=1)


def test_the_next_step_is_not_before_the_moment(spark):
    cases = {
        moment("2013-05-01 12:00"): moment("2013-05-01 12:00"),
        moment("2013-05-01 12:00:01"): moment("2013-05-01 12:15"),
        moment("2013-05-01 12:15"): moment("2013-05-01 12:15"),
        moment("2013-05-01 23:46"): moment("2013-05-02 00:00"),
        moment("2013-03-10 06:59"): moment("2013-03-10 07:00"),  # New York's clocks change at 7: the grid does not
    }
    rows = spark.createDataFrame([(at,) for at in cases], "at timestamp").select(
        "at", next_step(F.col("at"), 15).alias("s")
    )
    assert {row["at"]: row["s"] for row in collected(rows)} == cases


def test_steps_are_there_from_first_to_last(spark):
    rows = [("both ends", 0, 30), ("between", 0, 29), ("one", 0, 0), ("none", 1, 0), ("no last", 0, None)]
    moments = [(n, MIDNIGHT + a * MINUTE, None if b is None else MIDNIGHT + b * MINUTE) for n, a, b in rows]
    frame = spark.createDataFrame(moments, "name string, first timestamp, last timestamp")
    found: dict[str, list[int]] = {}
    for row in collected(frame.select("name", steps(F.col("first"), F.col("last"), 15).alias("at"))):
        found.setdefault(row["name"], []).append((row["at"] - MIDNIGHT) // MINUTE)
    assert {name: sorted(at) for name, at in found.items()} == {
        "both ends": [0, 15, 30],
        "between": [0, 15],
        "one": [0],
    }


def test_minutes_go_both_ways(spark):
    moved = spark.range(1).select(
        minutes_later(F.lit(MIDNIGHT), 90).alias("later"), minutes_later(F.lit(MIDNIGHT), -90).alias("earlier")
    )
    assert collected(moved) == [{"later": moment("2013-05-01 01:30"), "earlier": moment("2013-04-30 22:30")}]
