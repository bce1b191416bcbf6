"""Runs a job's graph on this machine: ready tasks in dependency order, a few at a time.

One thread decides (`Runner.run`), a few workers run notebooks. A nested job is a part of the same loop, so it
holds no worker while it waits.
"""

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Protocol

from local_workspace import values
from local_workspace.bundle import Bundle, Job, Task
from local_workspace.conditions import evaluate
from local_workspace.dbutils import DBUtils
from local_workspace.errors import RunError
from local_workspace.graph import State, check_job, check_parameters, decide, has_failed, order
from local_workspace.runs import JobRun, TaskRun
from local_workspace.workers import Workers

_WAIT_SECONDS = 1


class Listener(Protocol):
    """Is told what happens while a job runs; called by the deciding thread only, but for `attempt`."""

    def started(self, task: TaskRun) -> None:
        """A task began."""

    def ended(self, task: TaskRun) -> None:
        """A task is done, one way or another."""


class Silent:
    """A listener that does nothing."""

    def started(self, task: TaskRun) -> None:
        """Does nothing."""

    def ended(self, task: TaskRun) -> None:
        """Does nothing."""


# Runs a notebook file for a task; `None` for what a notebook returns, an exception for a failure.
Execute = Callable[[Path, DBUtils, TaskRun], object]


class Runner:
    """Runs jobs of one bundle, one after another; its workers live as long as it does."""

    def __init__(
        self,
        bundle: Bundle,
        execute: Execute,
        *,
        workers: int = 2,
        listener: Listener | None = None,
        upkeep: Callable[[], None] = lambda: None,
        sleep: Callable[[float], None] = time.sleep,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Takes the bundle, what runs a notebook, how many of them may run at once, and what is done before a job."""
        self._bundle, self._execute, self._sleep, self._now = bundle, execute, sleep, now
        self._listener, self._upkeep = listener or Silent(), upkeep
        self._workers = Workers(workers)
        self._finished: SimpleQueue[tuple[TaskRun, BaseException | None]] = SimpleQueue()
        # A run's id is its own for ever, so ids go on from one process to the next.
        self._run_ids = count(time.time_ns() // 1000)

    def prepare(self, key: str, parameters: Mapping[str, str] | None = None) -> JobRun:
        """Checks a job, nested ones included, and gives its run before anything of it starts."""
        check_job(self._bundle, key)
        return self._new_run(key, parameters or {}, parent=None)

    def run(self, run: JobRun) -> JobRun:
        """Runs a prepared run to its end. The outcome, failures included, is in the returned run."""
        self._upkeep()
        self._advance(run)
        while not run.is_done:
            task, error = self._next_finished()
            self._end(task, State.FAILED if error else State.SUCCESS, error)
            self._advance(run)
        return run

    def _next_finished(self) -> tuple[TaskRun, BaseException | None]:
        """Waits for a notebook's end, in pieces: an interrupt just before a wait would not end it."""
        while True:
            try:
                return self._finished.get(timeout=_WAIT_SECONDS)
            except Empty:
                continue

    def _new_run(self, key: str, parameters: Mapping[str, str], parent: TaskRun | None) -> JobRun:
        job = self._bundle.jobs[key]
        check_parameters(job, parameters)
        job_id = next(number for number, name in self._bundle.job_keys.items() if name == key)
        run = JobRun(key=key, job=job, job_id=job_id, run_id=next(self._run_ids), started=self._now(), parent=parent)
        run.tasks = {task.task_key: TaskRun(task, run, next(self._run_ids)) for task in order(job)}
        for parameter in job.parameters:
            text = parameters.get(parameter.name, parameter.default)
            run.parameters[parameter.name] = values.fill_in(text, run.look_up)
        return run

    def _advance(self, run: JobRun) -> None:
        """Starts whatever can start now, in nested runs too, and closes what has ended."""
        for task in run.tasks.values():  # in dependency order: one pass carries exclusions and failures all the way
            if task.state is State.PENDING and all(run.states[d.task_key].is_done for d in task.task.depends_on):
                self._start(task, decide(task.task, run.states, run.outcomes))
            if task.state is State.RUNNING and task.nested:
                self._advance(task.nested)
                if task.nested.is_done:
                    self._end(task, State.FAILED if task.nested.failed else State.SUCCESS)
        run.is_done = all(task.state.is_done for task in run.tasks.values())
        if run.is_done:
            run.failed = has_failed(run.job, run.states)

    def _start(self, task: TaskRun, state: State) -> None:
        task.began = time.monotonic()
        if state is not State.RUNNING:
            self._end(task, state)
            return
        task.state = State.RUNNING
        try:
            self._launch(task, task.task)
        except RunError as error:
            self._end(task, State.FAILED, error)

    def _launch(self, task: TaskRun, settings: Task) -> None:
        if settings.notebook_task:
            dbutils = DBUtils(self._notebook_parameters(task), task.values, task.run.values)
            file = self._bundle.notebook_file(settings.notebook_task.notebook_path)
            self._workers.submit(lambda: self._attempt(task, file, dbutils))
        elif settings.run_job_task:
            self._listener.started(task)
            key = self._bundle.job_keys[settings.run_job_task.job_id]
            task.nested = self._new_run(key, self._nested_parameters(task, self._bundle.jobs[key]), parent=task)
        elif settings.condition_task:
            condition = settings.condition_task
            left, right = (values.fill_in(text, task.look_up) for text in (condition.left, condition.right))
            task.run.outcomes[settings.task_key] = task.outcome = evaluate(condition.op, left, right)
            self._end(task, State.SUCCESS)

    def _notebook_parameters(self, task: TaskRun) -> dict[str, str]:
        own = task.task.notebook_task.base_parameters if task.task.notebook_task else {}
        filled = {name: values.fill_in(text, task.look_up) for name, text in own.items()}
        return {**filled, **task.run.parameters}  # as documented, a job parameter beats the task's own

    def _nested_parameters(self, task: TaskRun, job: Job) -> dict[str, str]:
        own = task.task.run_job_task.job_parameters if task.task.run_job_task else {}
        declared = {parameter.name for parameter in job.parameters}
        pushed = {name: value for name, value in task.run.parameters.items() if name in declared}
        return {**{name: values.fill_in(text, task.look_up) for name, text in own.items()}, **pushed}

    def _attempt(self, task: TaskRun, file: Path, dbutils: DBUtils) -> None:
        """Runs a notebook with its retries, on a worker's thread; whatever happens, the deciding thread hears of it."""
        task.began = time.monotonic()
        try:
            self._listener.started(task)
            error = self._tried(task, file, dbutils)
        except Exception as failure:
            error = failure
        self._finished.put((task, error))

    def _tried(self, task: TaskRun, file: Path, dbutils: DBUtils) -> BaseException | None:
        """The last attempt's error; None once one has succeeded."""
        while True:
            task.attempts += 1
            try:
                self._execute(file, dbutils, task)
            except Exception as failure:
                error = failure
            else:
                return None
            if 0 <= task.task.max_retries < task.attempts:
                return error
            self._sleep(task.task.min_retry_interval_millis / 1000)
            task.values.clear()

    def _end(self, task: TaskRun, state: State, error: BaseException | None = None) -> None:
        task.state, task.error, task.seconds = state, error, time.monotonic() - task.began
        self._listener.ended(task)
