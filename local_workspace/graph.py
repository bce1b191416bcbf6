"""What can be said about a job's graph before and between tasks: is it sound, what may run, what came out."""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from graphlib import CycleError, TopologicalSorter

from local_workspace.bundle import Bundle, Job, Task
from local_workspace.errors import RunError
from local_workspace.values import references


class State(StrEnum):
    """States of a task run, in the words that `{{tasks.x.result_state}}` uses."""

    PENDING = "pending"
    RUNNING = "running"
    SUCCESS = "success"
    FAILED = "failed"
    UPSTREAM_FAILED = "upstream_failed"
    EXCLUDED = "excluded"

    @property
    def is_done(self) -> bool:
        """Whether nothing more happens."""
        return self not in {State.PENDING, State.RUNNING}

    @property
    def is_failure(self) -> bool:
        """Whether a dependent task sees a failure. An excluded task counts as successful."""
        return self in {State.FAILED, State.UPSTREAM_FAILED}


# What becomes of a task whose `run_if` is not met.
_UNMET = {"AT_LEAST_ONE_FAILED": State.EXCLUDED, "ALL_FAILED": State.EXCLUDED}


def decide(task: Task, states: Mapping[str, State], outcomes: Mapping[str, str]) -> State:
    """Whether a task whose dependencies are all done runs, is excluded, or fails with what came before it.

    Args:
        task: The task.
        states: The state of each task of the run.
        outcomes: `"true"` or `"false"` for each condition task that ran.
    """
    if not task.depends_on:
        return State.RUNNING
    for dependency in task.depends_on:
        outcome = outcomes.get(dependency.task_key)
        if dependency.outcome and outcome and outcome != dependency.outcome:
            return State.EXCLUDED
    found = [states[dependency.task_key] for dependency in task.depends_on]
    if all(state is State.EXCLUDED for state in found):
        return State.EXCLUDED
    failures = [state.is_failure for state in found]
    met = {
        "ALL_SUCCESS": not any(failures),
        "AT_LEAST_ONE_SUCCESS": not all(failures),
        "NONE_FAILED": not any(failures),
        "ALL_DONE": True,
        "AT_LEAST_ONE_FAILED": any(failures),
        "ALL_FAILED": all(failures),
    }[task.run_if]
    return State.RUNNING if met else _UNMET.get(task.run_if, State.UPSTREAM_FAILED)


def has_failed(job: Job, states: Mapping[str, State]) -> bool:
    """A run fails when a leaf of its graph failed; a failure that a later task handled is none."""
    inner = {dependency.task_key for task in job.tasks for dependency in task.depends_on}
    return any(states[task.task_key].is_failure for task in job.tasks if task.task_key not in inner)


def order(job: Job) -> list[Task]:
    """The tasks so that each comes after those it depends on."""
    tasks = {task.task_key: task for task in job.tasks}
    graph = {key: [dependency.task_key for dependency in task.depends_on] for key, task in tasks.items()}
    try:
        return [tasks[key] for key in TopologicalSorter(graph).static_order()]
    except CycleError as error:
        raise RunError(f"circular dependency between tasks: {' → '.join(reversed(error.args[1]))}.") from None


def check_job(bundle: Bundle, key: str, trail: tuple[str, ...] = ()) -> None:
    """Refuses a job that can't run through: unknown tasks, cycles, missing notebooks, in nested jobs too."""
    if key not in bundle.jobs:
        raise RunError(f"the bundle has no job '{key}' (known: {', '.join(sorted(bundle.jobs))}).")
    if key in trail:
        raise RunError(f"circular dependency between jobs: {' → '.join((*trail, key))}.")
    job = bundle.jobs[key]
    try:
        _check_tasks(bundle, job)
    except RunError as error:
        raise RunError(f"job '{key}': {error}") from None
    for task in job.tasks:
        if task.run_job_task:
            check_job(bundle, _job_key(bundle, task.run_job_task.job_id), (*trail, key))


def _check_tasks(bundle: Bundle, job: Job) -> None:
    keys = [task.task_key for task in job.tasks]
    for task in job.tasks:
        unknown = [item.task_key for item in task.depends_on if item.task_key not in keys]
        if unknown:
            raise RunError(f"task '{task.task_key}' depends on '{unknown[0]}', which is not a task of this job.")
    ancestors: dict[str, set[str]] = {}
    for task in order(job):
        before = {item.task_key for item in task.depends_on}
        ancestors[task.task_key] = before.union(*(ancestors[key] for key in before))
        try:
            _check_task(bundle, job, task, ancestors[task.task_key])
        except RunError as error:
            raise RunError(f"task '{task.task_key}': {error}") from None


def _check_task(bundle: Bundle, job: Job, task: Task, before: set[str]) -> None:
    kinds = [kind for kind in (task.notebook_task, task.condition_task, task.run_job_task) if kind]
    if len(kinds) != 1:
        raise RunError("must have exactly one of notebook_task, condition_task and run_job_task.")
    if task.environment_key and task.environment_key not in {item.environment_key for item in job.environments}:
        raise RunError(f"the job has no environment '{task.environment_key}'.")
    for item in task.depends_on:
        if item.outcome and not next(t for t in job.tasks if t.task_key == item.task_key).condition_task:
            raise RunError(f"'{item.task_key}' is not a condition task, so it has no outcome.")
    for steps in (steps for text in parameter_texts(task) for steps in references(text)):
        if steps[0] == "tasks" and steps[1:2] and steps[1] not in before:
            raise RunError(f"{{{{{'.'.join(steps)}}}}} refers to '{steps[1]}', which does not run before this task.")
    if task.notebook_task and not bundle.notebook_file(task.notebook_task.notebook_path).is_file():
        path = bundle.notebook_file(task.notebook_task.notebook_path).relative_to(bundle.root)
        raise RunError(f"the notebook '{path}' does not exist.")
    if task.run_job_task:
        check_parameters(bundle.jobs[_job_key(bundle, task.run_job_task.job_id)], task.run_job_task.job_parameters)


def check_parameters(job: Job, given: Iterable[str]) -> None:
    """Refuses parameters that a job doesn't declare."""
    unknown = sorted(set(given) - {parameter.name for parameter in job.parameters})
    if unknown:
        known = ", ".join(parameter.name for parameter in job.parameters) or "none"
        raise RunError(f"job '{job.name}' has no parameter '{unknown[0]}' (known: {known}).")


def parameter_texts(task: Task) -> list[str]:
    """All texts of a task in which dynamic value references are replaced."""
    if task.notebook_task:
        return list(task.notebook_task.base_parameters.values())
    if task.condition_task:
        return [task.condition_task.left, task.condition_task.right]
    return list(task.run_job_task.job_parameters.values()) if task.run_job_task else []


def _job_key(bundle: Bundle, job_id: int) -> str:
    if job_id not in bundle.job_keys:
        raise RunError(f"no job of the bundle has the id {job_id}: refer to it by ${{resources.jobs.<key>.id}}.")
    return bundle.job_keys[job_id]
