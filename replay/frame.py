"""The year's labelled rows in memory, each with the features that were known when its prediction was asked."""

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
KNOWN = "known_at"
_WEEK_SECONDS = 7 * 24 * 3600


def read_year(spark: SparkSession, tables: Tables, end: datetime, config: Config) -> pd.DataFrame:
    """Looks the features of all labelled rows up at once: point in time, each at its own prediction.

    Args:
        spark: the session.
        tables: the deployment's tables, brought to `end` or later.
        end: what happens before it, with labels known by it (UTC).
        config: names the label and the request features.

    Returns:
        `config.request_columns`, `known_at` (moments in UTC), the label, `week` (a number a week), and the other inputs
        of the model; sorted by the moment of the prediction and the key.
    """
    subject, key = config.subject, list(config.subject.key)
    labels = spark.table(tables.labels)
    rows = labelled_rows(spark.table(tables.named(subject.table)), labels, config.history_start, end, end, config)
    week = F.floor(F.unix_timestamp(subject.prediction_time) / _WEEK_SECONDS).cast("double").alias(WEEK)
    training_set = FeatureEngineeringClient().create_training_set(
        df=rows.join(labels.select(*key, KNOWN), key).select("*", week),
        feature_lookups=feature_lookups(spark, tables, end, config),
        label=[config.label.column, WEEK],
        exclude_columns=[],
    )
    frame = in_utc(training_set.load_df().toPandas())
    return frame.sort_values([subject.prediction_time, *key], ignore_index=True)


def inputs(frame: pd.DataFrame, config: Config) -> list[str]:
    """The columns that a model takes."""
    others = {*config.filed_columns, KNOWN, WEEK, config.label.column}
    return [name for name in frame.columns if name not in others]


def in_utc(frame: pd.DataFrame) -> pd.DataFrame:
    """Moments with their zone, which Spark's frames lack."""
    return frame.assign(**{str(name): frame[name].dt.tz_localize("UTC") for name in frame.select_dtypes("datetime")})
