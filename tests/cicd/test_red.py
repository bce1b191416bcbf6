"""What is broken turns the right workflow red, in the right step; what was deployed is destroyed all the same.

Each test runs the jobs alone that show it; the other jobs count as passed.
"""

from dataclasses import replace
from typing import Any

import pytest

from tests.cicd.conftest import Rehearsal
from tests.cicd.equivalents import NOT_REHEARSED
from tests.cicd.system import Event
from tests.cicd.test_rehearsal import CHANGE, merge, open_pull_request
from tests.cicd.workflow import Job, Step, UnknownPartError, Workflow

PULL_REQUEST, STAGING, RELEASE, PROD = "pull_request.yml", "staging.yml", "release.yml", "prod.yml"
DESTROY = "make destroy TARGET=test"
BROKEN = "def test_it() -> None:\n    assert False\n"
BROKEN_ON_SPARK = BROKEN.replace("()", "(spark)")


def test_a_file_that_is_not_formatted_fails_lint(rehearsal: Rehearsal) -> None:
    event = open_pull_request(rehearsal, 20, {"project/change.py": "x  =  1\n"})
    outcome = rehearsal.run(PULL_REQUEST, event, jobs=("lint", "workspace", "required"))
    assert outcome.failed()[0] == "make lint"
    assert outcome.results["workspace"] == "skipped"
    assert not outcome.green


def test_a_test_that_fails_keeps_the_change_from_the_workspace(rehearsal: Rehearsal) -> None:
    event = open_pull_request(rehearsal, 21, {"tests/unit/validation/test_gates.py": BROKEN})
    outcome = rehearsal.run(PULL_REQUEST, event, jobs=("unit", "workspace", "required"))
    assert outcome.failed()[0] == "make unit"
    assert "test_it" in outcome.done[0].ran.printed
    assert outcome.results["workspace"] == "skipped"
    assert outcome.results.get("required", "failure") == "failure"


def test_a_broken_job_file_fails_the_plan(rehearsal: Rehearsal) -> None:
    path = "resources/training.job.yml"
    job = rehearsal.origin.text("refs/heads/main", path).replace("notebooks/Train", "notebooks/Trian")
    event = open_pull_request(rehearsal, 22, {path: job})
    outcome = rehearsal.run(PULL_REQUEST, event, jobs=("plan", "workspace", "required"))
    assert outcome.failed()[0] == "make validate plan TARGET=dev"
    assert "Trian" in str(outcome)
    assert outcome.results["workspace"] == "skipped"


def test_a_notebook_that_raises_fails_the_run_and_is_destroyed(rehearsal: Rehearsal) -> None:
    path = "feature_engineering/notebooks/Refresh.py"
    notebook = rehearsal.origin.text("refs/heads/main", path) + "\nraise RuntimeError('broken on purpose')\n"
    event = open_pull_request(rehearsal, 23, {path: notebook})
    before = rehearsal.held()
    outcome = rehearsal.run(PULL_REQUEST, event, jobs=("workspace", "required"))
    assert outcome.failed()[0] == "make slice-test"
    assert "broken on purpose" in str(outcome)
    assert DESTROY in outcome.commands
    assert outcome.results["workspace"] == "failure"
    assert rehearsal.held() == before


def test_a_deployment_without_rights_is_red_and_is_destroyed_still(rehearsal: Rehearsal) -> None:
    event = open_pull_request(rehearsal, 24, CHANGE)
    login = rehearsal.workspaces["staging"]
    policies = list(login.policies)
    login.policies[:] = [replace(policy, writes=False) for policy in policies]
    try:
        outcome = rehearsal.run(PULL_REQUEST, event, jobs=("workspace", "required"))
    finally:
        login.policies[:] = policies
    assert outcome.failed()[0] == "make deploy TARGET=test"
    assert "PERMISSION_DENIED" in str(outcome)
    assert "make slice-test" not in outcome.commands
    assert DESTROY in outcome.commands


def test_a_run_that_is_cancelled_ends_its_jobs_and_destroys_them(rehearsal: Rehearsal) -> None:
    event = open_pull_request(rehearsal, 25, CHANGE)
    before = rehearsal.held()

    def a_task_runs(step: Step) -> bool:
        tasks = (
            [task for run in active_runs(rehearsal) for task in run["tasks"]] if step.run == "make slice-test" else []
        )
        return any(task["state"]["life_cycle_state"] == "RUNNING" for task in tasks)

    outcome = rehearsal.run(PULL_REQUEST, event, jobs=("workspace", "required"), cancel=a_task_runs)
    assert outcome.results["workspace"] == "cancelled"
    assert [command for command in outcome.commands if command.startswith("make")][-1] == DESTROY
    assert rehearsal.held() == before
    assert active_runs(rehearsal) == []
    assert not outcome.green


def active_runs(rehearsal: Rehearsal) -> list[dict[str, Any]]:
    """The runs that go on in the staging workspace."""
    listed: list[dict[str, Any]] = rehearsal.workspace("staging").get("/api/2.2/jobs/runs/list", active_only="true")[
        "runs"
    ]
    return listed


def test_without_a_federation_policy_there_is_no_deployment(rehearsal: Rehearsal) -> None:
    """Also: what staging has not proved is not released."""
    commit = merge(rehearsal, {"project/third.py": '"""Never released."""\n'})
    green, login = rehearsal.origin.head("refs/heads/green"), rehearsal.workspaces["staging"]
    policies = list(login.policies)
    login.policies[:] = [policy for policy in policies if policy.client_id != "staging-client"]
    try:
        outcome = rehearsal.run(STAGING, Event("push", commit), jobs=("deploy", "green"))
    finally:
        login.policies[:] = policies
    assert outcome.failed() == ["make deploy TARGET=staging"]
    assert "no federation policy of staging-client" in str(outcome)
    assert outcome.results["green"] == "skipped"
    assert rehearsal.origin.head("refs/heads/green") == green


@pytest.mark.parametrize(
    ("job", "command", "file", "test"),
    [
        ("engines", "make engines", "tests/engines/test_comparison.py", BROKEN),
        ("connect", "make test-connect", "tests/unit/project/test_rows.py", BROKEN_ON_SPARK),
    ],
)
def test_a_commit_that_jvm_spark_judges_otherwise_is_not_green(
    rehearsal: Rehearsal, job: str, command: str, file: str, test: str
) -> None:
    if not rehearsal.site.jvm:
        pytest.skip(NOT_REHEARSED)
    # Not left on main, from which the other tests go on.
    commit = rehearsal.origin.commit(rehearsal.origin.head("refs/heads/main"), "A merge", {file: test})
    rehearsal.origin.push(commit, "refs/heads/broken")
    green = rehearsal.origin.head("refs/heads/green")
    outcome = rehearsal.run(STAGING, Event("push", commit), jobs=(job, "green"))
    assert outcome.failed() == [command]
    assert "test_it" in str(outcome)
    assert outcome.results["green"] == "skipped"
    assert rehearsal.origin.head("refs/heads/green") == green


def test_a_deployment_that_fails_is_not_tagged_as_a_release(rehearsal: Rehearsal) -> None:
    commit = rehearsal.origin.head("refs/heads/main")
    tags, login = rehearsal.origin.tags(), rehearsal.workspaces["prod"]
    policies = list(login.policies)
    login.policies[:] = [replace(policy, writes=False) for policy in policies]
    try:
        outcome = rehearsal.run(PROD, Event("push", commit, branch="release"))
    finally:
        login.policies[:] = policies
    assert outcome.failed() == ["make deploy TARGET=prod"]
    assert outcome.results["record"] == "skipped"
    assert rehearsal.origin.tags() == tags


@pytest.mark.parametrize(
    ("file", "job", "command"), [(STAGING, "green", "make green"), (PROD, "record", "make release-tag")]
)
def test_a_job_that_may_not_push_is_red(rehearsal: Rehearsal, file: str, job: str, command: str) -> None:
    commit = merge(rehearsal, {"project/fourth.py": f'"""For {command}."""\n'})
    event = Event("push", commit, branch="main" if file == STAGING else "release")
    refs = [rehearsal.origin.head("refs/heads/green"), rehearsal.origin.tags()]
    flow = changed(rehearsal.workflow(file), job, without_push)
    outcome = rehearsal.run(file, event, jobs=(job,), workflow=flow)
    assert outcome.failed() == [command]
    assert [rehearsal.origin.head("refs/heads/green"), rehearsal.origin.tags()] == refs


def without_push(job: Job) -> Job:
    """GitHub's permission, or Azure's checkout, without the right to push."""
    steps = (replace(step, inputs={**step.inputs, "persistCredentials": "false"}) for step in job.steps)
    return replace(job, permissions={"contents": "read"}, steps=tuple(steps))


# Azure Pipelines gives permissions to the build service, and not in the file.
@pytest.mark.parametrize("rehearsal", ["github"], indirect=True)
@pytest.mark.parametrize(
    ("permission", "command"),
    [("id-token", "make validate plan TARGET=dev"), ("pull-requests", "make plan-comment")],
)
def test_a_permission_that_github_lacks_is_red(rehearsal: Rehearsal, permission: str, command: str) -> None:
    event = open_pull_request(rehearsal, 26, CHANGE)

    def without(job: Job) -> Job:
        kept = {key: level for key, level in job.permissions.items() if key != permission}
        only_this = tuple(step for step in job.steps if not step.run or step.run in ("make cli", command))
        plan = tuple(step for step in job.steps if step.run == "make validate plan TARGET=dev")
        return replace(
            job, permissions=kept, steps=(*only_this[:-1], *(plan if only_this[-1] not in plan else ()), only_this[-1])
        )

    flow = changed(rehearsal.workflow(PULL_REQUEST), "plan", without)
    outcome = rehearsal.run(PULL_REQUEST, event, jobs=("plan",), workflow=flow)
    assert outcome.failed() == [command]


# GitHub hands the log-in's token to all steps of a job that may have it.
@pytest.mark.parametrize("rehearsal", ["azure"], indirect=True)
def test_a_step_that_azure_does_not_hand_its_token_is_red(rehearsal: Rehearsal) -> None:
    event = open_pull_request(rehearsal, 27, CHANGE)

    def without(job: Job) -> Job:
        steps = (replace(step, env={}) if "TARGET=dev" in step.run else step for step in job.steps)
        return replace(job, steps=tuple(steps))

    flow = changed(rehearsal.workflow(PULL_REQUEST), "plan", without)
    outcome = rehearsal.run(PULL_REQUEST, event, jobs=("plan",), workflow=flow)
    assert outcome.failed() == ["make validate plan TARGET=dev"]
    assert "SYSTEM_ACCESSTOKEN" in str(outcome)


def test_an_action_that_nobody_named_is_an_error(rehearsal: Rehearsal) -> None:
    def with_action(job: Job) -> Job:
        return replace(job, steps=(Step("new", uses="someone/something@v1"), *job.steps))

    flow = changed(rehearsal.workflow(STAGING), "deploy", with_action)
    with pytest.raises(UnknownPartError, match="someone/something"):
        rehearsal.run(STAGING, Event("push", rehearsal.origin.head("refs/heads/main")), workflow=flow)


def changed(flow: Workflow, key: str, change: "object") -> Workflow:
    """The workflow with one job changed."""
    assert callable(change)
    return replace(flow, jobs=tuple(change(job) if job.key == key else job for job in flow.jobs))
