"""What happened, merged into what was predicted, as it becomes known."""

from datetime import datetime

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


def join_ground_truth(spark: SparkSession, tables: Tables, as_of: datetime, config: Config) -> None:
    """Brings `inference_log` to as_of: adds the predictions that it lacks, and what has become known of the
    pending.

    Nothing that became known after as_of is read, and a row whose outcome is known stays as it is.
    """
    predictions = spark.table(tables.predictions).filter(F.col("as_of") <= F.lit(as_of))
    predictions = with_class(predictions, config)
    if spark.catalog.tableExists(tables.inference_log):
        settled = spark.table(tables.inference_log).filter(F.col("outcome") != PENDING)
        predictions = predictions.join(settled.select(*KEY), list(KEY), "left_anti")
    outcomes = known_outcomes(spark.table(tables.flights), spark.table(tables.labels), as_of, config.label.column)
    rows = with_outcomes(predictions, outcomes, config.label.column)
    if not spark.catalog.tableExists(tables.inference_log):
        make_log(tables.inference_log, rows)
    upsert(spark, tables.inference_log, rows, KEY)


def make_log(name: str, rows: DataFrame) -> None:
    """An empty log of these columns. Its change feed tells the monitor which days it must measure again."""
    ensure_table(rows.sparkSession, name, rows.schema)
    enable_change_data_feed(rows.sparkSession, name)


def with_class(scores: DataFrame, config: Config) -> DataFrame:
    """Scored rows with the class that is predicted: 1.0 from the probability on that the configuration names."""
    is_late = F.col(config.prediction.column) >= config.monitoring.late_from
    return scores.withColumn(config.predicted_class, is_late.cast("double"))


def known_outcomes(flights: DataFrame, labels: DataFrame, as_of: datetime, label: str) -> DataFrame:
    """How flights ended, of those whose end was known at as_of.

    Args:
        flights: bronze flights.
        labels: `flight_id`, `known_at` and the label.
        as_of: the moment of this run.
        label: name of the label column.

    Returns:
        `flight_id`, the label (NULL unless arrived), `label_known_at` (UTC) and `outcome`. An arrival is
        known when the label is, a cancellation at the scheduled departure, a diversion at the scheduled
        arrival, or at the departure where that is later.
    """
    arrived = labels.select(
        "flight_id", label, F.col("known_at").alias("label_known_at"), F.lit("arrived").alias("outcome")
    )
    known_at = F.when(F.col("status") == "cancelled", F.col("sched_dep_at")).otherwise(
        F.greatest("sched_arr_at", "departed_at")
    )
    unlabelled = flights.filter(F.col("status").isin("cancelled", "diverted")).select(
        "flight_id",
        F.lit(None).cast("double").alias(label),
        known_at.alias("label_known_at"),
        F.col("status").alias("outcome"),
    )
    return arrived.unionByName(unlabelled).filter(F.col("label_known_at") <= F.lit(as_of))


def with_outcomes(predictions: DataFrame, outcomes: DataFrame, label: str) -> DataFrame:
    """The predictions with the label, `label_known_at` and `outcome`: 'pending' until it is known."""
    outcome = F.coalesce("outcome", F.lit(PENDING)).alias("outcome")
    joined = predictions.join(outcomes, "flight_id", "left")
    return joined.select(*predictions.columns, label, "label_known_at", outcome)
