"""What a landed row of each source must be."""

import numpy as np
import pandas as pd
import pandera.pandas as pa

from feature_engineering.contracts import (
    MOMENT,
    NUMBER,
    TEXT,
    WHOLE,
    between,
    clock,
    column,
    contract_of,
    day_in_month,
    one_of,
    time_zone,
)

_AIRPORTS = ("EWR", "JFK", "LGA")
_STATUSES = ("scheduled", "departed", "arrived", "diverted", "cancelled")
# Below, a batch is too small to say of it that its units are wrong.
_LEAST_OBSERVATIONS, _MOST_HUMIDITY_GAP = 12, 0.5


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


FLIGHTS = contract_of(
    "flights",
    ("year", "month", "day", "carrier", "flight", "origin"),
    {
        "year": column(WHOLE, between(1990, 2100)),
        "month": column(WHOLE, between(1, 12)),
        "day": column(WHOLE, between(1, 31)),
        "dep_time": column(WHOLE, clock(), nullable=True),
        "sched_dep_time": column(WHOLE, clock()),
        "dep_delay": column(WHOLE, between(-120, 1440), nullable=True),
        "arr_time": column(WHOLE, clock(), nullable=True),
        "sched_arr_time": column(WHOLE, clock()),
        "arr_delay": column(WHOLE, between(-180, 1440), nullable=True),
        "carrier": column(TEXT, pa.Check.str_matches(r"^[A-Z0-9]{2}$", error="not a carrier code")),
        "flight": column(WHOLE, between(1, 9999)),
        "tailnum": column(TEXT, nullable=True),
        "origin": column(TEXT, one_of(_AIRPORTS)),
        "dest": column(TEXT, pa.Check.str_matches(r"^[A-Z]{3}$", error="not an airport code")),
        "air_time": column(WHOLE, between(1, 1440), nullable=True),
        "distance": column(WHOLE, between(1, 15000)),
        "hour": column(WHOLE, between(0, 23)),
        "minute": column(WHOLE, between(0, 59)),
        "time_hour": column(MOMENT),
        "status": column(TEXT, one_of(_STATUSES)),
    },
    day_in_month(),
    _has_delays(),
)

WEATHER = contract_of(
    "weather",
    ("origin", "time_hour"),
    {
        "origin": column(TEXT, one_of(_AIRPORTS)),
        "time_hour": column(MOMENT),
        "temp": column(NUMBER, between(-60, 130), nullable=True),  # degrees Fahrenheit
        "dewp": column(NUMBER, between(-60, 100), nullable=True),
        "humid": column(NUMBER, between(0, 100), nullable=True),  # per cent
        "wind_dir": column(NUMBER, between(0, 360), nullable=True),  # degrees
        "wind_speed": column(NUMBER, between(0, 200), nullable=True),  # miles an hour
        "wind_gust": column(NUMBER, between(0, 250), nullable=True),
        "precip": column(NUMBER, between(0, 12), nullable=True),  # inches
        "pressure": column(NUMBER, between(850, 1100), nullable=True),  # millibars
        "visib": column(NUMBER, between(0, 100), nullable=True),  # miles
    },
    _in_fahrenheit(),
)

PLANES = contract_of(
    "planes",
    ("tailnum",),
    {
        "tailnum": column(TEXT),
        "year": column(WHOLE, between(1900, 2100), nullable=True),
        "manufacturer": column(TEXT, nullable=True),
        "model": column(TEXT, nullable=True),
        "engines": column(WHOLE, between(1, 8), nullable=True),
        "seats": column(WHOLE, between(1, 900), nullable=True),
    },
)

AIRPORTS = contract_of(
    "airports",
    ("faa",),
    {
        "faa": column(TEXT),
        "name": column(TEXT, nullable=True),
        "lat": column(NUMBER, between(-90, 90)),
        "lon": column(NUMBER, between(-180, 180)),
        "tzone": column(TEXT, time_zone(), nullable=True),
    },
)
