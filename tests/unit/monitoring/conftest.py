"""A week of flights that is watched, made once: each step of it takes seconds."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import mlflow
import numpy as np
import pandas as pd
import pytest
from databricks.sdk import WorkspaceClient
from pyspark.sql import SparkSession

from local_workspace.api import Context, serve_api
from local_workspace.workspace import Workspace
from monitoring.baseline import refresh_baseline
from monitoring.ground_truth import make_log, with_class
from monitoring.monitor import refresh_monitor
from monitoring.verdict import Verdict
from monitoring.violations import check_violations
from project.config import Config, load_config
from project.metrics import METRICS
from project.tables import Tables
from tests.homes import Home
from tests.unit.tables import InputTables

MODEL = "spark_catalog.watched.arrival_delay"
AS_OF = datetime(2013, 8, 9, tzinfo=UTC)
VALIDATED = datetime(2013, 8, 1, tzinfo=UTC)
JUNE = datetime(2013, 6, 1, tzinfo=UTC)
WATCHED, OLDER = "10", "9"
HOSTILE = "<script>alert(1)</script>"
GATES = '[{"name": "auc", "passed": true, "value": 0.78, "threshold": 0.75, "sentence": "auc is high enough"}]'


@pytest.fixture(scope="session")
def config() -> Config:
    """The configuration as it comes, with the slices of the rows that are made here: a team has its own."""
    return load_config().model_copy(update={"slices": ("origin", "carrier")})


@pytest.fixture(scope="package")
def tables(home: Home, spark: SparkSession) -> Iterator[Tables]:
    with home.schema(spark, "watched") as tables:
        yield tables


@pytest.fixture(scope="package")
def log() -> pd.DataFrame:
    """1,400 predictions of 1 to 7 August with what happened; an older version made the first 50 too."""
    now = scored(1400, VALIDATED, 7, VALIDATED + timedelta(days=7), seed=2)
    now["label_known_at"] = now["prediction_at"] + timedelta(hours=4)
    now["outcome"] = "arrived"
    now.loc[:9, ["late", "outcome"]] = [None, "cancelled"]
    return pd.concat([now, now.head(50).assign(model_version=OLDER)])


@pytest.fixture(scope="package")
def week(spark: SparkSession, inputs: InputTables, tables: Tables, log: pd.DataFrame, config: Config) -> Tables:
    """The log, the validation of its version on June and July, and a quarantine."""
    inputs.write_frame(tables.named("inference_log_rows"), log)
    rows = with_class(spark.table(tables.named("inference_log_rows")), config)
    make_log(tables.inference_log, rows)
    rows.writeTo(tables.inference_log).append()
    inputs.write_frame(tables.validation_scores, scored(9000, JUNE, 61, VALIDATED, seed=1))
    inputs.write(
        tables.validation_verdicts,
        [(MODEL, WATCHED, VALIDATED, None, True, JUNE, VALIDATED, GATES, "abc123")],
        "model_name string, model_version string, as_of timestamp, champion_version string, passed boolean, "
        "window_start timestamp, window_end timestamp, gates string, git_commit string",
    )
    inputs.write(
        tables.validation_metrics,
        [(MODEL, WATCHED, VALIDATED, "challenger", "", "", *(0.5 for _ in METRICS))],
        "model_name string, model_version string, as_of timestamp, role string, slice_key string, "
        f"slice_value string, {', '.join(f'{name} double' for name in METRICS)}",
    )
    inputs.write(
        tables.quarantine,
        [("flights", AS_OF, HOSTILE, "{}", 3), ("flights", AS_OF, HOSTILE, "[]", 4)],
        "source string, landed_as_of timestamp, reason string, row string, occurrences bigint",
    )
    return tables


@pytest.fixture(scope="package")
def client(spark: SparkSession, workspace: Workspace) -> Iterator[WorkspaceClient]:
    """The real client, and a workspace that answers it."""
    with serve_api(Context(workspace, lambda: spark)):
        yield WorkspaceClient()


@pytest.fixture(scope="package")
def verdict(spark: SparkSession, client: WorkspaceClient, week: Tables, config: Config, registry: None) -> Verdict:
    """The verdict of the profiled week."""
    refresh_baseline(spark, week, MODEL, AS_OF, config)
    refresh_monitor(client, week, config)
    return check_violations(spark, week, MODEL, AS_OF, True, config)


@pytest.fixture(scope="package")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A registry without any model."""
    before = mlflow.get_tracking_uri(), mlflow.get_registry_uri()
    uri = f"sqlite:///{tmp_path_factory.mktemp('registry') / 'mlflow.db'}"
    mlflow.set_tracking_uri(uri)
    mlflow.set_registry_uri(uri)
    yield
    mlflow.set_tracking_uri(before[0])
    mlflow.set_registry_uri(before[1])


def scored(flights: int, start: datetime, days: int, as_of: datetime, seed: int) -> pd.DataFrame:
    """Scored rows with skill, and the truth."""
    random = np.random.default_rng(seed)
    prediction = random.beta(2, 5, flights)
    asked = [start + timedelta(seconds=float(s)) for s in np.sort(random.uniform(0, days * 86400, flights))]
    return pd.DataFrame(
        {
            "flight_id": [f"{start:%m}-{place}" for place in range(flights)],
            "sched_dep_at": asked,
            "tailnum": "N1",
            "prediction_at": asked,
            "origin": random.choice(["EWR", "JFK"], flights),
            "carrier": random.choice(["UA", "AA", "HA"], flights, p=[0.5, 0.49, 0.01]),
            "temp": np.where(random.uniform(size=flights) < 0.1, np.nan, random.normal(70, 5, flights)),
            "distance_miles": random.choice([500.0, 1000.0], flights),
            "prediction": prediction,
            "late": (random.uniform(size=flights) < prediction).astype(float),
            "model_name": MODEL,
            "model_version": WATCHED,
            "as_of": as_of,
        }
    )
