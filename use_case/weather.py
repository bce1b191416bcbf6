"""Weather at the airport of departure, and how it has changed over three hours."""

from datetime import datetime

from pyspark.sql import Column, DataFrame, Window, WindowSpec
from pyspark.sql import functions as F

_MEASURES = ("temp", "dewp", "humid", "wind_dir", "wind_speed", "wind_gust", "precip", "pressure", "visib")
_CHANGES = ("temp", "pressure", "visib", "wind_speed")
_HOUR = 3600
# Rain is measured in hundredths of an inch. As whole numbers they add up to the same in any order; a sum of doubles
# differs in its last digits, and may be -0.0.
_PRECIP_UNITS = 100


def weather_features(weather: DataFrame, as_of: datetime) -> DataFrame:
    """Features of each observation that was known by as_of.

    Args:
        weather: `origin`, `observed_at` (UTC) and the measures in the units of the contract.
        as_of: no later observation is used.

    Returns:
        `origin`, `known_at`, the measures, `<measure>_change_3h` (against the observation exactly three hours
        before; NULL where there is none) and `precip_3h` (inches over the hours that ended in the last three).
    """
    three_hours_ago, last_three_hours = _hours_ago(3, 3), _hours_ago(3, 0, but_first=True)

    def change(name: str) -> Column:
        return (F.col(name) - F.first(name).over(three_hours_ago)).alias(f"{name}_change_3h")

    precip = F.round(F.col("precip") * _PRECIP_UNITS).cast("long")
    return weather.filter(F.col("observed_at") <= F.lit(as_of)).select(
        F.col("origin"),
        F.col("observed_at").alias("known_at"),
        *(F.col(name) for name in _MEASURES),
        *(change(name) for name in _CHANGES),
        (F.sum(precip).over(last_three_hours) / _PRECIP_UNITS).alias("precip_3h"),
    )


def _hours_ago(first: int, last: int, *, but_first: bool = False) -> WindowSpec:
    """The airport's observations from so many hours ago to so many, both included."""
    by_origin = Window.partitionBy("origin").orderBy(F.unix_timestamp("observed_at"))
    return by_origin.rangeBetween(-first * _HOUR + but_first, -last * _HOUR)
