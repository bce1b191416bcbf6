"""Weather at the airport of departure, and how it has changed over three hours."""

from datetime import datetime, timedelta

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from feature_engineering.changes import changed, earliest, minutes_later, steps

KEYS = ("origin", "known_at")
_MEASURES = ("temp", "dewp", "humid", "wind_dir", "wind_speed", "wind_gust", "precip", "pressure", "visib")
_CHANGES = ("temp", "pressure", "visib", "wind_speed")
_HOUR = 3600


def weather_features(weather: DataFrame) -> DataFrame:
    """Features of each observation.

    Args:
        weather: `origin`, `observed_at` (UTC) and the measures in the units of the contract.

    Returns:
        `origin`, `known_at`, the measures, `<measure>_change_3h` (against the observation exactly three hours
        before; NULL where there is none) and `precip_3h` (inches over the hours that ended in the last three).
    """
    by_origin = Window.partitionBy("origin").orderBy(F.unix_timestamp("observed_at"))
    three_hours_ago = by_origin.rangeBetween(-3 * _HOUR, -3 * _HOUR)
    last_three_hours = by_origin.rangeBetween(-3 * _HOUR + 1, 0)

    def change(name: str) -> Column:
        return (F.col(name) - F.first(name).over(three_hours_ago)).alias(f"{name}_change_3h")

    return weather.select(
        "origin",
        F.col("observed_at").alias("known_at"),
        *_MEASURES,
        *(change(name) for name in _CHANGES),
        F.sum("precip").over(last_three_hours).alias("precip_3h"),
    )


def new_weather_features(weather: DataFrame, since: datetime | None, as_of: datetime) -> DataFrame:
    """The rows of `weather_features` that the observations brought after `since` touch, known by as_of."""
    known = weather.filter(F.col("observed_at") <= F.lit(as_of))
    if since is None:
        return weather_features(known)
    new = changed(known, since)
    until = minutes_later(F.col("observed_at"), 180)
    touched = new.select("origin", steps(F.col("observed_at"), until, 60).alias("known_at")).distinct()
    first = earliest(new, "observed_at")
    if first is None:
        return weather_features(known).limit(0)
    nearby = known.filter(F.col("observed_at") >= F.lit(first - timedelta(hours=3)))
    return weather_features(nearby).join(touched, list(KEYS), "left_semi")
