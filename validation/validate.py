"""Judges a model version on labels that its training never saw, beside the champion on the same rows."""

import json
from collections.abc import Mapping
from datetime import datetime
from functools import reduce

import pandas as pd
from databricks.feature_engineering import FeatureEngineeringClient
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from project.config import Config
from project.delta import replace_rows
from project.metrics import METRICS, metrics_by
from project.registry import CHALLENGER, CHAMPION, champion_version
from project.rows import filed, labelled_rows
from project.tables import Tables
from project.times import validation_window
from project.verdicts import Verdict, read_newest_verdict, write_verdict
from validation.gates import Gate, judge

_GROUP = ("role", "slice_key", "slice_value")


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
    start, end = validation_window(as_of, config.training.validation_days)
    rows = labelled_rows(spark.table(tables.flights), spark.table(tables.labels), start, end, as_of, config)
    roles = {CHALLENGER: model_version} | ({CHAMPION: champion} if champion else {})
    scored = {role: _score(spark, tables, rows, model_name, version, as_of) for role, version in roles.items()}
    metrics = _measure(scored, config)
    measured = metrics.toPandas()
    # The schema goes along: a version is judged on no rows too, and Spark Connect has no types to take from none.
    filed_metrics = filed(spark.createDataFrame(measured, metrics.schema), model_name, model_version, as_of)
    replace_rows(spark, tables.validation_metrics, filed_metrics, _own(model_name, model_version, as_of))
    figures = {role: _figures(measured, role) for role in roles}
    gates = judge(figures[CHALLENGER], figures.get(CHAMPION), config.validation)
    verdict = Verdict(
        model_name=model_name,
        model_version=model_version,
        champion_version=champion,
        passed=all(gate.passed for gate in gates),
        gates=json.dumps([gate.as_dict() for gate in gates]),
        git_commit=git_commit,
        as_of=as_of,
        window_start=start,
        window_end=end,
    )
    write_verdict(spark, tables, verdict, _tags(gates, figures[CHALLENGER]))
    return verdict.passed


def _given_verdict(spark: SparkSession, tables: Tables, model_name: str, model_version: str) -> bool:
    filed = read_newest_verdict(spark, tables, model_name, model_version)
    return filed is not None and filed.verdict.passed


def _score(
    spark: SparkSession, tables: Tables, rows: DataFrame, model_name: str, version: str, as_of: datetime
) -> DataFrame:
    """The rows with the version's predictions, from the table that keeps them."""
    scored = FeatureEngineeringClient().score_batch(model_uri=f"models:/{model_name}/{version}", df=rows)
    own = _own(model_name, version, as_of)
    replace_rows(spark, tables.validation_scores, filed(scored, model_name, version, as_of), own)
    return spark.table(tables.validation_scores).filter(own)


def _measure(scored: Mapping[str, DataFrame], config: Config) -> DataFrame:
    """The figures of each role over all rows and over each slice: `role`, `slice_key`, `slice_value`, the metrics."""
    label, prediction = config.label.column, config.prediction.column
    by_role = (rows.select(F.lit(role).alias("role"), "*") for role, rows in scored.items())
    sliced = reduce(DataFrame.unionByName, by_role).withColumn("slice", F.explode(_slices(config)))
    return metrics_by(sliced.select("role", "slice.*", label, prediction), _GROUP, label, prediction)


def _figures(measured: pd.DataFrame, role: str) -> dict[str, float]:
    """The figures of a role over all rows."""
    whole = measured[(measured["role"] == role) & (measured["slice_key"] == "")]
    return {"rows": 0.0} if whole.empty else {name: float(whole[name].iloc[0]) for name in METRICS}


def _own(model_name: str, model_version: str, as_of: datetime) -> Column:
    """True on what is filed under this version and moment."""
    own = (F.col("model_name") == model_name) & (F.col("model_version") == model_version)
    return own & (F.col("as_of") == F.lit(as_of))


def _slices(config: Config) -> Column:
    everything = F.struct(F.lit("").alias("slice_key"), F.lit("").alias("slice_value"))
    by_column = [F.struct(F.lit(name).alias("slice_key"), F.col(name).alias("slice_value")) for name in config.slices]
    return F.array(everything, *by_column)


def _tags(gates: tuple[Gate, ...], figures: Mapping[str, float]) -> dict[str, str]:
    """The figures behind the verdict, and which gates have not passed."""
    reasons = "; ".join(gate.sentence for gate in gates if not gate.passed)
    return {f"validation_{name}": f"{value:.4f}" for name, value in figures.items()} | {
        "validation_reasons": reasons or "every gate passed"
    }
