"""What a landed row must be: a pandera schema a source, and the types that bronze stores."""

from dataclasses import dataclass
from zoneinfo import available_timezones

import pandas as pd
import pandera.pandas as pa

TEXT, WHOLE, NUMBER, MOMENT = "string", "int", "double", "timestamp"
# Moments stay text: pandas guesses their form, from the first value for all. Spark, which stores them, judges them.
_PANDAS_TYPES = {TEXT: "str", WHOLE: "Int64", NUMBER: "float64", MOMENT: "str"}


@dataclass(frozen=True)
class Contract:
    """One source's contract.

    Attributes:
        source: name of the landing folder and of the bronze table.
        key: columns that identify a row.
        types: Spark type of each column.
        schema: the same columns as a pandera schema, with ranges and nulls.
    """

    source: str
    key: tuple[str, ...]
    types: dict[str, str]
    schema: pa.DataFrameSchema

    @property
    def optional(self) -> frozenset[str]:
        """The columns that may be NULL."""
        return frozenset(name for name, column in self.schema.columns.items() if column.nullable)


def column(kind: str, *checks: pa.Check, nullable: bool = False) -> tuple[str, pa.Column]:
    """A column of a contract: its Spark type, and what each of its values must be."""
    return kind, pa.Column(_PANDAS_TYPES[kind], list(checks), nullable=nullable, coerce=True)


def between(low: float, high: float) -> pa.Check:
    """A number in a range, both ends in it."""
    return pa.Check.in_range(low, high, error=f"not in {low:g} to {high:g}")


def one_of(values: tuple[str, ...]) -> pa.Check:
    """One of these values."""
    return pa.Check.isin(values, error=f"not one of {', '.join(values)}")


def clock() -> pa.Check:
    """A clock time as hhmm."""
    return pa.Check(lambda times: (times >= 0) & (times <= 2400) & (times % 100 < 60), error="not a clock time")


def time_zone() -> pa.Check:
    """The name of a time zone of the IANA database."""
    return pa.Check.isin(available_timezones(), error="not a time zone")


def day_in_month() -> pa.Check:
    """The 31st of June is none; where year, month or day break their own checks, nothing is said."""

    def is_there(rows: pd.DataFrame) -> pd.Series:
        parts = rows[["year", "month", "day"]].apply(pd.to_numeric, errors="coerce").astype("float64")
        is_known = parts["month"].between(1, 12) & parts["day"].between(1, 31)
        is_date: pd.Series = ~is_known | pd.to_datetime(parts, errors="coerce").notna()
        return is_date

    return pa.Check(is_there, error="day: not in its month")


def contract_of(
    source: str, key: tuple[str, ...], columns: dict[str, tuple[str, pa.Column]], *of_rows: pa.Check
) -> Contract:
    """A contract of columns, and of checks that look at several of them."""
    types = {name: kind for name, (kind, _) in columns.items()}
    schema = pa.DataFrameSchema({name: column for name, (_, column) in columns.items()}, checks=list(of_rows))
    return Contract(source, key, types, schema)
