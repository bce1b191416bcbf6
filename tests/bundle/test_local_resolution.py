"""The local runner resolves the bundle to what the CLI deployed, but for what only a workspace knows, named here."""

import json
from typing import Any

import pytest

from local_workspace.bundle import Bundle, load_bundle
from local_workspace.bundle.jobs import Job, parse_job
from local_workspace.environment import USE_CASE_VARIABLE
from tests.bundle.standin import PRINCIPAL, Deployment

# What the API adds to a job's settings when it stores them; none of it was asked for.
_ADDED_TO_JOB = ("deployment", "edit_mode", "format", "webhook_notifications")
_ADDED_TO_TASK = ("email_notifications", "timeout_seconds")
# Set by the CLI through an API of their own, so they are no part of the settings.
_ELSEWHERE = ("permissions",)


def comparable(job: Job, name_of: dict[int, str]) -> dict[str, Any]:
    """A job's settings in one form: ids of jobs by the jobs' names, and lists in an order that means nothing."""
    settings = job.model_dump(exclude=set(_ELSEWHERE))
    tasks = {task["task_key"]: task for task in settings.pop("tasks")}
    names = {str(number): name for number, name in name_of.items()}
    for task in tasks.values():
        # Nobody to tell: the API leaves out what the bundle says so.
        task["email_notifications"] = task["email_notifications"] or None
        task["depends_on"] = sorted(task["depends_on"], key=lambda before: before["task_key"])
        if task["run_job_task"]:
            task["run_job_task"]["job_id"] = name_of[task["run_job_task"]["job_id"]]
        if task["notebook_task"]:
            given = task["notebook_task"]["base_parameters"]
            task["notebook_task"]["base_parameters"] = {key: names.get(value, value) for key, value in given.items()}
    return {**settings, "tasks": tasks}


def deployed_job(settings: dict[str, Any]) -> Job:
    """What the API says of a job, without what it adds."""
    own = {key: value for key, value in settings.items() if key not in _ADDED_TO_JOB}
    own["tasks"] = [
        {key: value for key, value in task.items() if value or key not in _ADDED_TO_TASK} for task in own["tasks"]
    ]
    return parse_job(settings["name"], own, "the workspace")


@pytest.fixture(autouse=True)
def none_but_its_own_use_case(monkeypatch: pytest.MonkeyPatch) -> None:
    """The CLI knows no other."""
    monkeypatch.delenv(USE_CASE_VARIABLE, raising=False)


def resolve_here(deployed: Deployment) -> Bundle:
    """The bundle as the local runner resolves it for the same person, target and environment."""
    return load_bundle(deployed.root, deployed.target, environ=deployed.environ, user=PRINCIPAL)


def test_each_job_is_resolved_as_the_cli_resolves_it(deployed: Deployment) -> None:
    bundle, jobs = resolve_here(deployed), deployed.jobs()
    here = {
        job.name: comparable(job, {n: bundle.jobs[key].name for n, key in bundle.job_keys.items()})
        for job in bundle.jobs.values()
    }
    there = {
        job["name"]: comparable(deployed_job(job), {n: one["name"] for n, one in jobs.items()}) for job in jobs.values()
    }
    assert set(here) == set(there)
    for name, job in here.items():
        assert job == there[name], name


def test_schema_volume_model_and_experiment_are_named_as_the_cli_names_them(deployed: Deployment) -> None:
    resources, held = resolve_here(deployed).resources, deployed.held()
    for kind, found in (("schemas", "schemas"), ("volumes", "volumes"), ("registered_models", "models")):
        assert [one["id"] for one in resources[kind].values()] == held[found]
    # A workspace leaves the beginning out.
    assert [one["name"].removeprefix("/Workspace") for one in resources["experiments"].values()] == held["experiments"]


def test_the_queries_of_dashboard_and_alerts_are_deployed_as_they_are_resolved_here(deployed: Deployment) -> None:
    resources = resolve_here(deployed).resources
    (here,), (there,) = resources["dashboards"].values(), deployed.get("/api/2.0/lakeview/dashboards")["dashboards"]
    schema = {"catalog": here["dataset_catalog"], "schema": here["dataset_schema"]}
    file = json.loads((deployed.root / "use_case" / "monitoring.lvdash.json").read_text())
    file["datasets"] = [one | schema for one in file["datasets"]]
    assert json.loads(there["serialized_dashboard"]) == file
    resolved, found = (
        {alert["display_name"]: (alert["query_text"], alert["evaluation"]["threshold"]) for alert in alerts}
        for alerts in (resources["alerts"].values(), deployed.get("/api/2.0/alerts")["alerts"])
    )
    assert resolved == found
