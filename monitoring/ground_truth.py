"""What happened, merged into what was predicted, as it becomes known."""

from datetime import datetime, timedelta

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from project.config import Config
from project.delta import enable_change_data_feed, ensure_table, upsert
from project.tables import Tables

# What is added to a prediction.
ADDED_COLUMNS = ("label_known_at", "outcome")
KEY = ("flight_id", "model_version", "as_of")
PENDING = "pending"
OUTCOMES = ("arrived", "cancelled", "diverted", PENDING)


def join_ground_truth(spark: SparkSession, tables: Tables, as_of: datetime, config: Config) -> str:
    """Brings `inference_log` to as_of: adds the predictions that it lacks, and what has become known of the
    pending.

    Nothing that became known after as_of is read, and a row whose outcome is known stays as it is. Predictions that
    were asked more than `join_days` before as_of are no longer looked for; what the log holds as pending is, for ever.

    Returns:
        What was done, in a few words.
    """
    predictions = spark.table(tables.predictions).filter(F.col("as_of") <= F.lit(as_of))
    recent = F.col("as_of") > F.lit(as_of - timedelta(days=config.monitoring.join_days))
    new = with_class(predictions.filter(recent), config)
    if spark.catalog.tableExists(tables.inference_log):
        # By the columns that Delta keeps statistics of, few of the log's files are read, however long it is.
        log = spark.table(tables.inference_log)
        pending = log.filter(F.col("outcome") == PENDING).drop(config.label.column, *ADDED_COLUMNS)
        new = new.join(log.filter(recent).select(*KEY), list(KEY), "left_anti")
        new = new.unionByName(pending.filter(F.col("as_of") <= F.lit(as_of)), allowMissingColumns=True)
    rows = with_outcomes(
        new, known_outcomes(spark.table(tables.labels), as_of, config.label.column), config.label.column
    )
    if not spark.catalog.tableExists(tables.inference_log):
        make_log(tables.inference_log, rows)
    upsert(spark, tables.inference_log, rows, KEY)
    return f"{rows.count():,} predictions that are new or wait for their label"


def make_log(name: str, rows: DataFrame) -> None:
    """An empty log of these columns. Its change feed tells the monitor which days it must measure again."""
    ensure_table(rows.sparkSession, name, rows.schema)
    enable_change_data_feed(rows.sparkSession, name)


def with_class(scores: DataFrame, config: Config) -> DataFrame:
    """Scored rows with the class that is predicted: 1.0 from the probability on that the configuration names."""
    is_late = F.col(config.prediction.column) >= config.monitoring.late_from
    return scores.withColumn(config.predicted_class, is_late.cast("double"))


def known_outcomes(labels: DataFrame, as_of: datetime, label: str) -> DataFrame:
    """How flights ended, of those whose end was known at as_of.

    Returns:
        `flight_id`, the label (NULL unless it arrived), `label_known_at` (UTC) and `outcome`.
    """
    known = labels.filter(F.col("known_at") <= F.lit(as_of))
    return known.select("flight_id", label, F.col("known_at").alias("label_known_at"), "outcome")


def with_outcomes(predictions: DataFrame, outcomes: DataFrame, label: str) -> DataFrame:
    """The predictions with the label, `label_known_at` and `outcome`: 'pending' until it is known."""
    outcome = F.coalesce("outcome", F.lit(PENDING)).alias("outcome")
    joined = predictions.join(outcomes, "flight_id", "left")
    return joined.select(*predictions.columns, label, "label_known_at", outcome)
