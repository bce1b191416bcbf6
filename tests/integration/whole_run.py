"""`make run`, in a folder of its own, and what it left there."""

import os
import subprocess
import sys
from dataclasses import dataclass

import pandas as pd
from mlflow import MlflowClient
from pyspark.sql import SparkSession

from local_workspace.workspace import FOLDER_VARIABLE, REPOSITORY, Workspace
from tests.homes import LOCAL_PREFIX

# A schema that needs quotes goes through every notebook, alert and monitor; nothing else is set.
SETTINGS = {"BUNDLE_VAR_schema": f"{LOCAL_PREFIX}arrival_delay"}
SCHEMA = f"dev_local_{LOCAL_PREFIX}arrival_delay"
MODEL = f"spark_catalog.{SCHEMA}.dev_local_arrival_delay"


@dataclass(frozen=True)
class Run:
    """One run of the command, and the folder that it wrote to."""

    spark: SparkSession
    workspace: Workspace
    printed: str

    @property
    def client(self) -> MlflowClient:
        return MlflowClient(self.workspace.tracking_uri, self.workspace.tracking_uri)

    @property
    def tables(self) -> list[str]:
        return sorted(path.name for path in (self.workspace.root / f"warehouse/{SCHEMA}.db").iterdir())

    def table(self, name: str) -> pd.DataFrame:
        """All rows of a table; moments in UTC."""
        rows = self.spark.read.format("delta").load(str(self.workspace.root / f"warehouse/{SCHEMA}.db/{name}"))
        frame = rows.toPandas()
        for column in frame.select_dtypes("datetime"):
            frame[column] = frame[column].dt.tz_localize("UTC")
        return frame

    def digests(self) -> dict[str, list[str]]:
        """The rows of each table as sorted texts."""
        return {name: sorted(self.table(name).astype(str).agg("|".join, axis=1)) for name in self.tables}

    def reports(self) -> dict[str, str]:
        return {file.name: file.read_text() for file in self.workspace.volumes.rglob("reports/*.html")}


def run_all(spark: SparkSession, workspace: Workspace) -> Run:
    done = subprocess.run(
        [sys.executable, "-m", "local_workspace", "run"],
        cwd=REPOSITORY,
        env={**os.environ, **SETTINGS, FOLDER_VARIABLE: str(workspace.root)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "warn" not in done.stderr.lower(), done.stderr
    return Run(spark, workspace, done.stdout)
