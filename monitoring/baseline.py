"""What the inference log is compared with: the rows that each version in use was validated on."""

from datetime import datetime, timedelta

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from monitoring.ground_truth import log_key, with_derived
from project.config import Config
from project.delta import ensure_table, upsert
from project.tables import Tables


def refresh_baseline(spark: SparkSession, tables: Tables, model_name: str, as_of: datetime, config: Config) -> str:
    """Adds the validation rows of versions that have begun to score; those of a version never change after.

    `inference_baseline` has the columns of `inference_log`: a monitor wants that.

    Returns:
        What was done, in a few words.
    """
    log = spark.table(tables.inference_log)
    ensure_table(spark, tables.inference_baseline, log.schema)
    recent = as_of - timedelta(days=config.monitoring.look_back_days)
    own = (F.col("model_name") == model_name) & (F.col("as_of") <= F.lit(as_of))
    used = log.filter(own & (F.col(config.subject.prediction_time) >= F.lit(recent))).select("model_version").distinct()
    known = spark.table(tables.inference_baseline).select("model_version")
    new = [row["model_version"] for row in used.join(known, "model_version", "left_anti").collect()]
    if new:
        # One without a verdict has none.
        scores = validation_rows(spark, tables, model_name, as_of).filter(F.col("model_version").isin(new))
        new = sorted(row["model_version"] for row in scores.select("model_version").distinct().collect())
    if new:
        labelled = with_derived(scores, config).withColumns(
            {"label_known_at": F.lit(None).cast("timestamp"), "outcome": F.lit(config.label.outcome)}
        )
        known_columns = [name for name in log.columns if name in labelled.columns]
        upsert(spark, tables.inference_baseline, labelled.select(*known_columns), log_key(config))
    return f"of version {', '.join(new)}" if new else "has every version that scored"


def validation_rows(spark: SparkSession, tables: Tables, model_name: str, as_of: datetime) -> DataFrame:
    """The rows that each version's newest verdict up to as_of is about."""
    own = (F.col("model_name") == model_name) & (F.col("as_of") <= F.lit(as_of))
    verdicts = spark.table(tables.validation_verdicts).filter(own)
    newest = verdicts.groupBy("model_version").agg(F.max("as_of").alias("as_of"))
    scores = spark.table(tables.validation_scores).filter(own)
    return scores.join(F.broadcast(newest), ["model_version", "as_of"])
