"""The jobs that judge, approve, promote and roll back, with their real notebooks; only the verdicts are made up."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import mlflow.sklearn
import pandas as pd
import pytest
from databricks.sdk import WorkspaceClient
from mlflow import MlflowClient
from mlflow.models import infer_signature
from pyspark.sql import SparkSession
from pyspark.sql import functions as F
from sklearn.dummy import DummyRegressor

from deployment.batch_inference.scoring import score
from local_workspace.api import Context, serve_api
from local_workspace.cli import served_endpoint
from local_workspace.resources import make_mlflow_resources
from local_workspace.runs import JobRun
from local_workspace.workspace import Workspace
from project.config import Config
from project.registry import champion_version
from project.times import validation_window
from project.verdicts import Verdict, read_verdict, write_verdict
from tests.deployments import Deployment, deploy
from validation import validate

AS_OF = datetime(2024, 4, 1, tzinfo=UTC)


class Judge:
    """In the place of validation: each version's verdict is as the test has it, and passes if it has none."""

    def __init__(self) -> None:
        self.verdicts: dict[str, bool] = {}

    def __call__(
        self, spark: Any, tables: Any, name: str, version: str, as_of: datetime, git_commit: str, config: Config
    ) -> bool:
        passed = self.verdicts.get(version, True)
        if (champion := champion_version(name)) != version:
            window = validation_window(as_of, config.training.validation_days)
            verdict = Verdict(name, version, champion, passed, "[]", git_commit, as_of, *window)
            write_verdict(spark, tables, verdict)
        return passed


@pytest.fixture(scope="module")
def deployed(spark: SparkSession, workspace: Workspace) -> Iterator[Deployment]:
    """The bundle for a target that asks for approval, and serves; its made-up features are in no online store."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BUNDLE_VAR_approval", "manual")
        patch.setenv("BUNDLE_VAR_online_store", "none")
        deployment = deploy(spark, workspace, "approved")
        make_mlflow_resources(deployment.bundle, workspace)
        yield deployment


@pytest.fixture
def judge(monkeypatch: pytest.MonkeyPatch) -> Judge:
    judge = Judge()
    monkeypatch.setattr(validate, "validate", judge)
    return judge


@pytest.fixture(scope="module")
def model(deployed: Deployment) -> str:
    return str(deployed.bundle.resource("registered_models", "model")["id"])


@pytest.fixture(scope="module")
def orders(deployed: Deployment, config: Config) -> pd.DataFrame:
    """An order a day, placed at noon, and its customer; the first is what the smoke query asks about."""
    asked = [AS_OF + timedelta(days=day, hours=-12) for day in range(4)]
    orders = pd.DataFrame({"order_id": ["before", "a", "b", "c"], "customer_id": "C1", "ordered_at": asked})
    orders["closes_at"] = orders["ordered_at"] + timedelta(days=1)
    orders[list(config.request_features.numeric)] = 1.0
    orders[list(config.request_features.categorical)] = "A"
    deployed.spark.createDataFrame(orders).write.saveAsTable(deployed.tables.named("orders"))
    return orders


@pytest.fixture(scope="module")
def versions(deployed: Deployment, model: str, orders: pd.DataFrame) -> list[str]:
    """Four versions; each predicts its own number for every order."""
    # The workspace sets the path of it.
    from databricks.feature_engineering import FeatureEngineeringClient, FeatureLookup  # noqa: PLC0415

    client, ages = FeatureEngineeringClient(), deployed.full_name("ages")
    age = deployed.spark.createDataFrame([("C1", 40.0)], "customer_id string, age double")
    client.create_table(name=ages, primary_keys="customer_id", df=age)
    rows = deployed.spark.createDataFrame([("C1", 1.0)], "customer_id string, returned double")
    training_set = client.create_training_set(
        df=rows,
        feature_lookups=[FeatureLookup(table_name=ages, lookup_key="customer_id")],
        label="returned",
        exclude_columns=["customer_id"],
    )
    example = training_set.load_df().toPandas()[["age"]]
    for number in range(1, 5):
        constant = DummyRegressor(strategy="constant", constant=float(number)).fit(example, [0.0])
        client.log_model(
            model=constant,
            artifact_path="model",
            flavor=mlflow.sklearn,
            training_set=training_set,
            registered_model_name=model,
            signature=infer_signature(example, constant.predict(example)),
            input_example=example,
            pip_requirements=["scikit-learn"],
        )
    return [str(number) for number in range(1, 5)]


def states(run: JobRun) -> dict[str, str]:
    return {key: str(state) for key, state in run.states.items() if key not in {"passed", "serves"}}


def served(deployed: Deployment) -> tuple[dict[str, int], list[float]]:
    """The traffic by version, and what the endpoint answers for one order."""
    endpoint = served_endpoint(deployed.bundle)
    with serve_api(Context(deployed.workspace, lambda: deployed.spark)):
        api = WorkspaceClient().serving_endpoints
        config = api.get(endpoint).config
        answer = api.query(endpoint, dataframe_records=[{"customer_id": "C1", "age": 40.0}]).predictions
    versions = {entity.name: entity.entity_version for entity in config.served_entities}
    return {versions[one.served_entity_name]: one.traffic_percentage for one in config.traffic_config.routes}, answer


def test_a_version_goes_from_judged_to_approved_to_champion_and_back(deployed, model, versions, judge, config) -> None:
    """One test: each run follows from the one before."""
    client, first, second, failed, rejected = MlflowClient(), *versions

    def deploy_version(version: str, **parameters: str) -> dict[str, str]:
        return states(deployed.run("deployment", model_version=version, as_of=AS_OF.isoformat(), **parameters))

    def judged_days(version: str) -> int:
        filed = read_verdict(deployed.spark, deployed.tables, model, version, AS_OF)
        assert filed is not None
        return (filed.verdict.window_end - filed.verdict.window_start).days

    def answer(version: str, word: str) -> None:
        client.set_model_version_tag(model, version, "approval", word)

    def predicted(day: int) -> tuple[str, float]:
        as_of = AS_OF + timedelta(days=day)
        version = str(champion_version(model))
        score(deployed.spark, deployed.tables, model, version, as_of, timedelta(days=1), config)
        row = deployed.spark.table(deployed.tables.predictions).filter(F.col("as_of") == F.lit(as_of)).first()
        return version, row["prediction"]

    not_refused = {"validate": "success", "record_refusal": "excluded"}
    waits = {**not_refused, "approval": "failed", "promote": "upstream_failed", "update_endpoint": "upstream_failed"}
    passes = {**not_refused, "approval": "success", "promote": "success", "update_endpoint": "success"}

    assert deploy_version(first) == waits
    assert champion_version(model) is None
    answer(first, "Approved")
    assert deploy_version(first) == passes
    assert champion_version(model) == first
    assert predicted(1) == (first, 1.0)
    assert served(deployed) == ({first: 100}, [1.0])

    assert judged_days(first) == config.training.validation_days

    answer(second, "Approved")
    assert deploy_version(second, validation_days="14") == passes
    assert judged_days(second) == 14
    assert predicted(2) == (second, 2.0)
    assert served(deployed) == ({second: 100}, [2.0])
    assert deploy_version(second) == passes, "it is champion, and stays it"

    judge.verdicts[failed] = False
    answer(failed, "Approved")
    later = dict.fromkeys(("approval", "promote", "update_endpoint"), "excluded")
    refused = {"validate": "success", **later, "record_refusal": "success"}
    assert deploy_version(failed) == refused
    answer(rejected, "Rejected")
    assert deploy_version(rejected) == waits
    assert champion_version(model) == second
    assert served(deployed) == ({second: 100}, [2.0])

    without_reason = deployed.run("rollback")
    assert "a rollback needs a reason" in str(next(without_reason.failures()).error)
    assert not deployed.run("rollback", reason="too high").failed
    assert champion_version(model) == first
    assert predicted(3) == (first, 1.0)
    assert served(deployed) == ({first: 100}, [1.0])
    nothing_left = deployed.run("rollback", reason="too high")
    assert "has no former champion to go back to: champion is version 1" in str(next(nothing_left.failures()).error)

    record = deployed.spark.table(deployed.tables.promotions).filter("status <> 'started'").orderBy("move")
    assert [(row["action"], row["status"], row["model_version"]) for row in record.collect()] == [
        ("promotion", "done", first),
        ("promotion", "done", second),
        ("promotion", "refused", failed),
        ("rollback", "done", first),
    ]
