"""A replay from its start, or from where it was cut off, to its report."""

from collections.abc import Callable
from contextlib import nullcontext, redirect_stderr, redirect_stdout
from pathlib import Path

from pyspark.sql import SparkSession

from local_workspace.api import Context, serve_api
from local_workspace.bundle import Bundle
from local_workspace.console import Console
from local_workspace.local_jobs import make_runner, started
from local_workspace.progress import Progress
from local_workspace.runs import JobRun
from local_workspace.workspace import Workspace
from project.config import Config, load_config
from project.registry import champion_version
from project.tables import Tables
from replay.days import Day, Plan
from replay.faults import feed_of
from replay.figures import recent_quality, trainings
from replay.journal import Journal
from replay.report import write_report
from replay.report_data import Replayed, read_report_data
from replay.show import Show
from replay.year import Jobs, is_over, play


def run(plan: Plan, bundle: Bundle, workspace: Workspace, console: Console) -> Path:
    """Plays the days that are not played yet, and writes the report.

    Returns:
        The report's file.

    Raises:
        LocalWorkspaceError: a job failed, for another reason than a fault of the feed; or the feed is to have faults,
            and the use case names none.
    """
    # As the bundle's training job has it: the alternatives leave the same days out.
    config = load_config(validation_days=str(bundle.variables["validation_days"]))
    model = str(bundle.resource("registered_models", "model")["id"])
    schema = bundle.resource("schemas", "schema")
    tables = Tables(schema["catalog_name"], schema["name"])
    journal = Journal(workspace.root / "journal.jsonl")
    console.print(f"Replay in {workspace.root}", soft_wrap=True)
    feed = feed_of(plan, workspace.root / "faults")
    with started(bundle, workspace, Progress(console)) as spark:
        with serve_api(Context(workspace, lambda: spark)), feed.in_place() if feed else nullcontext():
            jobs = Jobs(
                run=_runs_of(bundle, spark, workspace.root / "jobs.log"),
                champion=lambda: champion_version(model),
                trainings=lambda: len(trainings(model)),
                repair=feed.repair if feed else lambda _: None,
            )
            show = _show(plan, journal, spark, tables, config, console)
            with show.whole():
                play(plan.days, jobs, journal, show)
        replayed = Replayed(plan, model, tuple(journal.read()), feed.faults if feed else ())
        data = read_report_data(spark, tables, replayed, workspace.root / "policies", config, console.print)
    file = write_report(data, workspace.root / "report.html")
    console.print(data.summary, soft_wrap=True)
    console.print(f"Report     {file}", soft_wrap=True)
    return file


def _runs_of(bundle: Bundle, spark: SparkSession, log: Path) -> Callable[[str, dict[str, str]], JobRun]:
    """What runs a job; what its notebooks print goes to the log, and not between the days."""
    runner = make_runner(bundle, lambda: spark)

    def run_job(key: str, parameters: dict[str, str]) -> JobRun:
        with log.open("a", encoding="utf-8") as said, redirect_stdout(said), redirect_stderr(said):
            return runner.run(runner.prepare(key, parameters))

    return run_job


def _show(plan: Plan, journal: Journal, spark: SparkSession, tables: Tables, config: Config, console: Console) -> Show:
    entries = journal.read()
    finished = sum(is_over(day, entries) for day in plan.days)

    def quality(day: Day) -> float | None:
        return recent_quality(spark, tables, day.as_of, config)

    title = config.label.measure_of(config.label.quality, config.subject.plural).short_title
    return Show(len(plan.days), finished, title, quality, console)
