"""A stretch of time computed from what reach and ahead let through is what the whole computation has there.

Day by day, a stretch is all that is computed; at first and at a rebuild, all of it is, in pieces.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from random import Random
from typing import Any

import pytest
from pyspark.sql import DataFrame

from project.config import load_config
from tests.stretches import shorter, stretch_by_stretch, whole
from tests.unit.tables import collected, moment
from use_case.registry import FEATURE_TABLES, label_table

DEFINITIONS = {one.name: one for one in (label_table(load_config()), *FEATURE_TABLES)}
START, AS_OF = moment("2012-11-20 00:00"), moment("2013-01-05 13:07")
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)

FLIGHT = (
    "flight_id string, carrier string, tailnum string, origin string, dest string, sched_dep_at timestamp, "
    "sched_arr_at timestamp, status string, departed_at timestamp, arrived_at timestamp, dep_delay double, "
    "arr_delay double"
)
OBSERVATION = (
    "origin string, observed_at timestamp, temp double, dewp double, humid double, wind_dir double, "
    "wind_speed double, wind_gust double, precip double, pressure double, visib double"
)
PLANE = "tailnum string, known_at timestamp, year int, seats int, engines int"
LABEL = (
    "flight_id string, carrier string, origin string, dest string, sched_dep_at timestamp, known_at timestamp, "
    "outcome string, arr_delay double, late double"
)
# Every other flight is as early or as late as the contract lets a flight be.
DELAYS = (-120, -3, 14, 15, 200, 1440)
STATUSES = (*["arrived"] * 8, "departed", "cancelled", "diverted", "scheduled")


def flights() -> Iterator[tuple[Any, ...]]:
    """Ten a day, at night too, and some that leave after as_of."""
    random = Random(5)  # noqa: S311 (no secret)
    for number in range(480):
        scheduled = START + number * DAY / 10 + random.randrange(140) * MINUTE
        lands = scheduled + random.choice([30, 24 * 60]) * MINUTE
        status, dep_delay = random.choice(STATUSES), float(random.choice(DELAYS))
        arr_delay = float(min(dep_delay + random.choice([-30, 20]), 1440))
        if number % 10 == 0:  # lands at midnight, two hours before it should leave
            scheduled, status, dep_delay, arr_delay = START + number * DAY / 10 + 2 * HOUR, "arrived", -120.0, -150.0
            lands = scheduled + 30 * MINUTE
        has_left, has_arrived = status in {"arrived", "departed", "diverted"}, status == "arrived"
        departed = scheduled + dep_delay * MINUTE
        yield (
            *(f"flight {number}", random.choice(["AA", "UA"]), random.choice(["N1", "N2", "N3", None])),
            *(random.choice(["EWR", "JFK"]), random.choice(["BOS", "LAX"]), scheduled, lands, status),
            *(departed if has_left else None, max(departed, lands + arr_delay * MINUTE) if has_arrived else None),
            *(dep_delay if has_left else None, arr_delay if has_arrived else None),
        )


def observations() -> Iterator[tuple[Any, ...]]:
    """Two days of each hour, but a fifth of the hours, and of the readings, are missing."""
    random = Random(6)  # noqa: S311 (no secret)
    for origin in ("EWR", "JFK"):
        for hour in range(48):
            if random.random() < 0.8:
                readings = [random.choice([None, *range(1, 5)]) for _ in range(9)]
                precip = random.choice([0.0, 0.01, 0.13, None])
                values = [None if value is None else value * 1.1 for value in readings]
                yield (origin, AS_OF.replace(minute=0) + (hour - 45) * HOUR, *values[:6], precip, *values[7:])


def states() -> Iterator[tuple[Any, ...]]:
    """What the register has said of four aircraft; of one it changes at the first moment of a year."""
    random = Random(7)  # noqa: S311 (no secret)
    for tailnum in ("N1", "N2", "N3"):
        for known_at in sorted(random.sample(range(365 * 4), 4)):
            yield (tailnum, moment("2009-02-01") + known_at * DAY, random.choice([None, 1999, 2012]), known_at, 2)
    yield ("N4", moment("2010-01-01"), 2011, None, None)
    yield ("N4", moment("2012-01-01"), 2009, 20, 1)


@pytest.fixture(scope="module")
def inputs(spark) -> dict[str, DataFrame]:
    given = spark.createDataFrame(list(flights()), FLIGHT)
    # As rows: computed anew for each stretch they would take long.
    ended = [tuple(row.values()) for row in collected(label_table(load_config()).compute(given, AS_OF + 3 * DAY))]
    return {
        "flights": given,
        "labels": spark.createDataFrame(ended, LABEL),
        "weather": spark.createDataFrame(list(observations()), OBSERVATION),
        "planes": spark.createDataFrame(list(states()), PLANE),
    }


@pytest.mark.parametrize("name", DEFINITIONS)
def test_stretches_are_what_the_whole_has_there(inputs, name):
    rows = whole(DEFINITIONS[name], inputs, AS_OF)
    assert stretch_by_stretch(DEFINITIONS[name], inputs, rows, AS_OF) == rows


@pytest.mark.parametrize(("name", "less"), shorter(DEFINITIONS.values()))
def test_a_reach_that_is_too_short_would_show(inputs, name, less):
    """That the rows above are such that each table's reach and ahead count."""
    rows = whole(DEFINITIONS[name], inputs, AS_OF)
    assert stretch_by_stretch(replace(DEFINITIONS[name], **less), inputs, rows, AS_OF) != rows


@pytest.mark.parametrize("name", DEFINITIONS)
def test_what_became_known_after_as_of_changes_nothing(inputs, name):
    early = AS_OF - 30 * HOUR - MINUTE
    known = [row for row in whole(DEFINITIONS[name], inputs, AS_OF) if row["known_at"] <= early]
    assert known
    assert whole(DEFINITIONS[name], inputs, early) == known
