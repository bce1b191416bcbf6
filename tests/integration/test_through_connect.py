"""Every notebook of every job through Spark Connect, which serverless compute and an IDE speak, on made-up orders."""

from datetime import UTC, datetime, timedelta

import mlflow
import pytest
from pyspark.sql import SparkSession

from local_workspace.resources import make_mlflow_resources
from local_workspace.workspace import Workspace
from monitoring.violations import ALL
from project.registry import champion_version
from tests.deployments import Deployment, deploy
from tests.unit.tables import collected
from use_case.feed import orders_of

pytestmark = pytest.mark.homes("connect", reason="test_whole_run has the same notebooks run without Spark Connect")

DAY = timedelta(days=1)
TRAINED, SCORED, WATCHED = (datetime(2024, 4, day, tzinfo=UTC) for day in (1, 2, 9))


@pytest.fixture(scope="module")
def deployment(spark: SparkSession, workspace: Workspace) -> Deployment:
    """A model trained on three months, one day scored by it, and that day watched."""
    deployment = deploy(spark, workspace, "through_connect")
    make_mlflow_resources(deployment.bundle, workspace)
    for job, as_of in (("training", TRAINED), ("batch_inference", SCORED), ("monitoring", WATCHED)):
        failures = [
            f"{' ▸ '.join(task.path)}: {task.error}" for task in deployment.run(job, as_of=as_of.isoformat()).failures()
        ]
        assert failures == []
    return deployment


def test_the_trained_model_is_champion(deployment: Deployment) -> None:
    name = deployment.bundle.resource("registered_models", "model")["id"]
    assert champion_version(name) == "1"
    run = mlflow.get_run(mlflow.MlflowClient().get_model_version(name, "1").run_id)
    assert int(run.data.params["rows"]) > 5_000


def test_the_orders_of_the_day_are_scored_once(deployment: Deployment) -> None:
    predictions = deployment.table("predictions")
    assert sorted(predictions["order_id"]) == sorted(orders_of((SCORED - DAY).date())["order_id"])
    assert predictions["prediction"].between(0.001, 0.999).all()
    assert predictions["prediction"].nunique() > 80


def test_the_day_is_watched_and_reported(deployment: Deployment, spark: SparkSession) -> None:
    verdicts = spark.table(deployment.tables.monitoring_verdicts)
    (verdict,) = collected(verdicts.filter(verdicts["check_name"] == ALL))
    assert (verdict["as_of"], verdict["model_version"]) == (WATCHED, "1")
    assert verdict["rows"] == len(deployment.table("predictions"))
    (report,) = deployment.volume.rglob("reports/*.html")
    assert verdict["sentence"] in report.read_text(encoding="utf-8")
