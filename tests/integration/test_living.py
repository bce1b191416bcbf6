"""The commonest change of a deployment that lives: one feature more, from the code to champion and back."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pandas as pd
import pytest
from databricks.sdk import WorkspaceClient
from mlflow import MlflowClient
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from local_workspace.api import Context, serve_api
from local_workspace.cli import served_endpoint
from local_workspace.resources import make_mlflow_resources
from local_workspace.workspace import Workspace
from monitoring.violations import ALL
from project.registry import champion_version
from tests.deployments import Deployment, deploy
from tests.living import changed, registry
from tests.unit.tables import collected
from use_case.features import customer_features

pytestmark = pytest.mark.homes("local", "connect", reason="the jobs of a bundle, beside the local workspace's API")

NEW = "customer_slowdown"
DAYS = [datetime(2024, 4, day, tzinfo=UTC) for day in range(1, 9)]


def with_slowdown(labels: DataFrame, as_of: datetime) -> DataFrame:
    """One line more in `features.py`."""
    slowdown = F.col("customer_orders_28d") / F.nullif(F.col("customer_orders_7d"), F.lit(0.0))
    return customer_features(labels, as_of).withColumn(NEW, slowdown)


def without_refund(labels: DataFrame, as_of: datetime) -> DataFrame:
    """And later one less."""
    return with_slowdown(labels, as_of).drop("customer_refund_28d")


@pytest.fixture(scope="module")
def deployment(spark: SparkSession, workspace: Workspace) -> Iterator[Deployment]:
    """The bundle with two months of history, of which two weeks judge."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BUNDLE_VAR_history_start", "2024-02-01T00:00:00Z")
        patch.setenv("BUNDLE_VAR_validation_days", "14")
        made = deploy(spark, workspace, "living")
        make_mlflow_resources(made.bundle, workspace)
        yield made


def run(deployment: Deployment, job: str, as_of: datetime, **parameters: str) -> None:
    failures = deployment.run(job, as_of=as_of.isoformat(), **parameters).failures()
    assert [f"{' ▸ '.join(task.path)}: {task.error}" for task in failures] == []


def predicted(deployment: Deployment, as_of: datetime) -> pd.DataFrame:
    rows = deployment.spark.table(deployment.tables.predictions).filter(F.col("as_of") == F.lit(as_of)).toPandas()
    assert len(rows) > 80
    assert rows["prediction"].between(0.001, 0.999).all()
    return rows


def answer(deployment: Deployment) -> tuple[str, float]:
    """The version that the endpoint serves, and what it says of one order, of which it gets what is asked with."""
    orders = deployment.spark.table(deployment.tables.named("orders")).filter("status = 'open'")
    names = ("customer_id", "price", "items", "shop", "product", "string(weekday) AS weekday")
    (record,) = collected(orders.selectExpr(*names).limit(1))
    endpoint = served_endpoint(deployment.bundle)
    with serve_api(Context(deployment.workspace, lambda: deployment.spark)):
        api = WorkspaceClient().serving_endpoints
        (entity,) = api.get(endpoint).config.served_entities
        (prediction,) = api.query(endpoint, dataframe_records=[record]).predictions
    return entity.entity_version, prediction


def test_a_feature_more_goes_from_the_code_to_champion_and_back(deployment: Deployment) -> None:
    """One test: each run follows from the one before."""
    spark, tables = deployment.spark, deployment.tables
    model = str(deployment.bundle.resource("registered_models", "model")["id"])
    run(deployment, "training", DAYS[0])
    run(deployment, "batch_inference", DAYS[1])
    run(deployment, "monitoring", DAYS[1])
    assert champion_version(model) == "1"
    assert answer(deployment)[0] == "1"

    with registry(changed("customer_features", compute=with_slowdown)):
        run(deployment, "batch_inference", DAYS[2])
        filled = deployment.table("customer_features")
        assert filled[NEW].notna().any()
        assert (filled[NEW].notna() == (filled["customer_orders_7d"] > 0)).all(), "for the whole history"
        assert set(predicted(deployment, DAYS[2])["model_version"]) == {"1"}, "the champion does not know it"
        assert NEW not in spark.table(tables.predictions).columns

        run(deployment, "training", DAYS[3])
        assert champion_version(model) == "2"
        inputs = MlflowClient().get_model_version(model, "2")
        judged = spark.table(tables.validation_scores).filter(F.col("as_of") == F.lit(DAYS[3]))
        by_version = {
            row["model_version"]: row
            for row in collected(
                judged.groupBy("model_version").agg(
                    F.count(F.lit(1)).alias("rows"),
                    F.count(NEW).alias("known"),
                    F.sum(F.hash("order_id").cast("long")).alias("which"),
                )
            )
        }
        assert set(by_version) == {"1", "2"}
        assert by_version["1"]["which"] == by_version["2"]["which"], "on the same rows"
        assert by_version["1"]["known"] == 0 < by_version["2"]["known"]
        assert inputs.tags["validation"] == "passed"

        run(deployment, "batch_inference", DAYS[4])
        scored = predicted(deployment, DAYS[4])
        assert set(scored["model_version"]) == {"2"}
        assert scored[NEW].notna().any()
        assert predicted(deployment, DAYS[2])[NEW].isna().all()
        assert answer(deployment)[0] == "2"
        run(deployment, "monitoring", DAYS[5])
        (verdict,) = collected(
            spark.table(tables.monitoring_verdicts).filter(
                (F.col("check_name") == ALL) & (F.col("as_of") == F.lit(DAYS[5]))
            )
        )
        assert verdict["model_version"] == "2"
        baseline = spark.table(tables.inference_baseline)
        assert baseline.filter(F.col("model_version") == "2").agg(F.count(NEW)).first()[0] > 0
        drift = spark.table(tables.drift_metrics).filter(
            (F.col("column_name") == NEW) & (F.col("model_version") == "2")
        )
        assert drift.filter(F.col("population_stability_index").isNotNull()).count() > 0

        run(deployment, "rollback", DAYS[5], reason="the new feature is wrong")
        assert champion_version(model) == "1"
        run(deployment, "batch_inference", DAYS[6])
        assert set(predicted(deployment, DAYS[6])["model_version"]) == {"1"}
        assert answer(deployment)[0] == "1"

    with registry(changed("customer_features", compute=without_refund)):
        run(deployment, "batch_inference", DAYS[7])
        last = predicted(deployment, DAYS[7])
        assert set(last["model_version"]) == {"1"}, "it learned from a feature that is no longer computed"
        run(deployment, "monitoring", DAYS[7])
