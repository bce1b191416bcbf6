"""Runs jobs of the bundle one after another, in one process with one Spark session."""

import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Thread
from typing import Any

from pyspark.sql import SparkSession

from local_workspace.api import Context, serve_api
from local_workspace.bundle import Bundle
from local_workspace.dbutils import DBUtils
from local_workspace.notebook import run_notebook
from local_workspace.progress import Progress
from local_workspace.resources import make_catalog_resources, make_mlflow_resources
from local_workspace.runner import Listener, Runner
from local_workspace.runs import JobRun, TaskRun
from local_workspace.session import build_session
from local_workspace.workspace import Workspace


def run_jobs(
    bundle: Bundle,
    workspace: Workspace,
    requests: Sequence[tuple[str, dict[str, str]]],
    progress: Progress | None = None,
) -> tuple[SparkSession | None, bool]:
    """Runs the jobs up to the first that fails.

    Returns:
        The session, and whether a job failed.
    """
    spark: SparkSession | None = None
    progress = progress or Progress()

    def session() -> SparkSession:
        assert spark is not None  # noqa: S101 (set below, before the first task)
        return spark

    runner = make_runner(bundle, session, progress)
    # Checks all before anything starts.
    runs = [runner.prepare(name, parameters) for name, parameters in requests]
    with progress.starting("Spark and MLflow"):
        spark = start(bundle, workspace)
    with serve_api(Context(workspace, lambda: spark)):
        try:
            for run in runs:
                with progress.job(run, spark):
                    runner.run(run)
                report_failures(run)
                if run.failed:
                    return spark, True
        except KeyboardInterrupt:
            spark.sparkContext.cancelAllJobs()
            raise
    return spark, False


def make_runner(bundle: Bundle, session: Callable[[], SparkSession], listener: Listener | None = None) -> Runner:
    """A runner of the bundle's notebooks.

    Args:
        bundle: whose jobs it runs.
        session: gives the session; it is asked when a task starts.
        listener: is told what happens.
    """

    def execute(file: Path, dbutils: DBUtils, task: TaskRun) -> Any:
        spark = session()
        enter_task(spark, task)
        return run_notebook(file, spark, dbutils, bundle.root)

    return Runner(bundle, execute, listener=listener)


def start(bundle: Bundle, workspace: Workspace) -> SparkSession:
    """Starts Spark, with MLflow beside it, and makes the bundle's resources."""
    with ThreadPoolExecutor(1) as beside:
        mlflow_is_ready = beside.submit(make_mlflow_resources, bundle, workspace)
        spark = build_session(workspace.root)
        mlflow_is_ready.result()
    make_catalog_resources(bundle, workspace, spark)
    Thread(target=_wake_python_workers, args=(spark,), daemon=True).start()
    return spark


def _wake_python_workers(spark: SparkSession) -> None:
    """Has the process that Python workers are forked from do its imports while the first tasks need none."""
    spark.range(1).mapInPandas(lambda batches: batches, "id bigint").write.format("noop").mode("overwrite").save()


def enter_task(spark: SparkSession, task: TaskRun) -> None:
    """Marks this thread's Spark jobs as the task's, and gives the thread a session as a notebook has it."""
    name = " ▸ ".join(task.path)
    spark.sparkContext.setJobGroup(task.job_group, name, interruptOnCancel=True)
    jvm = spark.sparkContext._jvm
    jvm.org.apache.spark.sql.classic.SparkSession.setActiveSession(spark._jsparkSession)  # type: ignore[union-attr]


def report_failures(run: JobRun) -> None:
    """Prints what failed and why: the notebook, its line, and the bundle's own frames."""
    for task in run.failures():
        tries = f" (after {task.attempts} attempts)" if task.attempts > 1 else ""
        print(f"\nfailed: {' ▸ '.join(task.path)}{tries}\n{task.error}", file=sys.stderr)
    if run.failed:
        print(f"\nThe job '{run.key}' failed.", file=sys.stderr)
