"""What a landed row must be: a pandera schema a source, and the types that bronze stores."""

from dataclasses import dataclass
from zoneinfo import available_timezones

import numpy as np
import pandas as pd
import pandera.pandas as pa

_TEXT, _WHOLE, _NUMBER, _MOMENT = "string", "int", "double", "timestamp"
# Moments stay text: pandas guesses their form, from the first value for all. Spark, which stores them, judges them.
_PANDAS_TYPES = {_TEXT: "str", _WHOLE: "Int64", _NUMBER: "float64", _MOMENT: "str"}
_AIRPORTS = ("EWR", "JFK", "LGA")
# Below, a batch is too small to say of it that its units are wrong.
_LEAST_OBSERVATIONS, _MOST_HUMIDITY_GAP = 12, 0.5
_STATUSES = ("scheduled", "departed", "arrived", "diverted", "cancelled")


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


def _between(low: float, high: float) -> pa.Check:
    return pa.Check.in_range(low, high, error=f"not in {low:g} to {high:g}")


def _one_of(values: tuple[str, ...]) -> pa.Check:
    return pa.Check.isin(values, error=f"not one of {', '.join(values)}")


def _clock() -> pa.Check:
    """A clock time as hhmm."""
    return pa.Check(lambda times: (times >= 0) & (times <= 2400) & (times % 100 < 60), error="not a clock time")


def _time_zone() -> pa.Check:
    return pa.Check.isin(available_timezones(), error="not a time zone")


def _day_in_month() -> pa.Check:
    """The 31st of June is none; where year, month or day break their own checks, nothing is said."""

    def is_there(rows: pd.DataFrame) -> pd.Series:
        parts = rows[["year", "month", "day"]].apply(pd.to_numeric, errors="coerce").astype("float64")
        is_known = parts["month"].between(1, 12) & parts["day"].between(1, 31)
        is_date: pd.Series = ~is_known | pd.to_datetime(parts, errors="coerce").notna()
        return is_date

    return pa.Check(is_there, error="day: not in its month")


def _has_delays() -> pa.Check:
    """A flight that has left has a departure delay, and one that has arrived an arrival delay: labels come from it."""

    def is_there(rows: pd.DataFrame) -> pd.Series:
        has_left, has_arrived = rows["status"].isin(["departed", "arrived"]), rows["status"] == "arrived"
        is_whole: pd.Series = (~has_left | rows["dep_delay"].notna()) & (~has_arrived | rows["arr_delay"].notna())
        return is_whole

    return pa.Check(is_there, error="dep_delay or arr_delay: missing of a flight that has left or arrived")


def _in_fahrenheit() -> pa.Check:
    """Most rows' humidity is the one that follows from temperature and dew point: in other units it does not.

    By Magnus' formula with the coefficients of Alduchov and Eskridge (1996). The median gap of a day is 0.04 points at
    most in the sample, and 1.1 at least where degrees Celsius are read as Fahrenheit.
    """

    def is_in_fahrenheit(rows: pd.DataFrame) -> pd.Series:
        temp, dewp, humid = (pd.to_numeric(rows[name], errors="coerce") for name in ("temp", "dewp", "humid"))
        gap = (100 * _vapour_pressure(dewp) / _vapour_pressure(temp) - humid).abs()
        is_right = gap.count() < _LEAST_OBSERVATIONS or gap.median() <= _MOST_HUMIDITY_GAP
        return pd.Series(is_right, index=rows.index)

    return pa.Check(is_in_fahrenheit, error="temp, dewp: not degrees Fahrenheit, by humid")


def _vapour_pressure(fahrenheit: pd.Series) -> pd.Series:
    """Of water at saturation, relative to that at 0 °C."""
    celsius = (fahrenheit - 32) * 5 / 9
    return pd.Series(np.exp(17.625 * celsius / (243.04 + celsius)), index=fahrenheit.index)


def contract_of(
    source: str, key: tuple[str, ...], columns: dict[str, tuple[str, pa.Column]], *of_rows: pa.Check
) -> Contract:
    """A contract of columns, and of checks that look at several of them."""
    types = {name: kind for name, (kind, _) in columns.items()}
    schema = pa.DataFrameSchema({name: column for name, (_, column) in columns.items()}, checks=list(of_rows))
    return Contract(source, key, types, schema)


FLIGHTS = contract_of(
    "flights",
    ("year", "month", "day", "carrier", "flight", "origin"),
    {
        "year": column(_WHOLE, _between(1990, 2100)),
        "month": column(_WHOLE, _between(1, 12)),
        "day": column(_WHOLE, _between(1, 31)),
        "dep_time": column(_WHOLE, _clock(), nullable=True),
        "sched_dep_time": column(_WHOLE, _clock()),
        "dep_delay": column(_WHOLE, _between(-120, 1440), nullable=True),
        "arr_time": column(_WHOLE, _clock(), nullable=True),
        "sched_arr_time": column(_WHOLE, _clock()),
        "arr_delay": column(_WHOLE, _between(-180, 1440), nullable=True),
        "carrier": column(_TEXT, pa.Check.str_matches(r"^[A-Z0-9]{2}$", error="not a carrier code")),
        "flight": column(_WHOLE, _between(1, 9999)),
        "tailnum": column(_TEXT, nullable=True),
        "origin": column(_TEXT, _one_of(_AIRPORTS)),
        "dest": column(_TEXT, pa.Check.str_matches(r"^[A-Z]{3}$", error="not an airport code")),
        "air_time": column(_WHOLE, _between(1, 1440), nullable=True),
        "distance": column(_WHOLE, _between(1, 15000)),
        "hour": column(_WHOLE, _between(0, 23)),
        "minute": column(_WHOLE, _between(0, 59)),
        "time_hour": column(_MOMENT),
        "status": column(_TEXT, _one_of(_STATUSES)),
    },
    _day_in_month(),
    _has_delays(),
)

WEATHER = contract_of(
    "weather",
    ("origin", "time_hour"),
    {
        "origin": column(_TEXT, _one_of(_AIRPORTS)),
        "time_hour": column(_MOMENT),
        "temp": column(_NUMBER, _between(-60, 130), nullable=True),  # degrees Fahrenheit
        "dewp": column(_NUMBER, _between(-60, 100), nullable=True),
        "humid": column(_NUMBER, _between(0, 100), nullable=True),  # per cent
        "wind_dir": column(_NUMBER, _between(0, 360), nullable=True),  # degrees
        "wind_speed": column(_NUMBER, _between(0, 200), nullable=True),  # miles an hour
        "wind_gust": column(_NUMBER, _between(0, 250), nullable=True),
        "precip": column(_NUMBER, _between(0, 12), nullable=True),  # inches
        "pressure": column(_NUMBER, _between(850, 1100), nullable=True),  # millibars
        "visib": column(_NUMBER, _between(0, 100), nullable=True),  # miles
    },
    _in_fahrenheit(),
)

PLANES = contract_of(
    "planes",
    ("tailnum",),
    {
        "tailnum": column(_TEXT),
        "year": column(_WHOLE, _between(1900, 2100), nullable=True),
        "manufacturer": column(_TEXT, nullable=True),
        "model": column(_TEXT, nullable=True),
        "engines": column(_WHOLE, _between(1, 8), nullable=True),
        "seats": column(_WHOLE, _between(1, 900), nullable=True),
    },
)

AIRPORTS = contract_of(
    "airports",
    ("faa",),
    {
        "faa": column(_TEXT),
        "name": column(_TEXT, nullable=True),
        "lat": column(_NUMBER, _between(-90, 90)),
        "lon": column(_NUMBER, _between(-180, 180)),
        "tzone": column(_TEXT, _time_zone(), nullable=True),
    },
)
