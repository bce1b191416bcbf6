"""The aircraft: its age and size, and how late its last known leg was."""

from datetime import UTC, datetime

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from feature_engineering.changes import changed

AIRCRAFT_KEYS = LEG_KEYS = ("tailnum", "known_at")


def aircraft_features(planes: DataFrame, first_year: int, last_year: int) -> DataFrame:
    """Age and size of each aircraft as of the first moment (UTC) of each year.

    Args:
        planes: `tailnum`, `year` (built), `seats` and `engines`.
        first_year: the first year that gets rows.
        last_year: the last one.

    Returns:
        `tailnum`, `known_at`, `aircraft_age_years` (NULL where the year is unknown or still to come),
        `aircraft_seats` and `aircraft_engines`.
    """
    years = F.explode(F.sequence(F.lit(first_year), F.lit(last_year)))
    age = F.col("_year") - F.col("year")
    zero, first = F.lit(0), F.lit(1)
    start = F.make_timestamp(F.col("_year"), first, first, zero, zero, zero.cast("decimal(8,6)"), F.lit("UTC"))
    return planes.withColumn("_year", years).select(
        "tailnum",
        start.alias("known_at"),
        F.when(age >= 0, age).cast("double").alias("aircraft_age_years"),
        F.col("seats").cast("double").alias("aircraft_seats"),
        F.col("engines").cast("double").alias("aircraft_engines"),
    )


def new_aircraft_features(
    planes: DataFrame, history_start: datetime, since: datetime | None, as_of: datetime
) -> DataFrame:
    """Every year's rows of aircraft brought or altered after `since`, and all aircraft's of years begun since."""
    first_year, last_year = history_start.astimezone(UTC).year, as_of.astimezone(UTC).year
    if since is None:
        return aircraft_features(planes, first_year, last_year)
    rows = aircraft_features(planes.filter(changed(since)), first_year, last_year)
    if since.astimezone(UTC).year == last_year:
        return rows
    return rows.unionByName(aircraft_features(planes, since.astimezone(UTC).year + 1, last_year)).distinct()


def leg_features(flights: DataFrame, as_of: datetime) -> DataFrame:
    """The last known leg of each aircraft, at each departure and arrival.

    Args:
        flights: `tailnum`, `flight_id`, `sched_dep_at`, `departed_at`, `arrived_at` (UTC), `dep_delay` and `arr_delay`.
        as_of: no later row is made.

    Returns:
        `tailnum`, `known_at`, `last_leg_dep_delay` and `last_leg_arr_delay` (minutes; the latter NULL until the leg has
        arrived). Where two legs have news in one moment, the one scheduled later counts.
    """
    return _last_legs(flights, None, as_of).drop("_is_touched")


def new_leg_features(
    flights: DataFrame, since: datetime | None, changed_from: datetime | None, as_of: datetime
) -> DataFrame:
    """The rows of aircraft and moments of which the flights brought or altered after `since` have news."""
    if changed_from is None:
        return leg_features(flights, as_of)
    nearby = (F.col("departed_at") >= F.lit(changed_from)) | (F.col("arrived_at") >= F.lit(changed_from))
    return _last_legs(flights.filter(nearby), since, as_of).filter("_is_touched").drop("_is_touched")


def _last_legs(flights: DataFrame, since: datetime | None, as_of: datetime) -> DataFrame:
    legs = flights.filter(F.col("tailnum").isNotNull()).withColumn("_is_changed", changed(since))
    departures = legs.withColumn("known_at", F.col("departed_at")).withColumn("arr_delay", F.lit(None).cast("double"))
    arrivals = legs.withColumn("known_at", F.col("arrived_at"))
    news = departures.unionByName(arrivals).filter(F.col("known_at") <= F.lit(as_of))
    at_once = Window.partitionBy(*LEG_KEYS)
    # Of one leg's departure and arrival the latter counts.
    latest_first = at_once.orderBy(F.desc("sched_dep_at"), F.desc("flight_id"), F.desc_nulls_last("arr_delay"))
    place, is_touched = F.row_number().over(latest_first), F.max("_is_changed").over(at_once)
    return (
        news.withColumns({"_place": place, "_is_touched": is_touched})
        .filter(F.col("_place") == 1)
        .select(
            *LEG_KEYS,
            F.col("dep_delay").alias("last_leg_dep_delay"),
            F.col("arr_delay").alias("last_leg_arr_delay"),
            "_is_touched",
        )
    )
