"""`databricks bundle run` runs the deployed jobs for real: their tasks, from the files that were uploaded."""

from typing import Any

import pytest
from mlflow import MlflowClient
from mlflow.entities.model_registry import ModelVersion

from local_workspace.workspace import Workspace
from tests.bundle.standin import Deployment


def newest_runs(deployment: Deployment) -> dict[str, dict[str, Any]]:
    """The last run of each job, by the job's name without its prefix."""
    runs = deployment.get("/api/2.2/jobs/runs/list")["runs"]
    return {run["run_name"].rpartition(" ")[2]: run for run in reversed(runs)}


def states(run: dict[str, Any]) -> dict[str, str]:
    return {task["task_key"]: task["state"].get("result_state", "") for task in run["tasks"]}


@pytest.fixture(scope="module")
def champion(sliced: Deployment) -> ModelVersion:
    (model,) = sliced.held()["models"]
    store = Workspace(sliced.stand_in.folder / sliced.token).tracking_uri
    return MlflowClient(store, store).get_model_version_by_alias(model, "champion")


def test_the_jobs_of_a_pull_request_run_through(sliced: Deployment) -> None:
    runs = newest_runs(sliced)
    assert set(runs) == {"training", "batch_inference", "monitoring"}
    for name, run in runs.items():
        assert (run["state"]["life_cycle_state"], run["state"]["result_state"]) == ("TERMINATED", "SUCCESS"), name
        assert set(states(run).values()) <= {"SUCCESS", "EXCLUDED"}, name
        assert all(task["end_time"] >= task["start_time"] > 0 for task in run["tasks"]), name
    settings = {job["name"].rpartition(" ")[2]: job for job in sliced.jobs().values()}
    for name, run in runs.items():
        assert set(states(run)) == {task["task_key"] for task in settings[name]["tasks"]}
    assert states(runs["monitoring"])["run_training"] == "EXCLUDED"  # the target does not retrain by itself


def test_a_model_trained_on_the_slice_passed_its_gates_and_knows_its_commit(
    sliced: Deployment, champion: ModelVersion
) -> None:
    assert champion.version in (1, "1")
    assert champion.tags["validation"] == "passed"
    assert champion.tags["git_commit"] == (sliced.root / ".git/refs/heads/main").read_text().strip()
    assert champion.tags["as_of"] == "2013-08-01T00:00:00+00:00"


def test_all_that_runs_wrote_is_in_the_workspace_s_folder(sliced: Deployment, champion: ModelVersion) -> None:
    folder = sliced.stand_in.folder / sliced.token
    (schema,) = sliced.held()["schemas"]
    tables = {path.name for path in (folder / "warehouse" / f"{schema.partition('.')[2]}.db").iterdir()}
    assert {"flights", "labels", "predictions", "latest_predictions", "monitoring_verdicts"} <= tables
    assert list(sliced.stand_in.volumes(sliced.token).rglob("reports/*.html"))
    assert list((folder / "mlartifacts").rglob("MLmodel"))
    assert not list(folder.rglob("deployed-*"))


def test_a_task_that_fails_makes_the_run_fail_with_its_error(fresh: Deployment) -> None:
    notebook = "feature_engineering/notebooks/Ingest.py"
    fresh.edit(notebook, "\nsince = ingest(", "\nraise ValueError('the feed is down')\nsince = ingest(")
    said = fresh.deployed().make("bundle-run", "JOB=training", ok=False)
    assert "INTERNAL_ERROR FAILED" in said
    assert "Task refresh_features FAILED:" in said
    assert f"{notebook}, cell 3, line" in said
    assert "ValueError: the feed is down" in said
    run = newest_runs(fresh)["training"]
    found = states(run)
    assert found.pop("refresh_features") == "FAILED"
    assert found.pop("train") == "UPSTREAM_FAILED"
    assert set(found.values()) <= {"UPSTREAM_FAILED", "SUCCESS", "EXCLUDED"}


def test_a_parameter_that_a_job_has_not_is_refused_before_anything_runs(sliced: Deployment) -> None:
    said = sliced.make("bundle-run", "JOB=training", "PARAMS=asof=2013-08-01T00:00:00Z", ok=False)
    assert "asof" in said
    said = sliced.make("bundle-run", "JOB=training", "PARAMS=2013-08-01", ok=False)
    assert "error: '2013-08-01' is no parameter" in said


def test_another_catalog_than_the_one_that_is_here_is_named(fresh: Deployment) -> None:
    elsewhere = Deployment(fresh.stand_in, fresh.root, "test", fresh.token, {**fresh.settings, "catalog": "main"})
    said = elsewhere.deployed().make("bundle-run", "JOB=training", ok=False)
    assert "deploy with BUNDLE_VAR_catalog=spark_catalog" in said
