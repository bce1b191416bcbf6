"""Two versions of a table, row by row: what differs, by column, with the keys of the rows."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from reprlib import Repr
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

ALL_FLOATS = "*"
_EXAMPLES = 3
_SHORT = Repr(maxstring=120, maxother=120, maxlist=6, maxdict=8)


@dataclass(frozen=True)
class Rule:
    """How the values of a column are compared; by default all are equal, and floats but for rounding.

    Attributes:
        reason: why the column needs a rule of its own.
        relative: how far two numbers may be apart, as a share of one of them; so nothing is near 0 but 0.
        ignored: whether any two values will do, NULL too.
        read: gives what is compared of a value.
    """

    reason: str = ""
    relative: float = 1e-12
    ignored: bool = False
    read: Callable[[Any], Any] | None = None


EQUAL = Rule()


@dataclass(frozen=True)
class Rules:
    """How the versions of a table are compared.

    Attributes:
        keys: the columns that name a row; by default all that hold no floats and are not ignored.
        columns: rules by column; that of `ALL_FLOATS` is for floats without one of their own.
    """

    keys: Sequence[str] = ()
    columns: Mapping[str, Rule] = field(default_factory=dict)

    def of(self, column: pa.Field) -> Rule:
        """The rule of a column."""
        others = self.columns.get(ALL_FLOATS, EQUAL) if _has_floats(column.type) else EQUAL
        return self.columns.get(column.name, others)

    def keys_of(self, schema: pa.Schema) -> list[str]:
        """The columns that name a row."""
        natural = (one.name for one in schema if not _has_floats(one.type) and not self.of(one).ignored)
        return list(self.keys or natural)


@dataclass(frozen=True)
class Difference:
    """One way in which the versions differ.

    Attributes:
        table: whose versions they are.
        column: where they differ; empty where it is about whole rows.
        what: what is different.
        rows: how many rows are; 0 where it is not about rows.
        examples: the first of them.
    """

    table: str
    column: str
    what: str
    rows: int = 0
    examples: tuple[str, ...] = ()

    def __str__(self) -> str:
        """A line, and one for each example."""
        where = f"{self.table}.{self.column}" if self.column else self.table
        number = f" in {self.rows:,} {'row' if self.rows == 1 else 'rows'}" if self.rows else ""
        return "\n    ".join([f"{where}: {self.what}{number}", *self.examples])


def compare(table: str, sides: Mapping[str, pa.Table], rules: Rules) -> list[Difference]:
    """All differences between two versions of a table.

    Args:
        table: its name.
        sides: the two versions by their names.
        rules: how they are compared.
    """
    a, b = sides.values()
    found = list(_compare_columns(table, sides))
    common = [one for one in a.schema if one.name in b.column_names and b.schema.field(one.name).type == one.type]
    keys = rules.keys_of(pa.schema(common))
    if not keys or not {one.name for one in common}.issuperset(keys):
        return [*found, Difference(table, "", f"rows are not compared: both sides need the same keys {keys}")]
    counts, places = _match(a, b, keys)
    found += _compare_keys(table, sides, keys, counts, places)
    is_matched = (counts == 1).all(axis=0)
    matched = {side: rows.take(at[is_matched]) for (side, rows), at in zip(sides.items(), places, strict=True)}
    for one in common:
        if one.name not in keys and not rules.of(one).ignored:
            found += _compare_values(table, one.name, matched, keys, rules.of(one))
    return found


def _compare_columns(table: str, sides: Mapping[str, pa.Table]) -> Iterator[Difference]:
    """Columns that one side alone has, and columns of different types."""
    (side_a, a), (side_b, b) = sides.items()
    for name in dict.fromkeys([*a.column_names, *b.column_names]):
        if name not in a.column_names or name not in b.column_names:
            yield Difference(table, name, f"only {side_a if name in a.column_names else side_b} has the column")
        elif not a.schema.field(name).equals(b.schema.field(name)):
            types = (f"{side} {_type(rows.schema.field(name))}" for side, rows in sides.items())
            yield Difference(table, name, f"the types differ: {', '.join(types)}")


def _match(a: pa.Table, b: pa.Table, keys: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """For each key, in order: how many rows of either side have it, and where the last of them is."""
    both = pa.concat_tables([a.select(keys), b.select(keys)], promote_options="permissive")
    frame = pd.DataFrame({name: _hashable(both[name]) for name in keys})
    numbers = frame.groupby(list(keys), dropna=False).ngroup().to_numpy()
    of_sides = numbers[: a.num_rows], numbers[a.num_rows :]
    size = int(numbers.max(initial=-1)) + 1
    counts = np.array([np.bincount(one, minlength=size) for one in of_sides])
    places = np.full((2, size), -1)
    for place, one in zip(places, of_sides, strict=True):
        place[one] = np.arange(one.size)
    return counts, places


def _compare_keys(
    table: str, sides: Mapping[str, pa.Table], keys: Sequence[str], counts: np.ndarray, places: np.ndarray
) -> Iterator[Difference]:
    """Rows that one side alone has, and keys that a side has more than once."""
    for (side, rows), own, other, place in zip(sides.items(), counts, counts[::-1], places, strict=True):
        lacking, repeated = (own > 0) & (other == 0), own > 1
        for what, which in ((f"only {side} has the key", lacking), (f"{side} repeats the key", repeated)):
            if which.any():
                examples = tuple(_row(rows, keys, int(at)) for at in place[which][:_EXAMPLES])
                yield Difference(table, "", what, int(own[which].sum()), examples)


def _compare_values(
    table: str, column: str, sides: Mapping[str, pa.Table], keys: Sequence[str], rule: Rule
) -> Iterator[Difference]:
    """Values of one column that differ; the rows of both sides are in the same order."""
    a, b = (rows[column] for rows in sides.values())
    differing = np.flatnonzero(_differ(a, b, rule))
    if differing.size:
        side_a, side_b = sides
        examples = (
            f"{_row(sides[side_a], keys, at)}: {side_a} {_shown(a[at])}, {side_b} {_shown(b[at])}"
            for at in map(int, differing[:_EXAMPLES])
        )
        yield Difference(table, column, "the values differ", differing.size, tuple(examples))


def _differ(a: pa.ChunkedArray, b: pa.ChunkedArray, rule: Rule) -> np.ndarray:
    """Where the values differ. NULL equals NULL, and NaN equals NaN; they don't equal each other."""
    null_a, null_b = a.is_null().to_numpy(), b.is_null().to_numpy()
    if rule.read or pa.types.is_nested(a.type):
        read = rule.read or _as_it_is
        values = ([None if one is None else read(one) for one in side.to_pylist()] for side in (a, b))
        differ = np.array([not _same(x, y, rule) for x, y in zip(*values, strict=True)], dtype=bool)
    elif pa.types.is_floating(a.type) or (pa.types.is_integer(a.type) and rule is not EQUAL):
        x, y = a.to_numpy().astype(float), b.to_numpy().astype(float)
        differ = ~np.isclose(x, y, rtol=rule.relative, atol=0, equal_nan=True)
    else:
        differ = pc.not_equal(a, b).fill_null(False).to_numpy()
    return (null_a != null_b) | (differ & ~null_a & ~null_b)


def _same(a: Any, b: Any, rule: Rule) -> bool:
    """Whether two nested values are the same."""
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(_same(a[name], b[name], rule) for name in a)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(_same(x, y, rule) for x, y in zip(a, b, strict=True))
    if isinstance(a, float) and isinstance(b, float):
        both_nan = math.isnan(a) and math.isnan(b)
        return both_nan or math.isclose(a, b, rel_tol=rule.relative)
    return type(a) is type(b) and bool(a == b)


def _type(column: pa.Field) -> str:
    return f"{column.type}{'' if column.nullable else ' not null'}"


def _as_it_is(value: Any) -> Any:
    return value


def _has_floats(kind: pa.DataType) -> bool:
    return pa.types.is_floating(kind) or any(_has_floats(kind.field(i).type) for i in range(kind.num_fields))


def _hashable(column: pa.ChunkedArray) -> Any:
    """The values as keys can be compared with each other: those of a nested column as texts."""
    if pa.types.is_nested(column.type):
        return pd.Series([None if one is None else repr(one) for one in column.to_pylist()], dtype=object)
    return column.to_pandas(integer_object_nulls=True)


def _row(rows: pa.Table, keys: Sequence[str], at: int) -> str:
    """A row's key, as it is shown."""
    return ", ".join(f"{name}={_shown(rows[name][at])}" for name in keys)


def _shown(value: pa.Scalar) -> str:
    plain = value.as_py()
    return "NULL" if plain is None else str(plain) if isinstance(plain, datetime) else _SHORT.repr(plain)
