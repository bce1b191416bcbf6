"""Reads the metric tables, judges the window, and files the verdict."""

from datetime import datetime

from pyspark.sql import Column, DataFrame, Row, SparkSession
from pyspark.sql import functions as F

from monitoring.profile import INPUT
from monitoring.quality import TABLE
from monitoring.verdict import Figure, Verdict, judge
from monitoring.windows import Window, judged_window
from project.config import Config
from project.delta import upsert
from project.metrics import METRICS
from project.rows import one_row
from project.tables import Tables

_KEY = ("model_name", "model_version", "as_of")
_COLUMNS = {
    "model_name": "string",
    "model_version": "string",
    "violated": "boolean",
    "status": "string",
    "sentence": "string",
    "recommendation": "string",
    "checks": "string",
    "rows": "bigint",
    "label_share": "double",
    "as_of": "timestamp",
    "window_start": "timestamp",
    "window_end": "timestamp",
}


def check_violations(spark: SparkSession, tables: Tables, model_name: str, as_of: datetime, config: Config) -> Verdict:
    """Judges the newest version that scored in the window, and writes its row of `monitoring_verdicts`."""
    window = judged_window(as_of, config.monitoring)
    quality = _newest_quality(spark.table(tables.profile_metrics), window)
    version = "" if quality is None else str(quality["model_version"])
    figures = {} if quality is None else read_figures(quality, spark.table(tables.drift_metrics), window, config)
    rows = 0 if quality is None else int(quality["count"])
    verdict = judge(version, rows, figures, as_of, window, config.monitoring)
    _file(spark, tables, model_name, verdict)
    return verdict


def read_figures(quality: Row, drift_metrics: DataFrame, window: Window, config: Config) -> dict[str, Figure]:
    """The figures that thresholds may name.

    Args:
        quality: the window's row ':table' of the profile metrics.
        drift_metrics: the drift metrics.
        window: the judged window.
        config: names the prediction.

    Returns:
        `label_share` and the figures of `project.metrics.binary_metrics`; `max_psi` over the inputs and
        `prediction_psi` (population stability index); `max_null_share_rise` over the inputs (0 to 1).
    """
    figures = {name: Figure(quality[name]) for name in ("label_share", *METRICS[1:])}
    own = (F.col("model_version") == quality["model_version"]) & of_window(window)
    is_input = F.col("column_name") != config.prediction.column
    worst = (
        drift_metrics.filter(own)
        .agg(
            F.max_by("column_name", F.when(is_input, F.col("population_stability_index"))).alias("psi_column"),
            F.max(F.when(is_input, F.col("population_stability_index"))).alias("psi"),
            F.max_by("column_name", F.when(is_input, F.col("percent_null_delta"))).alias("null_column"),
            (F.max(F.when(is_input, F.col("percent_null_delta"))) / 100).alias("null_rise"),
            F.max(F.when(~is_input, F.col("population_stability_index"))).alias("prediction_psi"),
        )
        .collect()[0]
    )
    return figures | {
        "max_psi": Figure(worst["psi"], worst["psi_column"] or ""),
        "max_null_share_rise": Figure(worst["null_rise"], worst["null_column"] or ""),
        "prediction_psi": Figure(worst["prediction_psi"], ""),
    }


def of_window(window: Window) -> Column:
    """True on metric rows of this window."""
    same = (F.col("window.start") == F.lit(window.start)) & (F.col("window.end") == F.lit(window.end))
    return same & (F.col("granularity") == window.granularity)


def _newest_quality(profile_metrics: DataFrame, window: Window) -> Row | None:
    whole = of_window(window) & (F.col("log_type") == INPUT)
    all_rows = (F.col("column_name") == TABLE) & F.col("slice_key").isNull()
    newest_first = F.desc(F.col("model_version").cast("int"))
    return profile_metrics.filter(whole & all_rows).orderBy(newest_first).first()


def _file(spark: SparkSession, tables: Tables, model_name: str, verdict: Verdict) -> None:
    row = {
        "model_name": model_name,
        "model_version": verdict.model_version,
        "violated": verdict.violated,
        "status": verdict.status,
        "sentence": verdict.sentence,
        "recommendation": verdict.recommendation,
        "checks": verdict.checks_as_json(),
        "rows": verdict.rows,
        "label_share": verdict.label_share,
        "as_of": verdict.as_of,
        "window_start": verdict.window.start,
        "window_end": verdict.window.end,
    }
    upsert(spark, tables.monitoring_verdicts, one_row(spark, _COLUMNS, row), _KEY)
