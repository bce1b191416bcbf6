"""Weather features against a slow and plain calculation, with a gap, a NULL, and two airports."""

from datetime import timedelta

import pytest

from tests.unit.tables import collected, moment
from use_case.weather import weather_features

SCHEMA = (
    "origin string, observed_at timestamp, temp double, pressure double, visib double, wind_speed double, "
    "precip double, dewp double, humid double, wind_dir double, wind_gust double"
)
HOUR = timedelta(hours=1)
CHANGES = ("temp", "pressure", "visib", "wind_speed")
MIDNIGHT, NOON = moment("2013-01-01 00:00"), moment("2013-01-01 12:00")
# JFK is not observed at 4. LGA is far warmer.
HOURS = {"JFK": (0, 1, 2, 3, 5, 6, 7, 8, 9), "LGA": (1, 2, 4)}


def observation(origin: str, hour: int) -> dict:
    """A reading whose every change over three hours is another."""
    warm = 100 * (origin == "LGA")
    values = {name: warm + (place + 1) * hour**2 / 10 for place, name in enumerate(CHANGES)}
    values |= {"precip": hour / 100, "dewp": 1.0, "humid": 2.0, "wind_dir": 3.0, "wind_gust": None}
    if (origin, hour) == ("JFK", 2):
        values |= {"temp": None, "precip": None}
    return {"origin": origin, "observed_at": MIDNIGHT + hour * HOUR} | values


OBSERVATIONS = {(origin, hour): observation(origin, hour) for origin, hours in HOURS.items() for hour in hours}


def difference(now: float | None, then: float | None) -> float | None:
    return None if now is None or then is None else now - then


def expected(origin: str, hour: int) -> dict:
    now, then = OBSERVATIONS[origin, hour], OBSERVATIONS.get((origin, hour - 3), {})
    recent = [OBSERVATIONS.get((origin, past), {}).get("precip") for past in (hour - 2, hour - 1, hour)]
    rain = [value for value in recent if value is not None]
    features = {name: now[name] for name in now if name not in {"origin", "observed_at"}}
    features |= {f"{name}_change_3h": difference(now[name], then.get(name)) for name in CHANGES}
    return features | {"precip_3h": sum(rain) if rain else None}


@pytest.fixture(scope="module")
def weather(spark):
    columns = [column.split()[0] for column in SCHEMA.split(", ")]
    return spark.createDataFrame([tuple(row[c] for c in columns) for row in OBSERVATIONS.values()], SCHEMA)


@pytest.fixture(scope="module")
def found(weather):
    rows = collected(weather_features(weather, NOON))
    assert len(rows) == len(OBSERVATIONS)
    return {(row["origin"], (row["known_at"] - MIDNIGHT) // HOUR): row for row in rows}


@pytest.mark.parametrize("key", OBSERVATIONS, ids=lambda key: f"{key[0]}-{key[1]}")
def test_features_of_an_observation(found, key):
    origin, hour = key
    row, wanted = found[key], expected(origin, hour)
    assert (row["origin"], row["known_at"]) == (origin, MIDNIGHT + hour * HOUR)
    assert {name: row[name] for name in row if name not in {"origin", "known_at"}} == pytest.approx(wanted)


def test_a_change_needs_the_observation_three_hours_before(found):
    """At 7, the observations of 3 and 5 are no substitute for that of 4; at 2, there are none."""
    assert [found["JFK", hour]["temp_change_3h"] is None for hour in (2, 3, 5, 6, 7, 8)] == [
        *(True, False, True, False, True, False)
    ]


def test_rain_adds_up_to_hundredths_of_an_inch_in_any_order(spark):
    """After rain, a running sum of doubles may come to less than nothing, which rounds to -0.0."""
    readings = [0.01, 0.01, 0.01, 0.0, 0.0, 0.0]
    rows = [observation("LGA", hour) | {"precip": fallen} for hour, fallen in enumerate(readings)]
    columns = [column.split()[0] for column in SCHEMA.split(", ")]
    weather = spark.createDataFrame([tuple(row[c] for c in columns) for row in rows], SCHEMA)
    found = {row["known_at"]: row["precip_3h"] for row in collected(weather_features(weather, NOON))}
    assert [str(found[at]) for at in sorted(found)] == ["0.01", "0.02", "0.03", "0.02", "0.01", "0.0"]


def test_nothing_later_than_as_of_is_there(weather, found):
    rows = collected(weather_features(weather, MIDNIGHT + 2 * HOUR))
    assert {(row["origin"], (row["known_at"] - MIDNIGHT) // HOUR): row for row in rows} == {
        key: found[key] for key in (*(("JFK", hour) for hour in (0, 1, 2)), *(("LGA", hour) for hour in (1, 2)))
    }
