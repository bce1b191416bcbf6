"""Runs jobs of the bundle one after another, in one process with one Spark session."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pyspark.sql import SparkSession

from local_workspace.bundle import Bundle
from local_workspace.dbutils import DBUtils
from local_workspace.notebook import run_notebook
from local_workspace.progress import Progress
from local_workspace.runner import Runner
from local_workspace.runs import JobRun, TaskRun
from local_workspace.session import build_session
from local_workspace.workspace import Workspace


def run_jobs(
    bundle: Bundle, workspace: Workspace, requests: Sequence[tuple[str, dict[str, str]]]
) -> tuple[SparkSession | None, bool]:
    """Runs the jobs up to the first that fails.

    Returns:
        The session, and whether a job failed.
    """
    spark: SparkSession | None = None
    progress = Progress()

    def execute(file: Path, dbutils: DBUtils, task: TaskRun) -> Any:
        assert spark is not None  # noqa: S101 (set below, before the first task)
        enter_task(spark, task)
        return run_notebook(file, spark, dbutils, bundle.root)

    runner = Runner(bundle, execute, listener=progress)
    runs = [
        runner.prepare(name, parameters) for name, parameters in requests
    ]  # checks all before Spark starts
    with progress.starting("Spark"):
        spark = build_session(workspace.root)
        make_resources(bundle, workspace, spark)
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


def make_resources(bundle: Bundle, workspace: Workspace, spark: SparkSession) -> None:
    """Makes the schemas and volumes of the bundle, as a deployment does before any job runs."""
    for schema in bundle.resources.get("schemas", {}).values():
        catalog, name = schema["id"].split(".")
        spark.sql(f"CREATE SCHEMA IF NOT EXISTS `{catalog}`.`{name}`")
    for volume in bundle.resources.get("volumes", {}).values():
        workspace.volumes.joinpath(*volume["id"].split(".")).mkdir(parents=True, exist_ok=True)


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
