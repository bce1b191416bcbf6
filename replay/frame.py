"""The year's labelled flights in memory, each with the features that were known when its prediction was asked."""

from datetime import datetime

import pandas as pd
from databricks.feature_engineering import FeatureEngineeringClient
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from project.config import Config
from project.rows import labelled_rows
from project.tables import Tables
from training.lookups import feature_lookups

WEEK = "week"
FLIGHT, SCHEDULED, ASKED, KNOWN = "flight_id", "sched_dep_at", "prediction_at", "known_at"
_MOMENTS = (SCHEDULED, ASKED, KNOWN)
_WEEK_SECONDS = 7 * 24 * 3600


def read_year(spark: SparkSession, tables: Tables, end: datetime, config: Config) -> pd.DataFrame:
    """Looks the features of all labelled flights up at once: point in time, each at its own prediction.

    Args:
        spark: the session.
        tables: the deployment's tables, brought to `end` or later.
        end: flights scheduled before it, with labels known by it (UTC).
        config: names the label and the schedule features.

    Returns:
        `flight_id`, `sched_dep_at`, `prediction_at`, `known_at` (UTC), the label, `week` (a number a week), and the
        model's inputs; sorted by `prediction_at` and `flight_id`.
    """
    labels = spark.table(tables.labels)
    rows = labelled_rows(spark.table(tables.flights), labels, config.history_start, end, end, config)
    week = F.floor(F.unix_timestamp(ASKED) / _WEEK_SECONDS).cast("double").alias(WEEK)
    known = labels.select(FLIGHT, KNOWN)
    training_set = FeatureEngineeringClient().create_training_set(
        df=rows.join(known, FLIGHT).select("*", week),
        feature_lookups=feature_lookups(spark, tables, end),
        label=[config.label.column, WEEK],
        exclude_columns=[],
    )
    frame: pd.DataFrame = training_set.load_df().drop("tailnum").toPandas()
    for moment in _MOMENTS:
        frame[moment] = frame[moment].dt.tz_localize("UTC")
    return frame.sort_values([ASKED, FLIGHT], ignore_index=True)


def inputs(frame: pd.DataFrame, config: Config) -> list[str]:
    """The columns that a model takes."""
    others = {FLIGHT, WEEK, *_MOMENTS, config.label.column}
    return [name for name in frame.columns if name not in others]
