"""Runs jobs of the bundle one after another, in one process with one Spark session."""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from pyspark.sql import SparkSession

from local_workspace.api import Context, serve_api
from local_workspace.bundle import Bundle
from local_workspace.dbutils import DBUtils
from local_workspace.engine import open_session
from local_workspace.notebook import run_notebook
from local_workspace.optimization import optimize_tables
from local_workspace.progress import Progress
from local_workspace.resources import make_catalog_resources, make_mlflow_resources
from local_workspace.runner import Listener, Runner
from local_workspace.runs import JobRun, TaskRun
from local_workspace.workspace import Workspace


def run_jobs(
    bundle: Bundle,
    workspace: Workspace,
    requests: Sequence[tuple[str, dict[str, str]]],
    progress: Progress | None = None,
    then: Callable[[SparkSession], None] = lambda _: None,
) -> bool:
    """Runs the jobs up to the first that fails.

    Args:
        bundle: whose jobs these are.
        workspace: where they run.
        requests: the jobs' names, and their parameters.
        progress: shows them.
        then: gets the session when all have succeeded.

    Returns:
        Whether all have succeeded.
    """
    sessions: list[SparkSession] = []
    progress = progress or Progress()
    runner = make_runner(bundle, lambda: sessions[0], progress)
    # Checks all before anything starts.
    runs = [runner.prepare(name, parameters) for name, parameters in requests]
    with started(bundle, workspace, progress) as spark:
        sessions.append(spark)
        with serve_api(Context(workspace, lambda: spark)):
            for run in runs:
                with progress.job(run):
                    runner.run(run)
                report_failures(run)
                if run.failed:
                    return False
        then(spark)
    return True


def make_runner(bundle: Bundle, session: Callable[[], SparkSession], listener: Listener | None = None) -> Runner:
    """A runner of the bundle's notebooks.

    Args:
        bundle: whose jobs it runs.
        session: gives the session; it is asked when a task starts.
        listener: is told what happens.
    """

    def execute(file: Path, dbutils: DBUtils, _: TaskRun) -> Any:
        return run_notebook(file, session(), dbutils, bundle.root)

    return Runner(bundle, execute, listener=listener, upkeep=lambda: optimize_tables(session()))


@contextmanager
def started(bundle: Bundle, workspace: Workspace, progress: Progress | None = None) -> Iterator[SparkSession]:
    """Starts Spark and MLflow, and makes the bundle's resources; Spark stops with the block."""
    with ExitStack() as stack:
        with (progress or Progress()).starting("Spark and MLflow"):
            spark = stack.enter_context(open_session(workspace.root))
            make_catalog_resources(bundle, workspace, spark)
            make_mlflow_resources(bundle, workspace)
        yield spark


def report_failures(run: JobRun) -> None:
    """Prints what failed and why: the notebook, its line, and the bundle's own frames."""
    for task in run.failures():
        tries = f" (after {task.attempts} attempts)" if task.attempts > 1 else ""
        print(f"\nfailed: {' ▸ '.join(task.path)}{tries}\n{task.error}", file=sys.stderr)
    if run.failed:
        print(f"\nThe job '{run.key}' failed.", file=sys.stderr)
