"""`make run`, in a folder of its own, what it left there, and the server that answers from it."""

import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pandas as pd
import pytest
from mlflow import MlflowClient
from mlflow.entities.model_registry import ModelVersion
from mlflow.pyfunc import load_model
from pyspark.sql import SparkSession

from local_workspace.engine.session import register_tables
from local_workspace.workspace import FOLDER_VARIABLE, REPOSITORY, Workspace
from project.config import Config
from tests.homes import LOCAL_PREFIX
from use_case.registry import FEATURE_TABLES

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
    def champion(self) -> ModelVersion:
        return self.client.get_model_version_by_alias(MODEL, "champion")

    @property
    def champion_files(self) -> str:
        """The folder of its package."""
        return self.client.get_model_version_download_uri(MODEL, self.champion.version)

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

    @contextmanager
    def current_schema(self) -> Iterator[None]:
        """Queries that name tables alone are about this run's."""
        register_tables(self.spark, self.workspace.root / "warehouse")
        self.spark.sql(f"USE `{SCHEMA}`")
        yield
        self.spark.sql("USE spark_catalog.default")
        for table in self.tables:
            self.spark.sql(f"DROP TABLE `{SCHEMA}`.{table}")  # from the catalog alone: the files are this run's

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


def check_server(run: Run, config: Config) -> None:
    """Fails unless `make serve` answers as batch scoring has, looks the newest features up, and says what it lacks."""
    subject, asked = config.subject, list(config.request_features.all)
    keys = [name for name in subject.lookup_keys if name not in asked]
    scored = run.table("predictions").sort_values("as_of").tail(300)
    about = [*subject.key, subject.event_time, subject.prediction_time, "model_name", "model_version", "as_of"]
    sent = scored.drop(columns=about)
    with _served(run.workspace) as ask:
        assert ask(sent.drop(columns="prediction")) == pytest.approx(scored["prediction"].tolist(), abs=1e-9)
        found = ask(sent[[*keys, *asked]])
        assert ask(sent[asked]).startswith(f"The request lacks the columns {keys}")
    # What an online store holds: the latest row of each key, found here by another way.
    latest = sent[[*keys, *asked]].copy()
    for table in FEATURE_TABLES:
        on = list(table.keys)
        rows = run.table(table.name).sort_values("known_at").groupby(on, as_index=False, dropna=False).nth(-1)
        latest = latest.merge(rows.drop(columns="known_at"), on=on, how="left")
    model = load_model(f"{run.champion_files}/data/feature_store/raw_model")
    expected = model.predict(latest[model.metadata.signature.inputs.input_names()])
    assert found == pytest.approx(list(expected), abs=1e-9)


@contextmanager
def _served(workspace: Workspace) -> Iterator[Callable[[pd.DataFrame], Any]]:
    """`make serve`; what is given asks it, and gets predictions or what is wrong."""
    server = subprocess.Popen(
        [sys.executable, "-m", "local_workspace", "serve"],
        cwd=REPOSITORY,
        env={**os.environ, **SETTINGS, FOLDER_VARIABLE: str(workspace.root)},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        url = server.stdout.readline().split()[1]

        def ask(rows: pd.DataFrame) -> Any:
            plain = rows.astype(object).where(rows.notna(), None)
            body = {"dataframe_split": {"columns": list(plain.columns), "data": plain.to_numpy().tolist()}}
            try:
                with urllib.request.urlopen(url, json.dumps(body).encode()) as answer:  # noqa: S310 (our own server)
                    return json.load(answer)["predictions"]
            except urllib.error.HTTPError as error:
                with error:
                    return json.load(error)["message"]

        yield ask
    finally:
        server.terminate()
        server.wait()
