"""What happened, merged into what was predicted, as it becomes known."""

from datetime import datetime, timedelta

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from project.config import Config
from project.delta import enable_change_data_feed, ensure_table, in_full, replace_rows
from project.kinds.label import PENDING
from project.tables import Tables
from project.times import from_micros

# What is added to a prediction.
ADDED_COLUMNS = ("label_known_at", "outcome")


def log_key(config: Config) -> tuple[str, ...]:
    """The columns that identify a prediction in the log."""
    return *config.subject.key, "model_version", "as_of"


def log_outcomes(config: Config) -> tuple[str, ...]:
    """The values of `outcome` in the log."""
    return *config.label.outcomes, PENDING


def join_ground_truth(spark: SparkSession, tables: Tables, as_of: datetime, config: Config) -> str:
    """Brings `inference_log` to as_of: adds the predictions that it lacks, and what has become known of the
    pending.

    Nothing that became known after as_of is read, and a row whose outcome is known stays as it is. Predictions that
    were asked more than `join_days` before as_of are no longer looked for; what the log holds as pending is, for ever.

    Returns:
        What was done, in a few words.
    """
    name, key = tables.inference_log, list(config.subject.key)
    outcomes = known_outcomes(spark.table(tables.labels), as_of, config)
    # By a column that Delta keeps statistics of, few of the files are read, however long the history is.
    recent = (F.col("as_of") > F.lit(as_of - timedelta(days=config.monitoring.join_days))) & (
        F.col("as_of") <= F.lit(as_of)
    )
    predictions = with_derived(spark.table(tables.predictions).filter(recent), config)
    make_log(name, with_outcomes(predictions, outcomes, config))
    log, is_waiting = spark.table(name), F.col("outcome") == PENDING
    known = log.filter(recent).select(*log_key(config))
    new = predictions.join(known, list(log_key(config)), "left_anti")
    ended = log.filter(is_waiting & (F.col("as_of") <= F.lit(as_of))).join(outcomes.select(*key), key, "left_semi")
    changes = new.select("as_of", F.lit(True).alias("is_new")).union(ended.select("as_of", F.lit(False)))
    counts = changes.groupBy(F.unix_micros("as_of").alias("batch"), "is_new").count().collect()
    if counts:
        # A batch is what was scored as of one moment: its rows are in few files, so little is written again.
        of_batches = F.col("as_of").isin([from_micros(batch) for batch in {row["batch"] for row in counts}])
        there = log.filter(of_batches)
        pending = there.filter(is_waiting).drop(config.label.column, *ADDED_COLUMNS)
        told = with_outcomes(pending.union(new.select(*in_full(new, pending.schema))), outcomes, config)
        replace_rows(spark, name, there.filter(~is_waiting).unionByName(told), of_batches)
    added, settled = (sum(row["count"] for row in counts if row["is_new"] == is_new) for is_new in (True, False))
    return f"{added:,} predictions more, {settled:,} outcomes of earlier ones"


def make_log(name: str, rows: DataFrame) -> None:
    """A log with these columns, empty if there was none. Its change feed tells the monitor which days have changed."""
    ensure_table(rows.sparkSession, name, rows.schema)
    enable_change_data_feed(rows.sparkSession, name)


def with_derived(scores: DataFrame, config: Config) -> DataFrame:
    """Scored rows with what the label's kind derives from the prediction, such as a predicted class."""
    derived = config.label.derived(config.prediction.column)
    return scores.select("*", *(column.alias(name) for name, column in derived.items()))


def known_outcomes(labels: DataFrame, as_of: datetime, config: Config) -> DataFrame:
    """What came of each subject, where that was known at as_of.

    Returns:
        The subject's key, the label (NULL unless `outcome` is the one that has it), `label_known_at` (UTC) and
        `outcome`.
    """
    known, label = labels.filter(F.col("known_at") <= F.lit(as_of)), config.label.column
    return known.select(*config.subject.key, label, F.col("known_at").alias("label_known_at"), "outcome")


def with_outcomes(predictions: DataFrame, outcomes: DataFrame, config: Config) -> DataFrame:
    """The predictions with the label, `label_known_at` and `outcome`: 'pending' until it is known."""
    outcome = F.coalesce("outcome", F.lit(PENDING)).alias("outcome")
    joined = predictions.join(outcomes, list(config.subject.key), "left")
    return joined.select(*predictions.columns, config.label.column, "label_known_at", outcome)
