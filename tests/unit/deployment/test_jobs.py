"""What MLflow's deployment jobs, and the promotion, expect of the job graph; and how many notebooks jobs start."""

from pathlib import Path

import pytest

from local_workspace.bundle import Bundle, load_bundle
from local_workspace.dbutils import DBUtils
from local_workspace.runner import Runner
from local_workspace.runs import JobRun, TaskRun
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
def test_the_training_task_links_the_job_and_deploys_where_registration_does_not(trigger) -> None:
    bundle = load(deployment_trigger=trigger)
    tasks = {task.task_key: task for task in bundle.jobs["training"].tasks}
    deployment_id = bundle.resource("jobs", "deployment")["id"]
    link = tasks["train"].notebook_task.base_parameters
    assert link == {"deployment_job_id": str(deployment_id), "deployment_trigger": trigger}
    condition = tasks["deployed_here"].condition_task
    assert (condition.op, condition.left, condition.right) == ("EQUAL_TO", trigger, "training")
    assert [item.task_key for item in tasks["deployed_here"].depends_on] == ["train"]
    assert [(item.task_key, item.outcome) for item in tasks["deploy"].depends_on] == [("deployed_here", "true")]
    assert tasks["deploy"].run_job_task.job_id == int(deployment_id)


# What tasks ask of the notebooks before them, when all goes well.
_SAID = {"passed": "true", "model_version": "8", "champion": "8", "action": "none", "cause": ""}


@pytest.fixture(scope="module")
def with_all_on() -> Bundle:
    """A deployment that publishes features, serves, and has a person approve."""
    return load(online_store="given", serving="true", approval="manual")


def played(bundle: Bundle, job: str) -> JobRun:
    """A run whose notebooks all do well, and do nothing."""

    def execute(_: Path, dbutils: DBUtils, __: TaskRun) -> None:
        for name, value in _SAID.items():
            dbutils.jobs.taskValues.set(name, value)

    runner = Runner(bundle, execute)
    run = runner.run(runner.prepare(job))
    assert not run.failed
    return run


def started(run: JobRun) -> list[str]:
    """The notebooks that a run started, those of nested runs too: on serverless, each start takes its time."""
    found = []
    for task in run.tasks.values():
        if task.nested:
            found += started(task.nested)
        elif task.attempts:
            found.append(Path(task.task.notebook_task.notebook_path).stem)
    return found


def chain(run: JobRun) -> int:
    """The most notebooks that a run started one after another."""
    until: dict[str, int] = {}
    for key, task in run.tasks.items():  # in dependency order
        own = chain(task.nested) if task.nested else int(task.attempts > 0)
        until[key] = own + max((until[before.task_key] for before in task.task.depends_on), default=0)
    return max(until.values())


def test_a_day_starts_few_notebooks_one_after_another(with_all_on) -> None:
    scoring, monitoring = played(with_all_on, "batch_inference"), played(with_all_on, "monitoring")
    starts = started(scoring) + started(monitoring)
    assert set(starts) == {"Refresh", "Score", "PublishFeatures", "Monitor"}
    assert len(starts) <= 5
    assert 1 <= chain(monitoring) <= 3
    assert 2 <= chain(scoring) <= 3


def test_a_training_starts_few_notebooks_one_after_another(with_all_on) -> None:
    training = played(with_all_on, "training")
    starts = started(training)
    assert set(starts) == {"Refresh", "Train", "Validate", "Approval", "Promote", "UpdateEndpoint"}
    assert len(starts) <= 6
    assert chain(training) <= 6
