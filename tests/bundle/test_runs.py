"""`databricks bundle run` runs the deployed jobs for real: their tasks, from the files that were uploaded."""

import pytest
from mlflow import MlflowClient
from mlflow.entities.model_registry import ModelVersion

from local_workspace.workspace import Workspace
from tests.bundle.standin import Deployment, assert_ran_to_its_end, newest_runs, states


@pytest.fixture(scope="module")
def champion(trained: Deployment) -> ModelVersion:
    (model,) = trained.held()["models"]
    store = Workspace(trained.stand_in.folder / trained.token).tracking_uri
    return MlflowClient(store, store).get_model_version_by_alias(model, "champion")


def test_each_task_of_the_deployed_job_runs_to_its_end(trained: Deployment) -> None:
    (run,) = newest_runs(trained).values()
    assert_ran_to_its_end(run)
    (settings,) = (job for job in trained.jobs().values() if job["name"].endswith(" training"))
    assert set(states(run)) == {task["task_key"] for task in settings["tasks"]}
    assert states(run)["deploy"] == "SUCCESS"  # a nested job's run is none of its own


def test_a_model_trained_on_the_slice_passed_its_gates_and_knows_its_commit(
    trained: Deployment, champion: ModelVersion
) -> None:
    assert champion.version in (1, "1")
    assert champion.tags["validation"] == "passed"
    assert champion.tags["git_commit"] == (trained.root / ".git/refs/heads/main").read_text().strip()
    assert champion.tags["as_of"] == "2024-04-01T00:00:00+00:00"


def test_all_that_runs_wrote_is_in_the_workspace_s_folder(trained: Deployment, champion: ModelVersion) -> None:
    folder = trained.stand_in.folder / trained.token
    (schema,) = trained.held()["schemas"]
    tables = {path.name for path in (folder / "warehouse" / f"{schema.partition('.')[2]}.db").iterdir()}
    assert {"orders", "labels", "customer_features", "validation_scores", "promotions"} <= tables
    assert list(trained.stand_in.volumes(trained.token).rglob("landing/orders/*/*.csv"))
    assert list((folder / "mlartifacts").rglob("MLmodel"))
    assert not list(folder.rglob("deployed-*"))


def test_a_task_that_fails_makes_the_run_fail_with_its_error(fresh: Deployment) -> None:
    notebook = "feature_engineering/notebooks/Refresh.py"
    fresh.edit(notebook, "\nrefresh(spark,", "\nraise ValueError('the feed is down')\nrefresh(spark,")
    said = fresh.deployed().make("bundle-run", "JOB=training", ok=False)
    assert "INTERNAL_ERROR FAILED" in said
    assert "Task refresh_features FAILED:" in said
    assert f"{notebook}, cell 2, line" in said
    assert "ValueError: the feed is down" in said
    run = newest_runs(fresh)["training"]
    found = states(run)
    assert found.pop("refresh_features") == "FAILED"
    assert found.pop("train") == "UPSTREAM_FAILED"
    assert set(found.values()) <= {"UPSTREAM_FAILED", "SUCCESS", "EXCLUDED"}


def test_a_reason_reaches_the_rollback_with_its_spaces_commas_and_quotes(fresh: Deployment) -> None:
    reason = "too high, again: 7 > 5, \"no\" = 'no', costs $5"
    notebook = "deployment/model_deployment/notebooks/Rollback.py"
    fresh.edit(notebook, "\nchampion = roll_back(", "\nraise ValueError(p.text('reason'))\nchampion = roll_back(")
    said = fresh.deployed().make("bundle-rollback", f"REASON={reason}", ok=False)
    assert f"ValueError: {reason}" in said
    said = fresh.make("bundle-run", "JOB=rollback", f"PARAMS=reason={reason}", ok=False)
    assert f"ValueError: {reason}" in said
    assert "error: say why: make bundle-rollback TARGET=prod" in fresh.make("bundle-rollback", ok=False)


def test_a_parameter_that_a_job_has_not_is_refused_before_anything_runs(trained: Deployment) -> None:
    said = trained.make("bundle-run", "JOB=training", "PARAMS=asof=2024-04-01T00:00:00Z", ok=False)
    assert "asof" in said
    said = trained.make("bundle-run", "JOB=training", "PARAMS=2024-04-01", ok=False)
    assert "error: '2024-04-01' is not a parameter" in said


def test_another_catalog_than_the_one_that_is_here_is_named(fresh: Deployment) -> None:
    elsewhere = Deployment(fresh.stand_in, fresh.root, "test", fresh.token, {**fresh.settings, "catalog": "main"})
    said = elsewhere.deployed().make("bundle-run", "JOB=training", ok=False)
    assert "deploy with BUNDLE_VAR_catalog=spark_catalog" in said
