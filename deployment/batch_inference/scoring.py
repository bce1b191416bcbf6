"""Batch scoring: each flight once, at the moment its prediction is asked, by the champion."""

from datetime import datetime, timedelta
from functools import partial

from databricks.feature_engineering import FeatureEngineeringClient
from pyspark.sql import DataFrame, SparkSession, Window
from pyspark.sql import functions as F

from project.config import Config
from project.delta import append_once, has, upsert
from project.registry import champion_version
from project.rows import filed, request_rows
from project.steps import Step, run_steps
from project.tables import Tables


def run_batch(
    spark: SparkSession, tables: Tables, model_name: str, as_of: datetime, window: timedelta, config: Config
) -> str:
    """Scores, then brings the scores to the table that consumers read.

    Returns:
        The version that scored.

    Raises:
        LookupError: no version is champion.
        StepError: a step failed; it names it.
    """
    version = champion_version(model_name)
    if version is None:
        raise LookupError(f"{model_name} has no champion: run the job 'training' first")
    run_steps(
        [
            Step("predictions", partial(score, spark, tables, model_name, version, as_of, window, config)),
            Step("latest_predictions", partial(publish, spark, tables, as_of, window, config), after=("predictions",)),
        ]
    )
    return version


def score(
    spark: SparkSession,
    tables: Tables,
    model_name: str,
    version: str,
    as_of: datetime,
    window: timedelta,
    config: Config,
) -> str:
    """Adds predictions of the flights whose prediction moment lies in (as_of - window, as_of].

    What a version predicted for an `as_of` stays: a second run adds nothing.

    Returns:
        What was done, in a few words.
    """
    asked = flights_asked(spark.table(tables.flights), as_of, window)
    scored = FeatureEngineeringClient().score_batch(
        model_uri=f"models:/{model_name}/{version}", df=request_rows(asked, config)
    )
    rows = filed(scored, model_name, version, as_of)
    batch = {"model_name": model_name, "model_version": version, "as_of": as_of}
    append_once(spark, tables.predictions, rows, has(tables.predictions, batch))
    number = spark.table(tables.predictions).filter(has(tables.predictions, batch)).count()
    return f"{number:,} rows by version {version}"


def flights_asked(flights: DataFrame, as_of: datetime, window: timedelta) -> DataFrame:
    """Flights whose prediction moment lies in (as_of - window, as_of]; cancelled and diverted ones are among them."""
    moment = F.col("prediction_at")
    return flights.filter((moment > F.lit(as_of - window)) & (moment <= F.lit(as_of)))


def publish(spark: SparkSession, tables: Tables, as_of: datetime, window: timedelta, config: Config) -> str:
    """Brings the predictions of one `as_of` to the table that consumers read: the newest of each flight.

    Returns:
        What was done, in a few words.
    """
    # A flight may be rescheduled within its day: all its predictions were asked about this time.
    asked, margin = F.col("prediction_at"), timedelta(days=2)
    about_then = (asked > F.lit(as_of - window - margin)) & (asked <= F.lit(as_of + margin))
    predictions = spark.table(tables.predictions).filter(about_then)
    flights = predictions.filter(F.col("as_of") == F.lit(as_of)).select("flight_id").distinct()
    newest_first = Window.partitionBy("flight_id").orderBy(F.desc("as_of"), F.desc(F.col("model_version").cast("int")))
    newest = (
        predictions.join(flights, "flight_id", "left_semi")
        .withColumn("_rank", F.row_number().over(newest_first))
        .filter(F.col("_rank") == 1)
    )
    columns = (
        "flight_id",
        "sched_dep_at",
        "prediction_at",
        config.prediction.column,
        "model_version",
        "as_of",
    )
    upsert(spark, tables.latest_predictions, newest.select(*columns), ["flight_id"])
    return f"{flights.count():,} rows"
