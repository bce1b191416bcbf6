"""`make power`: the table of what monitoring finds, printed and written as JSON."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from pyspark.sql import SparkSession
from rich.table import Table

from local_workspace.bundle import Bundle
from local_workspace.console import Console
from local_workspace.local_jobs import run_jobs, started
from local_workspace.progress import Progress
from local_workspace.workspace import Workspace
from project.config import Config, load_config
from project.kinds.label import Label
from project.tables import Tables
from replay.days import Plan
from replay.faults import Unit, find_faults
from replay.power import Alarm, Feed, Monitor, Scores, Tally, decline_power, drift_power, shifts_of, slices_of
from replay.scores import made_scores, scores_of_replay
from use_case.registry import FEATURE_TABLES

# A shift of a kind counts as found where so many are; a column or slice that stays below is listed.
FOUND = 0.9
_DROPS = (0.05, 0.075, 0.1, 0.15, 0.2, 0.3)
_MOST_LISTED = 12
# A table whose values are looked up no further back brings one for each hour.
_HOURLY = timedelta(hours=6)


@dataclass(frozen=True)
class Declines:
    """What is seen of a drop in quality.

    Attributes:
        of: all rows, or a slice.
        rows: rows a day.
        power: by drop, the share that was named.
        bad_days: the share of single bad days that were named.
        false_alarms: alarms in the year without a drop.
    """

    of: str
    rows: float
    power: Mapping[float, float]
    bad_days: float
    false_alarms: int


@dataclass(frozen=True)
class Power:
    """What monitoring finds, and what it leaves in peace.

    Attributes:
        days: of the year that it was tried on.
        alarms: drift that was named though nothing was put in.
        drift: by kind of shift.
        declines: of all rows, then of slices.
    """

    days: int
    alarms: list[Alarm]
    drift: dict[str, Tally]
    declines: list[Declines]


def measure(scores: Scores, feeds: Sequence[Feed], units: Sequence[Unit], config: Config, weeks: int) -> Power:
    """Puts every kind of shift into weeks of the year.

    Args:
        scores: the year.
        feeds: what may repeat itself.
        units: what may be mistaken for another.
        config: how monitoring judges.
        weeks: into how many weeks each shift is put.
    """
    monitor = Monitor(scores, config)
    tried = partial(shifts_of, scores=scores, config=config, feeds=feeds, units=units)
    drift = drift_power(monitor, scores, tried, weeks)
    every = [("", "", len(scores.rows) / scores.rows["day"].nunique()), *slices_of(scores, config)]
    declines = [_declines(scores, config, weeks, *one) for one in every]
    return Power(len(monitor.days.numbers), monitor.alarms(), drift, declines)


def feeds_of(spark: SparkSession, tables: Tables, as_of: datetime, scores: Scores, config: Config) -> list[Feed]:
    """The feature tables that bring a value for each hour, of another source than the rows themselves: where those
    repeat, nothing is predicted."""
    found = []
    for table in FEATURE_TABLES:
        is_hourly = set(table.keys) <= {*scores.texts} and table.lookback and table.lookback <= _HOURLY
        if is_hourly and table.of.table != config.subject.table:
            features = table.features(spark.table(tables.named(table.of.table)), as_of)
            found.append(Feed(table.name, table.keys, tuple(name for name in features if name in scores.numeric)))
    return found


def run(
    plan: Plan, is_played: bool, bundle: Bundle, workspace: Workspace, file: Path, weeks: int, console: Console
) -> Power:
    """Measures, prints and writes.

    Args:
        plan: the year.
        is_played: whether the workspace has its replay; else it gets the features, and the scores are made.
        bundle: whose jobs and names these are.
        workspace: where the tables are.
        file: gets the table as JSON.
        weeks: into how many weeks each shift is put.
        console: gets the table.
    """
    schema = bundle.resource("schemas", "schema")
    tables = Tables(schema["catalog_name"], schema["name"])
    if not is_played:
        console.print("The year is not played ('make replay'): its features are made, and a model a month.")
        run_jobs(bundle, workspace, [("feature_engineering", {"as_of": plan.end.isoformat()})])
    with started(bundle, workspace, Progress(console)) as spark:
        config = load_config()
        if is_played:
            scores = scores_of_replay(spark, tables, config)
        else:
            scores = made_scores(spark, tables, plan, workspace.root / "scores", config, console.print)
        feeds, faults = feeds_of(spark, tables, plan.end, scores, config), find_faults()
    power = measure(scores, feeds, faults.units if faults else (), config, weeks)
    show(power, config.label, console)
    write(power, file)
    console.print(f"The same as JSON: {file}", soft_wrap=True)
    return power


def _declines(scores: Scores, config: Config, weeks: int, key: str, value: str, rows: float) -> Declines:
    power, bad_days, alarms = {}, 0.0, 0
    for drop in _DROPS:
        drops, one_day, alarms = decline_power(scores, config, weeks, drop, key, value)
        power[drop] = drops.power if drops.cases else float("nan")
        bad_days = one_day.power if one_day.cases else float("nan")
    return Declines(f"{key} {value}".strip() or "all rows", rows, power, bad_days, alarms)


def show(power: Power, label: Label, console: Console) -> None:
    """Prints the tables."""
    table = Table(
        "Shift", "cases", "named in a week", "also named", "columns below 90 %", title="Drift", title_justify="left"
    )
    for kind, tally in power.drift.items():
        weak = {name: named / cases for name, (cases, named) in tally.by_column.items() if named < FOUND * cases}
        listed = [f"{name} {share:.0%}" for name, share in sorted(weak.items(), key=lambda one: one[1])[:_MOST_LISTED]]
        table.add_row(
            kind, f"{tally.cases:,}", f"{tally.power:.1%}", f"{tally.beside / tally.cases:.2f}", ", ".join(listed)
        )
    console.print(table)
    console.print(f"Alarms in {power.days} days into which nothing was put: {len(power.alarms)}")
    for alarm in power.alarms:
        console.print(f"  {alarm.start:%-d %B} to {alarm.end:%-d %B}: {', '.join(alarm.columns)}", soft_wrap=True)
    title = label.measure_of(label.quality, "").short_title
    change = f"{title} falls" if label.is_better > 0 else f"{title} rises"
    by = [f"{drop:g}" if label.no_skill is not None else f"{100 * drop:g} %" for drop in _DROPS]
    declines = Table(f"{change} for two weeks, of", "rows a day", *by, "one bad day", "false alarms")
    for one in power.declines:
        shares = [f"{one.power[drop]:.0%}" for drop in _DROPS]
        declines.add_row(one.of, f"{one.rows:,.0f}", *shares, f"{one.bad_days:.0%}", str(one.false_alarms))
    console.print(declines)


def write(power: Power, file: Path) -> None:
    """Writes the same as JSON."""
    file.write_text(json.dumps(asdict(power), indent=2, default=str), encoding="utf-8")
