"""`databricks bundle run` against the stand-in workspace: the deployed job's real tasks, reported as the Jobs API does.

The stand-in gives the run as JSON on standard input and reads, from standard output, one line of JSON for each change
of a task (a `RunTask` of the Jobs API, with `error` and `error_trace`).
"""

import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TextIO

from local_workspace.bundle import Bundle
from local_workspace.console import Console
from local_workspace.errors import LocalWorkspaceError
from local_workspace.graph import State
from local_workspace.local_jobs import run_jobs
from local_workspace.progress import Progress
from local_workspace.runs import TaskRun
from local_workspace.workspace import open_workspace

_RESULTS = {
    State.SUCCESS: "SUCCESS",
    State.FAILED: "FAILED",
    State.UPSTREAM_FAILED: "UPSTREAM_FAILED",
    State.EXCLUDED: "EXCLUDED",
}


def run_deployed(request: dict[str, Any], reports: TextIO) -> bool:
    """Runs a deployed job from the files that were uploaded; returns whether it failed.

    Args:
        request: `job_id` and `job_parameters`; host and token of the workspace are in the environment.
        reports: gets the lines of JSON. Standard output must be free for what notebooks print.
    """

    def say(report: dict[str, Any]) -> None:
        print(json.dumps(report), file=reports, flush=True)

    try:
        with tempfile.TemporaryDirectory(prefix="deployed-") as name, open_workspace(Path(name)) as workspace:
            key, bundle = _load(request["job_id"], Path(name))
            return not run_jobs(bundle, workspace, [(key, request["job_parameters"] or {})], Reports(say))
    except LocalWorkspaceError as error:
        say({"state_message": str(error)})
        return True
    except Exception as error:
        say({"state_message": f"{type(error).__name__}: {error}"})
        raise


def _load(job_id: int, folder: Path) -> tuple[str, Bundle]:
    """The deployed bundle; nothing but `local_workspace` comes from this repository from now on."""
    from databricks.sdk import WorkspaceClient  # noqa: PLC0415 (once the import path is the run's)

    from local_workspace.deployed import load_deployed  # noqa: PLC0415 (the same)

    return load_deployed(WorkspaceClient(), job_id, folder)


class Reports(Progress):
    """Shows the run in the stand-in's log, and reports the job's own tasks."""

    def __init__(self, say: Callable[[dict[str, Any]], None]) -> None:
        """Takes where the reports go."""
        super().__init__(Console(stderr=True, highlight=False))
        self._say = say

    def started(self, task: TaskRun) -> None:
        """A task began."""
        super().started(task)
        self._report(task, {"life_cycle_state": "RUNNING"})

    def ended(self, task: TaskRun) -> None:
        """A task is done, one way or another."""
        super().ended(task)
        state = {"life_cycle_state": "TERMINATED", "result_state": _RESULTS[task.state]}
        error, _, trace = describe(task).partition("\n\n")
        if task.state is State.FAILED:
            state["state_message"] = error
        self._report(task, state, is_over=True, error=error, error_trace=trace)

    def _report(self, task: TaskRun, state: dict[str, str], *, is_over: bool = False, **more: Any) -> None:
        if task.run.parent is None:
            now = round(1000 * time.time())
            begun = now - round(1000 * (time.monotonic() - task.began))
            facts = {"task_key": task.task.task_key, "state": state, "start_time": begun, **more}
            if is_over:
                facts["end_time"] = now
            if task.task.condition_task:
                settings = task.task.condition_task
                facts["condition_task"] = {**settings.model_dump(), "outcome": task.outcome}
            self._say(facts)


def describe(task: TaskRun) -> str:
    """Why a task failed; of one that ran a job, why that job's tasks did."""
    if task.nested is None:
        return "" if task.error is None else str(task.error)
    return "\n".join(f"{' ▸ '.join(nested.path[1:])}: {nested.error}" for nested in task.nested.failures())


def take_standard_output() -> TextIO:
    """Returns what is standard output now, and makes it standard error for everything else in this process."""
    reports = os.fdopen(os.dup(1), "w", encoding="utf-8")
    sys.stdout.flush()
    os.dup2(2, 1)
    return reports
