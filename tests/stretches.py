"""A stretch of time computed from what reach and ahead let through, beside what the whole computation has there."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import reduce
from itertools import pairwise
from random import Random
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from feature_engineering.definitions import Definition
from tests.unit.tables import collected

_MICROSECOND = timedelta(microseconds=1)
# In place of a reach that is for ever.
_OF_ANY_AGE = timedelta(days=300)
Rows = list[dict[str, Any]]


def whole(definition: Definition, inputs: dict[str, DataFrame], as_of: datetime) -> Rows:
    """All rows of a table, in order."""
    return _in_order(collected(definition.compute(inputs[definition.of.table], as_of)), definition)


def stretch_by_stretch(definition: Definition, inputs: dict[str, DataFrame], rows: Rows, as_of: datetime) -> Rows:
    """The same in stretches with edges among the moments of rows, each from the input rows that may count there."""
    moment_of, known_at = F.col(definition.of.moment), F.col("known_at")
    parts = []
    for start, end in pairwise(_edges(rows, as_of)):
        given = inputs[definition.of.table].filter(moment_of < F.lit(end + definition.ahead))
        if definition.reach is not None:
            given = given.filter(moment_of >= F.lit(start - definition.reach))
        computed = definition.compute(given, as_of)
        parts.append(computed.filter((known_at >= F.lit(start)) & (known_at < F.lit(end))))
    return _in_order(collected(reduce(DataFrame.unionByName, parts)), definition)


def shorter(definitions: Iterable[Definition]) -> list[tuple[str, dict[str, timedelta]]]:
    """The tables' names with a reach that is too short, and with an ahead: of what a table has at all."""
    reaches = ((one.name, one.reach or _OF_ANY_AGE) for one in definitions if one.reach != timedelta(0))
    return [
        *((name, {"reach": reach * 0.8}) for name, reach in reaches),
        *((one.name, {"ahead": one.ahead * 0.4}) for one in definitions if one.ahead),
    ]


def _in_order(rows: Rows, definition: Definition) -> Rows:
    key = [*definition.primary_key, "known_at"]
    return sorted(rows, key=lambda row: [str(row[name]) for name in key])


def _edges(rows: Rows, as_of: datetime) -> list[datetime]:
    """From the first row to as_of: exactly at rows, and right behind them."""
    moments = [row["known_at"] for row in rows]
    some = Random(8).choices(moments, k=14)  # noqa: S311 (no secret)
    return sorted({min(moments), *some[:7], *(at + _MICROSECOND for at in some[7:]), as_of + _MICROSECOND})
