"""Reads the metric tables, judges the last days, and files the verdict."""

from collections.abc import Mapping
from dataclasses import astuple
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from monitoring.checks import Finding, Place, find
from monitoring.daily import read_daily_figures
from monitoring.verdict import RETRAIN, Verdict, judge, wants_training
from monitoring.windows import judged_window
from project.config import Config
from project.delta import replace_rows
from project.registry import tags_of, versions_of
from project.tables import Tables
from project.times import parse_optional_moment

# The row about all checks together.
ALL = ":all"
VERDICT_SCHEMA = """model_name string, as_of timestamp, check_name string, kind string, metric string,
    column_name string, slice_key string, slice_value string, model_version string, status string, violated boolean,
    value double, threshold double, greater_is_better boolean, days_broken int, days_judged int, days_looked_at int,
    since timestamp, days_not_judged array<string>, action string, cooldown_until timestamp, cause string,
    sentence string, recommendation string, rows bigint, label_share double, window_start timestamp,
    window_end timestamp"""


DRIFT_SCHEMA = """model_name string, as_of timestamp, model_version string, column_name string, kind string,
    item string, value double, usual double, bound double, ratio double, sentence string"""

_NO_WORDS: Mapping[Place, tuple[str, str]] = MappingProxyType({})


def check_violations(
    spark: SparkSession, tables: Tables, model_name: str, as_of: datetime, may_retrain: bool, config: Config
) -> Verdict:
    """Judges the newest version that scored, and writes its rows of `monitoring_verdicts`.

    Args:
        spark: the session.
        tables: the metric tables are read.
        model_name: the registered model.
        as_of: the moment of the verdict.
        may_retrain: whether a violation starts a training in this deployment.
        config: the checks.

    Returns:
        The verdict. Its rows replace those of the same model and moment: one with `check_name` ':all', and one a
        finding. The furthest shift of each column replaces that of the same moment in `column_drift`.
    """
    figures = read_daily_figures(spark, tables, model_name, as_of, config)
    trained = trained_as_of(model_name, figures.model_version) if figures.model_version else None
    figures = figures.with_age(trained, config.history_start, as_of)
    findings = [
        finding
        for check in config.monitoring.checks
        for finding in find(
            check,
            figures.of(check),
            figures.last_day_of(check),
            config.label,
            figures.words.get(check.metric, _NO_WORDS),
            figures.notes.get(check.metric, ""),
        )
    ]
    verdict = judge(
        figures.model_version,
        figures.rows,
        figures.label_share,
        findings,
        as_of,
        judged_window(as_of, config.monitoring),
        last_training(spark, tables, model_name, as_of) if wants_training(findings) else None,
        may_retrain,
        config.monitoring,
    )
    rows = spark.createDataFrame([list(row.values()) for row in verdict_rows(model_name, verdict)], VERDICT_SCHEMA)
    own = (F.col("model_name") == model_name) & (F.col("as_of") == F.lit(as_of))
    replace_rows(spark, tables.monitoring_verdicts, rows, own)
    common = (model_name, as_of, figures.model_version)
    columns = {shift.column: (*common, *astuple(shift), shift.sentence) for shift in reversed(figures.shifts)}
    replace_rows(spark, tables.column_drift, spark.createDataFrame([*columns.values()], DRIFT_SCHEMA), own)
    return verdict


def last_training(spark: SparkSession, tables: Tables, model_name: str, as_of: datetime) -> datetime | None:
    """When a model was trained last, or monitoring started a training, before as_of; None where neither was.

    A training on the rows of an earlier one gives no new version, so what monitoring started counts by itself.
    """
    moments = [_last_version(model_name, as_of)]
    if spark.catalog.tableExists(tables.monitoring_verdicts):
        earlier = (F.col("model_name") == model_name) & (F.col("as_of") < F.lit(as_of)) & (F.col("check_name") == ALL)
        started = spark.table(tables.monitoring_verdicts).filter(earlier & (F.col("action") == RETRAIN))
        found = started.agg(F.max(F.unix_seconds("as_of")).alias("newest")).collect()[0]["newest"]
        moments.append(None if found is None else datetime.fromtimestamp(found, UTC))
    return max((moment for moment in moments if moment is not None), default=None)


def _last_version(model_name: str, as_of: datetime) -> datetime | None:
    for version in reversed(versions_of(model_name)):
        trained = trained_as_of(model_name, str(version.version))
        if trained is not None and trained < as_of:
            return trained
    return None


def trained_as_of(model_name: str, model_version: str) -> datetime | None:
    """The moment whose knowledge a version was trained on; None where the registry does not say."""
    return parse_optional_moment(tags_of(model_name, model_version).get("as_of", ""))


def verdict_rows(model_name: str, verdict: Verdict) -> list[dict[str, Any]]:
    """The rows of `monitoring_verdicts`, the one about all first."""
    common = {"model_name": model_name, "as_of": verdict.as_of}
    whole = {
        "check_name": ALL,
        "kind": ALL,
        "status": verdict.status,
        "violated": verdict.violated,
        "since": min((f.since for f in verdict.violations if f.since), default=None),
        "action": verdict.action,
        "cause": verdict.cause,
        "sentence": verdict.sentence,
        "recommendation": verdict.recommendation,
    }
    return [_row(verdict, common | whole), *(_row(verdict, common | _of(verdict, f)) for f in verdict.findings)]


def _of(verdict: Verdict, finding: Finding) -> dict[str, Any]:
    check, place = finding.check, finding.place
    action = verdict.action_on(finding)
    return {
        "check_name": check.name,
        "kind": check.kind,
        "metric": check.metric,
        "column_name": place.column,
        "slice_key": place.slice_key,
        "slice_value": place.slice_value,
        "status": finding.status,
        "violated": finding.violated,
        "value": finding.value,
        "threshold": finding.threshold,
        "greater_is_better": check.greater_is_better,
        "days_broken": finding.days_broken,
        "days_judged": finding.days_judged,
        "days_looked_at": check.of_days,
        "since": finding.since,
        "days_not_judged": [f"{day:%Y-%m-%d}" for day in finding.not_judged],
        "action": action,
        "sentence": finding.sentence,
    }


_NAMES = [part.split()[0] for part in VERDICT_SCHEMA.split(",")]
_EVERYWHERE = {"column_name": "", "slice_key": "", "slice_value": ""}


def _row(verdict: Verdict, known: dict[str, Any]) -> dict[str, Any]:
    values = {
        **_EVERYWHERE,
        "model_version": verdict.model_version,
        "cooldown_until": verdict.cooldown_until,
        "rows": verdict.rows,
        "label_share": verdict.label_share,
        "window_start": verdict.window.start.astimezone(UTC),
        "window_end": verdict.window.end.astimezone(UTC),
        **known,
    }
    return {name: values.get(name) for name in _NAMES}
