"""The runs of jobs and tasks: what is known about them while they go on and after."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from local_workspace.bundle import Job, Task
from local_workspace.graph import State
from local_workspace.values import TIME_PARTS


@dataclass(eq=False)
class JobRun:
    """One run of a job."""

    key: str
    job: Job
    job_id: int
    run_id: int
    started: datetime
    parent: "TaskRun | None"
    parameters: dict[str, str] = field(default_factory=dict)
    tasks: dict[str, "TaskRun"] = field(default_factory=dict)
    outcomes: dict[str, str] = field(default_factory=dict)
    is_done: bool = False
    failed: bool = False

    @property
    def states(self) -> dict[str, State]:
        """The state of each task."""
        return {key: task.state for key, task in self.tasks.items()}

    @property
    def values(self) -> dict[str, dict[str, Any]]:
        """The task values that each task has set."""
        return {key: task.values for key, task in self.tasks.items()}

    @property
    def path(self) -> tuple[str, ...]:
        """The job's key after the jobs and tasks that it is nested in."""
        return self.parent.path if self.parent else (self.key,)

    def failures(self) -> Iterator["TaskRun"]:
        """The tasks whose own work failed, in nested runs too."""
        for task in self.tasks.values():
            if task.nested:
                yield from task.nested.failures()
            elif task.state is State.FAILED:
                yield task

    def look_up(self, steps: tuple[str, ...]) -> Any:
        """The value of a reference into the run, or None."""
        facts = {
            ("job", "id"): str(self.job_id),
            ("job", "name"): self.job.name,
            ("job", "run_id"): str(self.run_id),
            ("job", "repair_count"): "0",
            ("job", "trigger", "type"): "run_job_task" if self.parent else "one_time",
        }
        match steps:
            case ("job", "start_time", part) | ("job", "trigger", "time", part) if part in TIME_PARTS:
                return TIME_PARTS[part](self.started)
            case ("job", "parameters", name):
                return self.parameters.get(name)
        return facts.get(steps)


@dataclass(eq=False)
class TaskRun:
    """One run of a task, all its attempts included."""

    task: Task
    run: JobRun
    run_id: int
    state: State = State.PENDING
    attempts: int = 0
    values: dict[str, Any] = field(default_factory=dict)
    outcome: str = ""
    nested: JobRun | None = None
    error: BaseException | None = None
    began: float = field(default_factory=time.monotonic)
    seconds: float = 0.0

    @property
    def path(self) -> tuple[str, ...]:
        """Where the task stands: the job's key, then the keys of the tasks it is nested in, then its own."""
        return (*self.run.path, self.task.task_key)

    def look_up(self, steps: tuple[str, ...]) -> Any:
        """The value of a reference in one of the task's parameters, or None."""
        match steps:
            case ("task", "name"):
                return self.task.task_key
            case ("task", "run_id"):
                return str(self.run_id)
            case ("task", "execution_count"):
                return str(self.attempts + 1)
            case ("task", "notebook_path") if self.task.notebook_task:
                return self.task.notebook_task.notebook_path
            case ("tasks", key, *rest) if key in self.run.tasks:
                return self.run.tasks[key].result(tuple(rest))
        return self.run.look_up(steps)

    def result(self, steps: tuple[str, ...]) -> Any:
        """What a later task may ask about this one, or None."""
        match steps:
            case ("values", name):
                return self.values.get(name)
            case ("result_state",):
                return str(self.state)
            case ("run_id",):
                return str(self.run_id)
            case ("execution_count",):
                return str(self.attempts)
        return None
