"""The aircraft: its age and size."""

from datetime import date, datetime, timedelta

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

_DAY_SECONDS = 24 * 3600


def aircraft_features(planes: DataFrame, as_of: datetime) -> DataFrame:
    """Age and size of each aircraft, when the register got or changed it, and at the first moment (UTC) of each year.

    Args:
        planes: the states of the register: `tailnum`, `known_at` (UTC), `year` (built), `seats` and `engines`.
        as_of: no later row is made.

    Returns:
        `tailnum`, `known_at`, `aircraft_age_years` (NULL where the year is unknown or still to come),
        `aircraft_seats` and `aircraft_engines`.
    """
    next_state = F.lead("known_at").over(Window.partitionBy("tailnum").orderBy("known_at"))
    until = F.least(next_state - F.lit(timedelta(microseconds=1)), F.lit(as_of))
    lasting = planes.withColumn("_until", until).filter(F.col("known_at") <= F.lit(as_of))
    years = F.sequence(F.lit(0), _year(F.col("_until")) - _year(F.col("known_at")))
    in_years = lasting.withColumn("_later", F.explode(years)).withColumn(
        "_year", _year(F.col("known_at")) + F.col("_later")
    )
    age = F.col("_year") - F.col("year")
    return in_years.select(
        "tailnum",
        F.when(F.col("_later") == 0, F.col("known_at")).otherwise(_start(F.col("_year"))).alias("known_at"),
        F.when(age >= 0, age).cast("double").alias("aircraft_age_years"),
        F.col("seats").cast("double").alias("aircraft_seats"),
        F.col("engines").cast("double").alias("aircraft_engines"),
    )


def _year(moment: Column) -> Column:
    """Of a moment, in UTC and not in the session's time zone."""
    days = F.floor(F.unix_timestamp(moment) / _DAY_SECONDS).cast("int")
    return F.year(F.date_add(F.lit(date(1970, 1, 1)), days))


def _start(year: Column) -> Column:
    first, zero = F.lit(1), F.lit(0)
    return F.make_timestamp(year, first, first, zero, zero, zero.cast("decimal(8,6)"), F.lit("UTC"))
