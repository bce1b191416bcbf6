"""Judges a model version on labels that its training never saw, beside the champion on the same rows."""

import json
from collections.abc import Mapping
from datetime import datetime

from databricks.feature_engineering import FeatureEngineeringClient
from mlflow import MlflowClient
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from project.config import Config
from project.delta import upsert
from project.metrics import METRICS, metrics_by
from project.registry import CHALLENGER, CHAMPION, champion_version
from project.rows import labelled_rows
from project.tables import Tables
from project.times import validation_window
from validation.gates import Gate, judge

_SCORE_KEY = ("flight_id", "model_version", "as_of")
_VERDICT_KEY = ("model_name", "model_version", "as_of")
_METRIC_KEY = (*_VERDICT_KEY, "role", "slice_key", "slice_value")


def validate(
    spark: SparkSession,
    tables: Tables,
    model_name: str,
    model_version: str,
    as_of: datetime,
    git_commit: str,
    config: Config,
) -> bool:
    """Judges a version and writes the verdict: a row, tags on the version, and the figures behind it.

    A champion is not judged against itself: the verdict that it was given as challenger stands.

    Returns:
        True if every gate has passed.
    """
    champion = champion_version(model_name)
    if champion == model_version:
        return _given_verdict(spark, tables, model_name, model_version)
    start, end = validation_window(as_of, config.training.validation_months)
    rows = labelled_rows(spark.table(tables.flights), spark.table(tables.labels), start, end, as_of, config)
    roles = {CHALLENGER: model_version} | ({CHAMPION: champion} if champion else {})
    for version in roles.values():
        _score(spark, tables, rows, model_name, version, as_of)
    _measure(spark, tables, model_name, roles, as_of, config)
    figures = {role: _figures(spark, tables, model_name, model_version, role, as_of) for role in roles}
    gates = judge(figures[CHALLENGER], figures.get(CHAMPION), config.validation)
    verdict = {
        "model_name": model_name,
        "model_version": model_version,
        "champion_version": champion,
        "passed": all(gate.passed for gate in gates),
        "gates": json.dumps([gate.as_dict() for gate in gates]),
        "git_commit": git_commit,
    }
    _write_verdict(spark, tables, verdict, as_of, start, end)
    _tag(model_name, model_version, as_of, gates, figures[CHALLENGER])
    return bool(verdict["passed"])


def _given_verdict(spark: SparkSession, tables: Tables, model_name: str, model_version: str) -> bool:
    own = (F.col("model_name") == model_name) & (F.col("model_version") == model_version)
    verdicts = spark.table(tables.validation_verdicts).filter(own)
    newest = verdicts.orderBy(F.desc("as_of")).select("passed").first()
    return newest is not None and bool(newest["passed"])


def _score(
    spark: SparkSession, tables: Tables, rows: DataFrame, model_name: str, version: str, as_of: datetime
) -> None:
    scored = FeatureEngineeringClient().score_batch(model_uri=f"models:/{model_name}/{version}", df=rows)
    filed = scored.select(
        "*",
        F.lit(model_name).alias("model_name"),
        F.lit(version).alias("model_version"),
        F.lit(as_of).alias("as_of"),
    )
    upsert(spark, tables.validation_scores, filed, _SCORE_KEY)


def _measure(
    spark: SparkSession,
    tables: Tables,
    model_name: str,
    roles: Mapping[str, str],
    as_of: datetime,
    config: Config,
) -> None:
    """Writes the figures of each role over all rows and over each slice."""
    challenger = roles[CHALLENGER]
    scores = spark.table(tables.validation_scores).filter(
        (F.col("as_of") == F.lit(as_of)) & (F.col("model_name") == model_name)
    )
    names = {version: role for role, version in roles.items()}
    roled = scores.filter(F.col("model_version").isin(*names)).withColumn(
        "role", F.when(F.col("model_version") == challenger, CHALLENGER).otherwise(CHAMPION)
    )
    sliced = roled.withColumn("slice", F.explode(_slices(config)))
    keyed = sliced.select(
        "role",
        F.col("slice.slice_key").alias("slice_key"),
        F.col("slice.slice_value").alias("slice_value"),
        config.label.column,
        config.prediction.column,
    )
    measured = metrics_by(
        keyed, ("role", "slice_key", "slice_value"), config.label.column, config.prediction.column
    ).select(
        F.lit(model_name).alias("model_name"),
        F.lit(challenger).alias("model_version"),
        F.lit(as_of).alias("as_of"),
        "*",
    )
    upsert(spark, tables.validation_metrics, measured, _METRIC_KEY)


def _slices(config: Config) -> Column:
    everything = F.struct(F.lit("").alias("slice_key"), F.lit("").alias("slice_value"))
    by_column = [F.struct(F.lit(name).alias("slice_key"), F.col(name).alias("slice_value")) for name in config.slices]
    return F.array(everything, *by_column)


def _figures(
    spark: SparkSession, tables: Tables, model_name: str, model_version: str, role: str, as_of: datetime
) -> dict[str, float]:
    row = (
        spark.table(tables.validation_metrics)
        .filter(
            (F.col("model_name") == model_name)
            & (F.col("model_version") == model_version)
            & (F.col("as_of") == F.lit(as_of))
            & (F.col("role") == role)
            & (F.col("slice_key") == "")
        )
        .first()
    )
    return {"rows": 0.0} if row is None else {name: row[name] for name in METRICS}


def _write_verdict(
    spark: SparkSession,
    tables: Tables,
    verdict: Mapping[str, object],
    as_of: datetime,
    start: datetime,
    end: datetime,
) -> None:
    schema = (
        "model_name string, model_version string, champion_version string, passed boolean, gates string, "
        "git_commit string"
    )
    row = spark.createDataFrame([dict(verdict)], schema)
    dated = row.select(
        "*", F.lit(as_of).alias("as_of"), F.lit(start).alias("window_start"), F.lit(end).alias("window_end")
    )
    upsert(spark, tables.validation_verdicts, dated, _VERDICT_KEY)


def _tag(
    model_name: str,
    model_version: str,
    as_of: datetime,
    gates: tuple[Gate, ...],
    figures: Mapping[str, float],
) -> None:
    passed = all(gate.passed for gate in gates)
    reasons = "; ".join(gate.sentence for gate in gates if not gate.passed)
    tags = {
        "validation": "passed" if passed else "failed",
        "validation_as_of": as_of.isoformat(),
        "validation_reasons": reasons or "every gate passed",
    }
    tags |= {f"validation_{name}": f"{value:.4f}" for name, value in figures.items()}
    for key, value in tags.items():
        MlflowClient().set_model_version_tag(model_name, model_version, key, value)
