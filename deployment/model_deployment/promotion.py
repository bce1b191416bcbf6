"""Promotion: one pure decision on a verdict, and the record of it. Only this module moves `champion`."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from mlflow import MlflowClient
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from project.delta import upsert
from project.registry import CHALLENGER, CHAMPION, champion_version
from project.rows import one_row
from project.tables import Tables

_KEY = ("model_name", "model_version", "as_of")


@dataclass(frozen=True)
class Decision:
    """Whether a version becomes champion, and why."""

    promote: bool
    reason: str


def decide(verdict: Mapping[str, Any] | None, champion: str | None) -> Decision:
    """The decision on a verdict.

    Args:
        verdict: `passed` and `champion_version` (the champion that the version was compared with) of the version's
            verdict; None where it has none.
        champion: the version that is champion now.
    """
    if verdict is None:
        return Decision(False, "it has no verdict")
    if not verdict["passed"]:
        return Decision(False, "its verdict is: failed")
    if verdict["champion_version"] != champion:
        return Decision(False, "the champion is another one than it was compared with")
    return Decision(True, "its verdict is: passed")


def promote(spark: SparkSession, tables: Tables, model_name: str, model_version: str, as_of: datetime) -> str:
    """Makes a version champion if its verdict says so, and records the decision.

    Returns:
        The version that is champion now, empty where there is none.
    """
    champion = champion_version(model_name)
    if champion == model_version:
        return model_version
    decision = decide(_verdict(spark, tables, model_name, model_version, as_of), champion)
    _record(spark, tables, model_name, model_version, as_of, decision, champion)
    if not decision.promote:
        return champion or ""
    MlflowClient().set_registered_model_alias(model_name, CHAMPION, model_version)
    MlflowClient().delete_registered_model_alias(model_name, CHALLENGER)
    return model_version


def _verdict(
    spark: SparkSession, tables: Tables, model_name: str, model_version: str, as_of: datetime
) -> dict[str, Any] | None:
    own = (
        (F.col("model_name") == model_name)
        & (F.col("model_version") == model_version)
        & (F.col("as_of") == F.lit(as_of))
    )
    row = spark.table(tables.validation_verdicts).filter(own).select("passed", "champion_version").first()
    return None if row is None else row.asDict()


def _record(
    spark: SparkSession,
    tables: Tables,
    model_name: str,
    model_version: str,
    as_of: datetime,
    decision: Decision,
    former: str | None,
) -> None:
    schema = (
        "model_name string, model_version string, promoted boolean, reason string, former_champion string, "
        "as_of timestamp"
    )
    row = {
        "model_name": model_name,
        "model_version": model_version,
        "promoted": decision.promote,
        "reason": decision.reason,
        "former_champion": former,
        "as_of": as_of,
    }
    upsert(spark, tables.promotions, one_row(spark, schema, row), _KEY)
