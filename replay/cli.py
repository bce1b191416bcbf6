"""The commands behind `make replay` and `make power`."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import click

from local_workspace.bundle import Bundle, load_bundle
from local_workspace.cli import one_sentence_errors
from local_workspace.console import Console
from local_workspace.workspace import FOLDER_VARIABLE, REPOSITORY, Workspace, find_workspace, open_workspace
from project.config import load_config
from replay.days import Plan

_WIDTH = 160
_DATE = click.DateTime(["%Y-%m-%d"])


@click.group(help="A year of the sample, day by day.")
def commands() -> None:
    """The group of all commands."""


@commands.command("play", help="Run the year as the schedules would, day by day, and report what it came to.")
@click.option("--step", default=1, show_default=True, type=click.IntRange(min=1), help="Days from one run to the next.")
@click.option("--faults", "with_faults", is_flag=True, help="Let the feed fail as real feeds do.")
@click.option("--start", type=_DATE, help="The day before the first; source.replay of the configuration if left out.")
@click.option("--end", type=_DATE, help="The last day; the same.")
def play(step: int, with_faults: bool, start: datetime | None, end: datetime | None) -> None:
    """Goes on where the last call was, and ends with the report."""
    first, last = (given.replace(tzinfo=UTC) if given else None for given in (start, end))
    if first is None or last is None:
        sample = replayed_days()
        first, last = first or sample[0], last or sample[1]
    plan = Plan(first, last, step, with_faults)
    if plan.start >= plan.end:
        raise click.ClickException("the replay must start before it ends")
    with _workspace_of(plan) as workspace:
        # Only now: MLflow imports `databricks`, whose path is fixed from then on.
        from replay.run import run  # noqa: PLC0415

        # The stream as it is now: jobs print elsewhere.
        run(plan, _bundle(), workspace, Console(file=sys.stdout, highlight=False))


@commands.command(help="Measure what monitoring finds in the played year, or in one that is made from its features.")
@click.option("--weeks", default=20, show_default=True, type=click.IntRange(min=1), help="Where each shift is put.")
def power(weeks: int) -> None:
    """Prints the table, and writes it as JSON."""
    plan, home = Plan(*replayed_days(), 1, with_faults=False), find_workspace().root
    is_played = (home / "replay" / plan.name / "report.html").exists()
    with _workspace_of(plan if is_played else None) as workspace:
        from replay.power_run import run  # noqa: PLC0415 (as above)

        run(plan, is_played, _bundle(), workspace, home / "power.json", weeks, _console())


def replayed_days() -> tuple[datetime, datetime]:
    """The day before the first and the last day of the sample that is replayed.

    Raises:
        click.ClickException: the use case names none.
    """
    days = load_config().source.replay
    if days is None:
        raise click.ClickException(
            "use_case/config.yml must name the days to replay: source.replay, the first and last"
        )
    return days


def _console() -> Console:
    """Wide enough for the table where nothing says how wide it is."""
    return Console(highlight=False, width=None if sys.stdout.isatty() else _WIDTH)


@contextmanager
def _workspace_of(plan: Plan | None) -> Iterator[Workspace]:
    """A replay's own folder in the local workspace's, or that of a year that was not played."""
    os.environ[FOLDER_VARIABLE] = str(find_workspace().root / "replay" / (plan.name if plan else "year"))
    with open_workspace() as workspace:
        yield workspace


def _bundle() -> Bundle:
    """The bundle for a young deployment that monitoring retrains.

    The days that a version is judged on are days that it can't learn from: a month of them, where the history is one of
    months, costs more than what it tells is worth.
    """
    return load_bundle(
        REPOSITORY,
        environ={**os.environ, "BUNDLE_VAR_retrain_on_violation": "true", "BUNDLE_VAR_validation_days": "14"},
    )


def main() -> None:
    """Runs the command; what the user can put right is said in one sentence."""
    try:
        with one_sentence_errors():
            commands(standalone_mode=False)
    except click.ClickException as error:
        print(f"error: {error.format_message()}", file=sys.stderr)
        sys.exit(2)
