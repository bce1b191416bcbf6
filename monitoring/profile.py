"""The metric tables of `inference_log`: the task that fills them, in the shape of Databricks' data
profiling."""

from datetime import datetime

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from monitoring.column_profile import profile_columns
from monitoring.columns import WatchedColumns, watched_columns
from monitoring.drift import drift
from monitoring.quality import profile_quality
from monitoring.windows import Window, judged_window, window_struct, with_windows
from project.config import Config
from project.delta import upsert
from project.tables import Tables

INPUT, BASELINE = "INPUT", "BASELINE"
_GROUP = ("window", "granularity", "model_version", "log_type")
_PROFILE_KEY = (*_GROUP, "slice_key", "slice_value", "column_name")
_DRIFT_KEY = (
    "window",
    "granularity",
    "model_version",
    "drift_type",
    "slice_key",
    "slice_value",
    "column_name",
)
_WHOLE = "whole"


def refresh_profile(spark: SparkSession, tables: Tables, model_name: str, as_of: datetime, config: Config) -> None:
    """Measures the days since the judged window began, that window, and the baseline, and merges the figures.

    `inference_log_profile_metrics` has one row a group (window, granularity, model version, log type 'INPUT'
    or 'BASELINE') and column, with the statistics of `profile_columns`, and one row ':table' a group and
    slice, with those of `profile_quality`; single days are not sliced. `inference_log_drift_metrics` has the
    figures of `drift`.
    """
    judged = judged_window(as_of, config.monitoring)
    log = logged_rows(spark, tables, model_name, as_of).filter(F.col("prediction_at") >= F.lit(judged.start))
    baselines = _computed(find_baselines(spark, tables, model_name, as_of, judged))
    unknown = baselines
    if spark.catalog.tableExists(tables.profile_metrics):
        measured = _of_baseline(spark, tables).select("model_version", "window").distinct()
        unknown = _computed(baselines.join(measured, ["model_version", "window"], "left_anti"))
    baseline = baseline_rows(spark, tables, model_name, baselines)
    columns = watched_columns(baseline, config)
    unmeasured = baseline_rows(spark, tables, model_name, unknown)
    metrics = _profile(with_windows(log, judged), unmeasured, judged, columns, config)
    upsert(spark, tables.profile_metrics, _computed(metrics), _PROFILE_KEY)
    deciles = _of_baseline(spark, tables).join(baselines, ["model_version", "window"], "left_semi")
    nothing = F.lit(None).cast("string")
    known = deciles.filter(F.col("quantiles").isNotNull())
    distances = drift(log, baseline, known, judged, as_of, columns).select(
        "*",
        F.lit(BASELINE).alias("drift_type"),
        nothing.alias("slice_key"),
        nothing.alias("slice_value"),
    )
    upsert(spark, tables.drift_metrics, _computed(distances), _DRIFT_KEY)


def _computed(few: DataFrame) -> DataFrame:
    """Few rows (one a column, slice and window), computed here and now: who reads them plans less."""
    return few.sparkSession.createDataFrame(few.toArrow(), few.schema)


def _of_baseline(spark: SparkSession, tables: Tables) -> DataFrame:
    """The profile metrics of baselines: each is measured once."""
    return spark.table(tables.profile_metrics).filter(F.col("log_type") == BASELINE)


def logged_rows(spark: SparkSession, tables: Tables, model_name: str, as_of: datetime) -> DataFrame:
    """The model's rows of `inference_log` up to as_of."""
    own = (F.col("model_name") == model_name) & (F.col("as_of") <= F.lit(as_of))
    return spark.table(tables.inference_log).filter(own)


def baseline_rows(spark: SparkSession, tables: Tables, model_name: str, baselines: DataFrame) -> DataFrame:
    """The validation rows that `baselines` names, with the `window` that the version was judged on."""
    scores = spark.table(tables.validation_scores).filter(F.col("model_name") == model_name)
    return scores.join(F.broadcast(baselines), ["model_version", "as_of"])


def find_baselines(spark: SparkSession, tables: Tables, model_name: str, as_of: datetime, judged: Window) -> DataFrame:
    """The newest verdict of each version that scored since the judged window began.

    Returns:
        `model_version`, `as_of`, and the `window` that the verdict is about.
    """
    own = (F.col("model_name") == model_name) & (F.col("as_of") <= F.lit(as_of))
    window = window_struct(F.col("window_start"), F.col("window_end"))
    recent = F.col("prediction_at") >= F.lit(judged.start)
    used = logged_rows(spark, tables, model_name, as_of).filter(recent).select("model_version").distinct()
    newest = F.max(F.struct(F.col("as_of"), window.alias("window"))).alias("_newest")
    verdicts = spark.table(tables.validation_verdicts).filter(own).groupBy("model_version").agg(newest)
    return verdicts.join(used, "model_version").select("model_version", "_newest.as_of", "_newest.window")


def _profile(
    rows: DataFrame, baseline: DataFrame, judged: Window, columns: WatchedColumns, config: Config
) -> DataFrame:
    """Column statistics and quality of the windows and of the baseline, in one frame."""
    logged = rows.withColumn("log_type", F.lit(INPUT))
    arrived = baseline.select(
        "*",
        F.lit("arrived").alias("outcome"),
        F.lit(_WHOLE).alias("granularity"),
        F.lit(BASELINE).alias("log_type"),
    )
    both = logged.unionByName(arrived, allowMissingColumns=True)
    nothing = F.lit(None).cast("string")
    by_column = profile_columns(both, _GROUP, columns).select(
        "*", nothing.alias("slice_key"), nothing.alias("slice_value")
    )
    sliced = F.col("granularity").isin(judged.granularity, _WHOLE)
    by_slice = profile_quality(both, _GROUP, sliced, config)
    return by_column.unionByName(by_slice, allowMissingColumns=True)
