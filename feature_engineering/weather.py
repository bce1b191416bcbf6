"""Weather at the airport of departure, and how it has changed over three hours."""

from datetime import datetime, timedelta

from pyspark.sql import Column, DataFrame, Window, WindowSpec
from pyspark.sql import functions as F

from feature_engineering.changes import changed

KEYS = ("origin", "known_at")
_MEASURES = ("temp", "dewp", "humid", "wind_dir", "wind_speed", "wind_gust", "precip", "pressure", "visib")
_CHANGES = ("temp", "pressure", "visib", "wind_speed")
_HOUR = 3600
# Rain is measured in hundredths of an inch. As whole numbers they add up to the same in any order; a sum of doubles
# differs in its last digits, and may be -0.0.
_PRECIP_UNITS = 100


def weather_features(weather: DataFrame) -> DataFrame:
    """Features of each observation.

    Args:
        weather: `origin`, `observed_at` (UTC) and the measures in the units of the contract.

    Returns:
        `origin`, `known_at`, the measures, `<measure>_change_3h` (against the observation exactly three hours
        before; NULL where there is none) and `precip_3h` (inches over the hours that ended in the last three).
    """
    return weather.select(*_features())


def new_weather_features(
    weather: DataFrame, since: datetime | None, changed_from: datetime | None, as_of: datetime
) -> DataFrame:
    """The rows of `weather_features`, known by as_of, that observations brought or altered after `since` touch."""
    known = weather.filter(F.col("observed_at") <= F.lit(as_of))
    if changed_from is None:
        return weather_features(known)
    nearby = known.filter(F.col("observed_at") >= F.lit(changed_from - timedelta(hours=3)))
    is_touched = F.max(changed(since)).over(_hours_ago(3, 0)).alias("_is_touched")
    return nearby.select(*_features(), is_touched).filter("_is_touched").drop("_is_touched")


def _features() -> list[Column]:
    three_hours_ago, last_three_hours = _hours_ago(3, 3), _hours_ago(3, 0, but_first=True)

    def change(name: str) -> Column:
        return (F.col(name) - F.first(name).over(three_hours_ago)).alias(f"{name}_change_3h")

    precip = F.round(F.col("precip") * _PRECIP_UNITS).cast("long")
    return [
        F.col("origin"),
        F.col("observed_at").alias("known_at"),
        *(F.col(name) for name in _MEASURES),
        *(change(name) for name in _CHANGES),
        (F.sum(precip).over(last_three_hours) / _PRECIP_UNITS).alias("precip_3h"),
    ]


def _hours_ago(first: int, last: int, *, but_first: bool = False) -> WindowSpec:
    """The airport's observations from so many hours ago to so many, both included."""
    by_origin = Window.partitionBy("origin").orderBy(F.unix_timestamp("observed_at"))
    return by_origin.rangeBetween(-first * _HOUR + but_first, -last * _HOUR)
