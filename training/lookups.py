"""Which features a prediction looks up, and how old they may be."""

from datetime import datetime

from databricks.feature_engineering import FeatureLookup
from pyspark.sql import SparkSession

from project.config import Config
from project.tables import Tables, plain
from use_case.registry import FEATURE_TABLES


def feature_lookups(spark: SparkSession, tables: Tables, as_of: datetime, config: Config) -> list[FeatureLookup]:
    """The features of each table of the registry, as they were known when a prediction is asked.

    By name: a table keeps features that are retired, or no longer computed, for the versions that learned from them.
    """
    return [
        FeatureLookup(
            table_name=plain(tables.named(table.name)),
            feature_names=table.features(spark.table(tables.named(table.of.table)), as_of),
            lookup_key=list(table.keys),
            timestamp_lookup_key=config.subject.prediction_time,
            lookback_window=table.lookback,
        )
        for table in FEATURE_TABLES
    ]
