"""What MLflow's deployment jobs, and the promotion, expect of the job graph."""

import pytest

from local_workspace.bundle import Bundle, load_bundle
from local_workspace.workspace import REPOSITORY

# What targets ask for, or look up in a workspace.
_ASKED = (
    *("catalog", "suffix", "warehouse_id"),
    *("service_principal", "engineers_group", "readers_group", "notification_email"),
)


def load(target: str | None = None, **variables: str) -> Bundle:
    given = dict.fromkeys(_ASKED, "given") | variables
    return load_bundle(REPOSITORY, target, environ={f"BUNDLE_VAR_{name}": value for name, value in given.items()})


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    return load()


def test_the_approval_task_reads_the_tag_of_its_own_name_and_is_not_retried(bundle) -> None:
    tasks = {task.task_key: task for task in bundle.jobs["deployment"].tasks}
    assert {"model_name", "model_version"} <= {p.name for p in bundle.jobs["deployment"].parameters}
    assert tasks["approval"].notebook_task.base_parameters["approval_tag"] == "{{task.name}}"
    assert tasks["approval"].max_retries == 0
    assert tasks["approval"].disable_auto_optimization is True, "serverless would retry by itself"
    for key in ("promote", "record_refusal"):
        assert tasks[key].notebook_task.base_parameters["approval_tag"] == "approval"


def test_what_moves_champion_runs_one_at_a_time_and_queues(bundle) -> None:
    for key in ("training", "deployment", "rollback"):
        assert bundle.jobs[key].max_concurrent_runs == 1
        assert bundle.jobs[key].queue == {"enabled": True}


@pytest.mark.parametrize(
    ("target", "mode"), [("dev", "auto"), ("test", "auto"), ("staging", "auto"), ("prod", "manual")]
)
def test_in_prod_alone_a_person_approves(target, mode) -> None:
    parameters = {p.name: p.default for p in load(target).jobs["deployment"].parameters}
    assert parameters["approval"] == mode


@pytest.mark.parametrize("trigger", ["training", "registration"])
def test_the_training_job_links_before_it_trains_and_deploys_where_registration_does_not(trigger) -> None:
    bundle = load(deployment_trigger=trigger)
    tasks = {task.task_key: task for task in bundle.jobs["training"].tasks}
    deployment_id = bundle.resource("jobs", "deployment")["id"]
    link = tasks["link_deployment_job"].notebook_task.base_parameters
    assert link == {"deployment_job_id": str(deployment_id), "deployment_trigger": trigger}
    assert "link_deployment_job" in {item.task_key for item in tasks["train"].depends_on}
    condition = tasks["deployed_here"].condition_task
    assert (condition.op, condition.left, condition.right) == ("EQUAL_TO", trigger, "training")
    assert [(item.task_key, item.outcome) for item in tasks["deploy"].depends_on] == [("deployed_here", "true")]
    assert tasks["deploy"].run_job_task.job_id == int(deployment_id)
