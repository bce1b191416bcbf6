"""Which features a prediction looks up, and how old they may be."""

from datetime import datetime

from databricks.feature_engineering import FeatureLookup
from pyspark.sql import SparkSession

from feature_engineering.registry import FEATURE_TABLES
from project.tables import Tables, plain

_MOMENT = "prediction_at"


def feature_lookups(spark: SparkSession, tables: Tables, as_of: datetime) -> list[FeatureLookup]:
    """The features of each table of the registry, as they were known at `prediction_at`.

    By name: a table keeps features that are retired, or no longer computed, for the versions that learned from them.
    """
    return [
        FeatureLookup(
            table_name=plain(tables.named(table.name)),
            feature_names=table.features(spark.table(tables.named(table.of.table)), as_of),
            lookup_key=list(table.keys),
            timestamp_lookup_key=_MOMENT,
            lookback_window=table.lookback,
        )
        for table in FEATURE_TABLES
    ]
