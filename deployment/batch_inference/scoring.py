"""Batch scoring: each subject once, at the moment its prediction is asked, by the champion."""

from datetime import datetime, timedelta
from functools import partial

from databricks.feature_engineering import FeatureEngineeringClient
from pyspark.sql import SparkSession, Window
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
    """Adds predictions of what is asked about in (as_of - window, as_of].

    What a version predicted for an `as_of` stays: a second run adds nothing.

    Returns:
        What was done, in a few words.
    """
    moment = F.col(config.subject.prediction_time)
    is_asked = (moment > F.lit(as_of - window)) & (moment <= F.lit(as_of))
    asked = spark.table(tables.named(config.subject.table)).filter(is_asked)
    scored = FeatureEngineeringClient().score_batch(
        model_uri=f"models:/{model_name}/{version}", df=request_rows(asked, config)
    )
    rows = filed(scored, model_name, version, as_of)
    batch = {"model_name": model_name, "model_version": version, "as_of": as_of}
    append_once(spark, tables.predictions, rows, has(tables.predictions, batch))
    number = spark.table(tables.predictions).filter(has(tables.predictions, batch)).count()
    return f"{number:,} rows by version {version}"


def publish(spark: SparkSession, tables: Tables, as_of: datetime, window: timedelta, config: Config) -> str:
    """Brings the predictions of one `as_of` to the table that consumers read: the newest of each subject.

    Returns:
        What was done, in a few words.
    """
    # One may be rescheduled within its day: all its predictions were asked about this time.
    subject = config.subject
    asked, margin, key = F.col(subject.prediction_time), timedelta(days=2), list(subject.key)
    about_then = (asked > F.lit(as_of - window - margin)) & (asked <= F.lit(as_of + margin))
    predictions = spark.table(tables.predictions).filter(about_then)
    scored = predictions.filter(F.col("as_of") == F.lit(as_of)).select(*key).distinct()
    newest_first = Window.partitionBy(*key).orderBy(F.desc("as_of"), F.desc(F.col("model_version").cast("int")))
    newest = (
        predictions.join(scored, key, "left_semi")
        .withColumn("_rank", F.row_number().over(newest_first))
        .filter(F.col("_rank") == 1)
    )
    moments = (subject.event_time, subject.prediction_time)
    columns = dict.fromkeys((*key, *moments, config.prediction.column, "model_version", "as_of"))
    upsert(spark, tables.latest_predictions, newest.select(*columns), key)
    return f"{scored.count():,} rows"
