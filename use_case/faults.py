"""What goes wrong with this feed in a replay, on which days, and the units that `make power` mistakes.

It goes with replay/: nothing else reads it.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

import pandas as pd
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from project.tables import Tables
from replay.faults import JOB, MONITORING, QUARANTINE, Fault, Faults, Unit
from use_case.feed import sample_folder

NEW_CARRIER, COPIED_CARRIER = "X9", "B6"
_DAY = timedelta(days=1)


def in_celsius(weather: pd.DataFrame) -> pd.DataFrame:
    """Temperature and dew point in degrees Celsius, where degrees Fahrenheit are due."""
    fahrenheit = weather[["temp", "dewp"]].astype(float)
    celsius = ((fahrenheit - 32) * 5 / 9).round(2)
    return weather.assign(temp=celsius["temp"], dewp=celsius["dewp"])


def without_delays(flights: pd.DataFrame) -> pd.DataFrame:
    """Flights that have left or arrived, and no word of how late."""
    return flights.assign(dep_delay=None, arr_delay=None)


def without_arrivals(flights: pd.DataFrame) -> pd.DataFrame:
    """Flights that have arrived, as they were known until then: departed."""
    arrived = flights["status"] == "arrived"
    unknown = {name: flights[name].mask(arrived) for name in ("arr_time", "arr_delay", "air_time")}
    return flights.assign(status=flights["status"].mask(arrived, "departed"), **unknown)


def with_new_carrier(first: datetime, days: int) -> Callable[[pd.DataFrame], pd.DataFrame]:
    """Adds a carrier that flies as an old one does, on so many days."""
    dates = pd.date_range(first.date(), periods=days)

    def add(flights: pd.DataFrame) -> pd.DataFrame:
        date = pd.to_datetime(flights[["year", "month", "day"]].astype(int))
        copied = flights[date.isin(dates) & (flights["carrier"] == COPIED_CARRIER)]
        return pd.concat([flights, copied.assign(carrier=NEW_CARRIER)])

    return add


def sent(days: Sequence[str]) -> dict[str, float]:
    """What the sample has of some days: flights and labels by the date of departure, observations but for the last."""
    archive = sample_folder()
    flights, weather = pd.read_csv(archive / "flights.csv.zip"), pd.read_csv(archive / "weather.csv")
    dates = pd.to_datetime(flights[["year", "month", "day"]]).dt.strftime("%Y-%m-%d")
    own, hours = flights[dates.isin(days)], weather[weather["time_hour"].str[:10].isin(days[:-1])]
    return {
        "flights": float(len(own)),
        "labels": float(own["arr_delay"].count()),
        "minutes of arrival delay": float(own["arr_delay"].sum()),
        "observations": float(len(hours)),
        "degrees Fahrenheit in all": float(hours["temp"].sum()),
    }


def stored(spark: SparkSession, tables: Tables, days: Sequence[str]) -> dict[str, float]:
    """What the tables have of them, without the carrier that the sample does not know."""
    own = F.substring("flight_id", -10, 10).isin(list(days)) & (F.col("carrier") != NEW_CARRIER)
    flights = spark.table(tables.named("flights")).filter(own)
    labels = spark.table(tables.labels).filter(own)
    hour = F.date_format(F.col("observed_at") - F.expr("INTERVAL 1 HOUR"), "yyyy-MM-dd")
    weather = spark.table(tables.named("weather")).filter(hour.isin(list(days[:-1])))
    delays = labels.agg(F.count("arr_delay").alias("n"), F.sum("arr_delay").alias("minutes")).collect()[0]
    hours = weather.agg(F.count("*").alias("n"), F.sum("temp").alias("degrees")).collect()[0]
    return {
        "flights": float(flights.count()),
        "labels": float(delays["n"]),
        "minutes of arrival delay": float(delays["minutes"] or 0),
        "observations": float(hours["n"]),
        "degrees Fahrenheit in all": float(hours["degrees"] or 0),
    }


def _twice(rows: pd.DataFrame) -> pd.DataFrame:
    return pd.concat([rows, rows])


def _no_file(_: pd.DataFrame) -> None:
    return None


def _on(month: int, day: int) -> datetime:
    return datetime(2013, month, day, tzinfo=UTC)


FAULTS = Faults(
    faults=(
        Fault(
            "a file twice",
            *("flights", _on(3, 19), _DAY, _twice, QUARANTINE, "duplicate year, month, day"),
            leaves_tables_right=True,
        ),
        Fault(
            "a day's weather missing",
            *("weather", _on(4, 9), _DAY, _no_file, JOB, "nothing has landed for weather"),
            leaves_tables_right=True,
        ),
        Fault("all delays null", "flights", _on(5, 14), _DAY, without_delays, QUARANTINE, "delay: missing"),
        Fault(
            "a new carrier",
            *("flights", _on(6, 18), 5 * _DAY, with_new_carrier(_on(6, 18), 5)),
            *(MONITORING, r"of carrier are categories that the baseline"),
            adds_rows=True,
            leaves_tables_right=True,
        ),
        Fault("°C in place of °F", "weather", _on(8, 13), 3 * _DAY, in_celsius, QUARANTINE, "not degrees Fahrenheit"),
        Fault("a week's labels late", "flights", _on(10, 1), 7 * _DAY, without_arrivals, MONITORING, "outcome|labels"),
    ),
    settled=timedelta(days=3),
    sent=sent,
    stored=stored,
    units=(
        Unit("minutes as seconds", ".*(delay|minutes).*", factor=60.0),
        Unit("°F as °C", "temp|dewp", factor=1 / 1.8, start=32.0),
    ),
)
