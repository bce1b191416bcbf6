"""The stand-in starts runs as Databricks does: beyond `max_concurrent_runs` they wait in the queue, or are skipped."""

import contextlib
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.bundle.standin import TOKEN, Deployment, StandIn, stand_in

# Reports its one task, and ends as the test says: it waits for a word in the run's pipe.
RUNNER = """
import contextlib, json, os, sys
request = json.load(sys.stdin)
name = os.path.join(sys.argv[1], f"pipe-{request['run_id']}")
with contextlib.suppress(FileExistsError):
    os.mkfifo(name)
print(json.dumps({"task_key": "a", "state": {"life_cycle_state": "RUNNING"}}), flush=True)
with open(name) as pipe:
    word = pipe.readline().strip()
result = "SUCCESS" if word == "end" else "FAILED"
state = {"life_cycle_state": "TERMINATED", "result_state": result, "state_message": word}
print(json.dumps({"task_key": "a", "state": state, "error": word}), flush=True)
sys.exit(result == "FAILED")
"""
MANY = 10_000


@pytest.fixture(scope="module")
def server(built_cli: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    folder = tmp_path_factory.mktemp("queue")
    (folder / "runner.py").write_text(RUNNER)
    with stand_in(folder, f"{sys.executable} {folder / 'runner.py'} {folder}") as started:
        yield started


@pytest.fixture
def workspace(server: StandIn, tmp_path: Path) -> Deployment:
    return Deployment(server, tmp_path, "test", f"{TOKEN}-{tmp_path.name}")


def make_job(workspace: Deployment, **settings: Any) -> int:
    tasks = [{"task_key": "a"}, {"task_key": "b", "depends_on": [{"task_key": "a"}]}]
    made = workspace.post("/api/2.2/jobs/create", name="job", tasks=tasks, **settings)
    return int(made["job_id"])


def start(workspace: Deployment, job: int) -> int:
    return int(workspace.post("/api/2.2/jobs/run-now", job_id=job)["run_id"])


def life(workspace: Deployment, run: int) -> str:
    state: str = workspace.get("/api/2.2/jobs/runs/get", run_id=run)["state"]["life_cycle_state"]
    return state


def until(condition: Callable[[], bool]) -> None:
    """Asks again and again; the stand-in answers in a millisecond."""
    assert any(condition() for _ in range(MANY))


def say(workspace: Deployment, run: int, word: str) -> None:
    """Ends a run; blocks until it goes on and listens."""
    pipe = workspace.stand_in.folder / f"pipe-{run}"
    with contextlib.suppress(FileExistsError):
        os.mkfifo(pipe)
    pipe.write_text(f"{word}\n")


def test_with_a_queue_runs_follow_each_other(workspace: Deployment) -> None:
    job = make_job(workspace, max_concurrent_runs=1, queue={"enabled": True})
    first, second, third = (start(workspace, job) for _ in range(3))
    until(lambda: life(workspace, first) == "RUNNING")
    assert (life(workspace, second), life(workspace, third)) == ("QUEUED", "QUEUED")
    say(workspace, first, "end")
    until(lambda: life(workspace, second) == "RUNNING")
    assert (life(workspace, first), life(workspace, third)) == ("TERMINATED", "QUEUED")
    say(workspace, second, "end")
    say(workspace, third, "end")
    until(lambda: life(workspace, third) == "TERMINATED")


def test_without_a_queue_a_run_too_many_is_skipped(workspace: Deployment) -> None:
    job = make_job(workspace, max_concurrent_runs=1)
    first, second = start(workspace, job), start(workspace, job)
    state = workspace.get("/api/2.2/jobs/runs/get", run_id=second)["state"]
    assert (state["life_cycle_state"], state["result_state"]) == ("SKIPPED", "MAXIMUM_CONCURRENT_RUNS_REACHED")
    say(workspace, first, "end")
    until(lambda: life(workspace, first) == "TERMINATED")
    assert life(workspace, second) == "SKIPPED"


def test_a_failure_is_told_as_it_was(workspace: Deployment) -> None:
    run = start(workspace, make_job(workspace))
    say(workspace, run, "broken")
    until(lambda: life(workspace, run) == "INTERNAL_ERROR")
    told = workspace.get("/api/2.2/jobs/runs/get", run_id=run)
    assert told["state"]["result_state"] == "FAILED"
    assert told["state"]["state_message"] == "Task a failed with message: broken"
    (failed,) = (task for task in told["tasks"] if task["task_key"] == "a")
    assert workspace.get("/api/2.2/jobs/runs/get-output", run_id=failed["run_id"])["error"] == "broken"


def test_a_run_can_be_cancelled_while_it_runs_and_while_it_waits(workspace: Deployment) -> None:
    job = make_job(workspace, max_concurrent_runs=1, queue={"enabled": True})
    first, second, third = (start(workspace, job) for _ in range(3))
    until(lambda: life(workspace, first) == "RUNNING")
    for run in (second, first):
        workspace.post("/api/2.2/jobs/runs/cancel", run_id=run)
    until(lambda: life(workspace, third) == "RUNNING")
    for run in (first, second):
        state = workspace.get("/api/2.2/jobs/runs/get", run_id=run)["state"]
        assert (state["life_cycle_state"], state["result_state"]) == ("TERMINATED", "CANCELED")
    say(workspace, third, "end")
    until(lambda: life(workspace, third) == "TERMINATED")


def test_a_workspace_does_not_see_another_s_runs(server: StandIn, workspace: Deployment) -> None:
    run = start(workspace, make_job(workspace))
    stranger = Deployment(server, workspace.root, "test", f"{workspace.token}-stranger")
    assert stranger.get("/api/2.2/jobs/runs/list")["runs"] == []
    assert [one["run_id"] for one in workspace.get("/api/2.2/jobs/runs/list", active_only="true")["runs"]] == [run]
    say(workspace, run, "end")
    until(lambda: workspace.get("/api/2.2/jobs/runs/list", active_only="true")["runs"] == [])
