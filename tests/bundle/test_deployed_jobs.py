"""What the CLI made of the job files: nothing unresolved or pointing nowhere, and what each target promises."""

import json
from typing import Any

import pytest

from local_workspace.workspace import REPOSITORY
from tests.bundle.standin import PRINCIPAL, PRODUCTION, SETTINGS, Deployment

Job = dict[str, Any]


@pytest.fixture
def jobs(deployed: Deployment) -> dict[int, Job]:
    found = deployed.jobs()
    assert len(found) == len(list(REPOSITORY.glob("resources/*.job.yml"))) >= 4
    return found


def parameters(job: Job) -> dict[str, str]:
    return {parameter["name"]: parameter["default"] for parameter in job["parameters"]}


def test_nothing_is_unresolved(deployed: Deployment, jobs: dict[int, Job]) -> None:
    dashboards = deployed.get("/api/2.0/lakeview/dashboards")["dashboards"]
    alerts = deployed.get("/api/2.0/alerts")["alerts"]
    assert len(dashboards) == 1
    assert len(alerts) >= 2
    for resource in (*jobs.values(), *dashboards, *alerts):
        assert "${" not in json.dumps(resource)


def test_each_notebook_and_requirement_is_among_the_uploaded_files(deployed: Deployment, jobs: dict[int, Job]) -> None:
    uploaded = set(deployed.files("/Workspace"))
    notebooks = {
        task["notebook_task"]["notebook_path"]
        for job in jobs.values()
        for task in job["tasks"]
        if "notebook_task" in task
    }
    assert len(notebooks) > 8
    assert notebooks - uploaded == set()
    for job in jobs.values():
        for environment in job["environments"]:
            assert environment["spec"]["environment_version"] == "5"
            requirements, package = environment["spec"]["dependencies"]
            assert requirements.removeprefix("-r ") in uploaded
            assert package.removeprefix("--editable ") + "/pyproject.toml" in uploaded


def test_jobs_name_the_schema_model_and_experiment_that_were_deployed(
    deployed: Deployment, jobs: dict[int, Job]
) -> None:
    held = deployed.held()
    for job in jobs.values():
        given = parameters(job)
        assert [f"{given['catalog']}.{given['schema']}"] == held["schemas"]
        assert given.get("model_name", held["models"][0]) == held["models"][0]
        assert given.get("experiment", "").removeprefix("/Workspace") in ("", *held["experiments"])
        if "volume" in given:
            folder = given["volume"].removeprefix(str(deployed.stand_in.volumes(deployed.token)))
            assert [folder.strip("/").replace("/", ".")] == held["volumes"]
    models, volumes = held["models"], held["volumes"]
    assert all(name.startswith(f"{held['schemas'][0]}.") for name in (*models, *volumes))


def test_jobs_run_jobs_that_exist(jobs: dict[int, Job]) -> None:
    nested = {
        task["run_job_task"]["job_id"] for job in jobs.values() for task in job["tasks"] if "run_job_task" in task
    }
    assert nested
    assert nested - set(jobs) == set()


def test_each_job_is_one_at_a_time_waits_in_a_queue_and_ends(jobs: dict[int, Job]) -> None:
    for job in jobs.values():
        assert job["max_concurrent_runs"] == 1, job["name"]
        assert job["queue"] == {"enabled": True}, job["name"]
        assert job["timeout_seconds"] > 0, job["name"]
        for task in job["tasks"]:
            if "notebook_task" in task:
                assert 0 < task["timeout_seconds"] <= job["timeout_seconds"], (job["name"], task["task_key"])
                assert "max_retries" in task, (job["name"], task["task_key"])


def test_the_deployed_commit_is_on_each_job_and_on_what_training_makes(
    deployed: Deployment, jobs: dict[int, Job]
) -> None:
    commit = (deployed.root / ".git/refs/heads/main").read_text().strip()
    assert {job["tags"]["git_commit"] for job in jobs.values()} == {commit}
    assert {job["tags"]["target"] for job in jobs.values()} == {deployed.target}
    (training,) = (job for job in jobs.values() if job["name"].endswith("training"))
    assert parameters(training)["git_commit"] == commit
    metadata = deployed.read(training["deployment"]["metadata_file_path"])
    assert json.loads(metadata)["config"]["bundle"]["git"]["commit"] == commit


def test_schedules_run_in_production_alone(deployed: Deployment, jobs: dict[int, Job]) -> None:
    status = "UNPAUSED" if deployed.target in PRODUCTION else "PAUSED"
    schedules = [job["schedule"] for job in jobs.values() if "schedule" in job]
    schedules += [alert["schedule"] for alert in deployed.get("/api/2.0/alerts")["alerts"]]
    assert len(schedules) >= 5
    assert {schedule["pause_status"] for schedule in schedules} == {status}
    assert {schedule["timezone_id"] for schedule in schedules} == {"UTC"}


def test_a_run_knows_as_much_as_its_target_says(deployed: Deployment, jobs: dict[int, Job]) -> None:
    moments = {parameters(job)["as_of"] for job in jobs.values()}
    sample = deployed.target not in PRODUCTION
    assert moments == {"2024-04-01T00:00:00Z" if sample else "{{job.start_time.iso_datetime}}"}
    starts = {parameters(job)["history_start"] for job in jobs.values() if "history_start" in parameters(job)}
    assert starts == {"2024-02-01T00:00:00Z" if deployed.target == "test" else ""}


def test_production_runs_as_its_principal_and_tells_somebody(deployed: Deployment, jobs: dict[int, Job]) -> None:
    principals = {job.get("run_as", {}).get("service_principal_name") for job in jobs.values()}
    told = {name for job in jobs.values() for name in job["email_notifications"].get("on_failure", [])}
    alerts = deployed.get("/api/2.0/alerts")["alerts"]
    told |= {
        one["user_email"] for alert in alerts for one in alert["evaluation"]["notification"].get("subscriptions", [])
    }
    if deployed.target in PRODUCTION:
        assert principals == {PRINCIPAL}
        assert told == {SETTINGS["notification_email"]}
    else:
        assert principals == {None}
        assert told == set()


def test_groups_may_run_and_read_and_nothing_more(deployed: Deployment, jobs: dict[int, Job]) -> None:
    (schema,) = deployed.held()["schemas"]
    grants = deployed.get(f"/api/2.1/unity-catalog/permissions/schema/{schema}").get("privilege_assignments", [])
    granted = {grant["principal"]: set(grant["privileges"]) for grant in grants}
    levels = {number: access(deployed, f"jobs/{number}") for number in jobs}
    (dashboard,) = deployed.get("/api/2.0/lakeview/dashboards")["dashboards"]
    views = access(deployed, f"dashboards/{dashboard['dashboard_id']}")
    if deployed.target not in PRODUCTION:
        assert granted == {}
        assert not any(SETTINGS["engineers_group"] in level for level in (*levels.values(), views))
        return
    engineers, readers = SETTINGS["engineers_group"], SETTINGS["readers_group"]
    assert granted == {
        engineers: {"USE_SCHEMA", "SELECT", "EXECUTE", "READ_VOLUME"},
        readers: {"USE_SCHEMA", "SELECT"},
    }
    for level in levels.values():
        assert level == {PRINCIPAL: "IS_OWNER", engineers: "CAN_MANAGE_RUN", readers: "CAN_VIEW"}
    assert views[readers] == "CAN_READ"


def access(deployed: Deployment, resource: str) -> dict[str, str]:
    """The level that each principal has been given on a resource; a workspace's administrators always have all."""
    found = deployed.get(f"/api/2.0/permissions/{resource}").get("access_control_list", [])
    return {
        one.get("group_name") or one.get("service_principal_name") or one.get("user_name"): level["permission_level"]
        for one in found
        for level in one["all_permissions"]
        if one.get("group_name") != "admins"
    }


WRONG = {
    "cron": ("resources/monitoring.job.yml", "${var.monitoring_schedule}", "0 0 9 * *", "cron"),
    "no question mark": ("resources/monitoring.job.yml", "${var.monitoring_schedule}", "0 0 9 * * *", "must be '?'"),
    "hour": ("resources/violation.alert.yml", "${var.alert_schedule}", "0 0 25 * * ?", "cron"),
    "depends_on": (
        "resources/monitoring.job.yml",
        "- task_key: monitor\n          notebook",
        "- task_key: monitr\n          notebook",
        "monitor",
    ),
    "environment_key": (
        "resources/monitoring.job.yml",
        "environment_key: default\n          max",
        "environment_key: other\n          max",
        "other",
    ),
}


@pytest.mark.parametrize("fault", WRONG)
def test_what_a_workspace_refuses_is_not_deployed(fresh: Deployment, fault: str) -> None:
    file, old, new, named = WRONG[fault]
    fresh.edit(file, old, new)
    assert named in fresh.cli("deploy", ok=False)
