"""Whether a table's reach and ahead suffice shows where stretches of it are put beside the whole."""

from dataclasses import replace
from datetime import date, timedelta

import pandas as pd
import pytest
from pyspark.sql import DataFrame

from project.config import load_config
from tests.stretches import shorter, stretch_by_stretch, whole
from tests.unit.tables import collected, moment
from use_case.feed import orders_of
from use_case.registry import FEATURE_TABLES, label_table
from use_case.settings import RETURN_PERIOD

LABELS = label_table(load_config())
DEFINITIONS = {one.name: one for one in (LABELS, *FEATURE_TABLES)}
FIRST_DAY, AS_OF, DAYS = date(2024, 1, 1), moment("2024-02-12 13:07"), 45  # the last ones are after as_of


def orders_on(day: date) -> pd.DataFrame:
    """A few orders of a day; one is placed and returned at its first moment, a whole return period ahead."""
    orders, midnight = orders_of(day).head(4), pd.Timestamp(day, tz="UTC")
    first = orders.head(1).assign(ordered_at=midnight, ended_at=midnight, status="closed", refund=0.0)
    return pd.concat([first, orders.iloc[1:]])


@pytest.fixture(scope="module")
def inputs(spark) -> dict[str, DataFrame]:
    orders = pd.concat(orders_on(FIRST_DAY + timedelta(days=number)) for number in range(DAYS))
    orders["closes_at"] = orders["ordered_at"] + RETURN_PERIOD
    given = spark.createDataFrame(orders)
    # As rows: computed anew for each stretch they would take long.
    ended = LABELS.compute(given, AS_OF + timedelta(days=3))
    return {"orders": given, "labels": spark.createDataFrame(pd.DataFrame(collected(ended)), ended.schema)}


@pytest.mark.parametrize("name", DEFINITIONS)
def test_stretches_are_what_the_whole_has_there(inputs, name):
    rows = whole(DEFINITIONS[name], inputs, AS_OF)
    assert stretch_by_stretch(DEFINITIONS[name], inputs, rows, AS_OF) == rows


@pytest.mark.parametrize(("name", "less"), shorter(DEFINITIONS.values()))
def test_a_reach_that_is_too_short_shows(inputs, name, less):
    rows = whole(DEFINITIONS[name], inputs, AS_OF)
    assert stretch_by_stretch(replace(DEFINITIONS[name], **less), inputs, rows, AS_OF) != rows


@pytest.mark.parametrize("name", DEFINITIONS)
def test_what_became_known_after_as_of_changes_nothing(inputs, name):
    early = AS_OF - timedelta(hours=30)
    known = [row for row in whole(DEFINITIONS[name], inputs, AS_OF) if row["known_at"] <= early]
    assert known
    assert whole(DEFINITIONS[name], inputs, early) == known
