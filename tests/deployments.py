"""The bundle deployed into a schema of its own, and its feature job as the schedule starts it."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Self

import pandas as pd
import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from feature_engineering import refresh
from local_workspace.api import Context, serve_api
from local_workspace.bundle import Bundle, load_bundle
from local_workspace.dbutils import DBUtils
from local_workspace.notebook import run_notebook
from local_workspace.resources import make_catalog_resources
from local_workspace.runner import Runner
from local_workspace.runs import JobRun, TaskRun
from local_workspace.workspace import REPOSITORY, Workspace
from project.tables import Tables, plain
from use_case.registry import FEATURE_TABLES
from use_case.sources import SOURCES

BRONZE = (*(source.name for source in SOURCES), "quarantine")
FEATURES = tuple(table.name for table in FEATURE_TABLES)
TABLES = (*BRONZE, *FEATURES, "labels")
# Which run brought a row: the one thing in which two ways to the same rows may differ.
_BOOKKEEPING = ("ingested_as_of", "landed_as_of")


@dataclass(frozen=True)
class Deployment:
    """One deployment of the bundle."""

    spark: SparkSession
    bundle: Bundle
    tables: Tables
    volume: Path
    workspace: Workspace

    def refresh(self, as_of: datetime, **replaced: Callable[..., Any]) -> JobRun:
        """Runs the job `feature_engineering` to its end, failed or not.

        Args:
            as_of: the job's parameter.
            replaced: functions in place of those of these names in `feature_engineering.refresh`, for this run.
        """
        with pytest.MonkeyPatch.context() as patch:
            for name, function in replaced.items():
                patch.setattr(refresh, name, function)
            return self.run("feature_engineering", as_of=as_of.isoformat())

    def run(self, job: str, **parameters: str) -> JobRun:
        """Runs a job to its end, failed or not."""
        runner = Runner(self.bundle, self._execute, sleep=lambda _: None)
        with serve_api(Context(self.workspace, lambda: self.spark)):
            return runner.run(runner.prepare(job, parameters))

    def completed(self, as_of: datetime, **replaced: Callable[..., Any]) -> Self:
        """The same, where nothing may fail."""
        failures = [str(task.error) for task in self.refresh(as_of, **replaced).failures()]
        if failures:
            raise AssertionError("\n".join(failures))
        return self

    def full_name(self, table: str) -> str:
        """The name with catalog and schema, as the feature client and the workspace's API take it."""
        return plain(self.tables.named(table))

    def table(self, table: str, known_by: datetime | None = None) -> pd.DataFrame:
        """The rows of a table, of all times or up to a moment, sorted, without the bookkeeping."""
        rows = self.spark.table(self.tables.named(table)).drop(*_BOOKKEEPING)
        frame = (rows if known_by is None else rows.filter(F.col("known_at") <= F.lit(known_by))).toPandas()
        return frame.sort_values(list(frame.columns), ignore_index=True)

    def rows(self) -> dict[str, pd.DataFrame]:
        """The rows of each table."""
        return {name: self.table(name) for name in TABLES}

    def versions(self) -> dict[str, int]:
        """The Delta version of each table that is there."""
        found = self.spark.sql(f"SHOW TABLES IN {self.tables.full_schema}").collect()
        names = [row["tableName"] for row in found if not row["isTemporary"]]
        history = {name: f"DESCRIBE HISTORY {self.tables.named(name)} LIMIT 1" for name in names}
        return {name: self.spark.sql(query).collect()[0]["version"] for name, query in history.items()}

    def _execute(self, file: Path, dbutils: DBUtils, _: TaskRun) -> Any:
        return run_notebook(file, self.spark, dbutils, self.bundle.root)


def deploy(spark: SparkSession, workspace: Workspace, schema: str) -> Deployment:
    """Deploys the bundle's schema and volume under a name of their own."""
    bundle = load_bundle(REPOSITORY, environ={**os.environ, "BUNDLE_VAR_schema": schema})
    make_catalog_resources(bundle, workspace, spark)
    names = bundle.resource("schemas", "schema")
    volume = workspace.volumes.joinpath(*bundle.resource("volumes", "files")["id"].split("."))
    return Deployment(spark, bundle, Tables(names["catalog_name"], names["name"]), volume, workspace)
