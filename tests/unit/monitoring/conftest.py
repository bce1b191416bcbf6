"""A week of predictions that is watched, made once: each step of it takes seconds."""

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
from monitoring.ground_truth import make_log, with_derived
from monitoring.monitor import refresh_monitor
from monitoring.verdict import Verdict
from monitoring.violations import check_violations
from project.config import Config, load_config
from project.tables import Tables
from tests.homes import Home
from tests.unit.tables import InputTables

CONFIG = load_config()
LABEL, SUBJECT = CONFIG.label, CONFIG.subject
MODEL = "spark_catalog.watched.model"
AS_OF = datetime(2024, 8, 9, tzinfo=UTC)
VALIDATED = datetime(2024, 8, 1, tzinfo=UTC)
JUNE = datetime(2024, 6, 1, tzinfo=UTC)
WATCHED, OLDER = "10", "9"
HOSTILE = "<script>alert(1)</script>"
GATES = '[{"name": "auc", "passed": true, "value": 0.78, "threshold": 0.75, "sentence": "auc is high enough"}]'


@pytest.fixture(scope="session")
def config() -> Config:
    """The configuration as it comes, with the slices and the history of the rows that are made here."""
    source = CONFIG.source.model_copy(update={"history_start": datetime(2024, 1, 1, tzinfo=UTC)})
    return CONFIG.model_copy(update={"slices": ("region", "shop"), "source": source})


@pytest.fixture(scope="package")
def tables(home: Home, spark: SparkSession) -> Iterator[Tables]:
    with home.schema(spark, "watched") as tables:
        yield tables


@pytest.fixture(scope="package")
def log() -> pd.DataFrame:
    """1,400 predictions of 1 to 7 August with what happened; an older version made the first 50 too."""
    now = scored(1400, VALIDATED, 7, VALIDATED + timedelta(days=7), seed=2)
    now["label_known_at"] = now[SUBJECT.prediction_time] + timedelta(hours=4)
    now["outcome"] = LABEL.outcome
    now.loc[:9, [LABEL.column, "outcome"]] = [None, LABEL.other_outcomes[0]]
    return pd.concat([now, now.head(50).assign(model_version=OLDER)])


@pytest.fixture(scope="package")
def week(spark: SparkSession, inputs: InputTables, tables: Tables, log: pd.DataFrame, config: Config) -> Tables:
    """The log, the validation of its version on June and July, and a quarantine."""
    inputs.write_frame(tables.named("inference_log_rows"), log)
    rows = with_derived(spark.table(tables.named("inference_log_rows")), config)
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
        [(MODEL, WATCHED, VALIDATED, "challenger", "", "", *(0.5 for _ in config.label.metrics))],
        "model_name string, model_version string, as_of timestamp, role string, slice_key string, "
        f"slice_value string, {', '.join(f'{name} double' for name in config.label.metrics)}",
    )
    inputs.write(
        tables.quarantine,
        [(SUBJECT.table, AS_OF, HOSTILE, "{}", 3), (SUBJECT.table, AS_OF, HOSTILE, "[]", 4)],
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


def scored(rows: int, start: datetime, days: int, as_of: datetime, seed: int) -> pd.DataFrame:
    """Scored rows with skill, and the truth."""
    random = np.random.default_rng(seed)
    prediction = random.beta(2, 5, rows)
    asked = [start + timedelta(seconds=float(s)) for s in np.sort(random.uniform(0, days * 86400, rows))]
    names = tuple(f"{start:%m}-{place}" for place in range(rows))
    return pd.DataFrame(
        {
            **dict.fromkeys((*SUBJECT.key, *SUBJECT.lookup_keys), names),
            **dict.fromkeys((SUBJECT.event_time, SUBJECT.prediction_time), tuple(asked)),
            "region": random.choice(["north", "south"], rows),
            "shop": random.choice(["A", "B", "C"], rows, p=[0.5, 0.49, 0.01]),
            "weight": np.where(random.uniform(size=rows) < 0.1, np.nan, random.normal(70, 5, rows)),
            "distance": random.choice([500.0, 1000.0], rows),
            CONFIG.prediction.column: prediction,
            LABEL.column: (random.uniform(size=rows) < prediction).astype(float),
            "model_name": MODEL,
            "model_version": WATCHED,
            "as_of": as_of,
        }
    )
