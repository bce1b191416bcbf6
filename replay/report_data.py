"""All that the report of a replay shows, in memory."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from statistics import median

import pandas as pd
from pyspark.sql import SparkSession

from project.config import Config
from project.kinds.label import Measure
from project.tables import Tables
from replay import figures
from replay.caught import Outcome, missing_of, promoted_during, said_of
from replay.days import Plan
from replay.faults import Scheduled, find_faults
from replay.figures import Record
from replay.frame import read_year
from replay.journal import Entry
from replay.policies import on_the_same_rows, play, policies

REPLAYED = "as monitoring asks"
_AROUND = 10
_MOVES = {"done": "promotion", "refused": "refusal"}


@dataclass(frozen=True)
class Replayed:
    """A replay that has come to its end.

    Attributes:
        plan: which.
        model_name: the model.
        entries: its journal.
        faults: what went wrong with the feed.
    """

    plan: Plan
    model_name: str
    entries: tuple[Entry, ...]
    faults: tuple[Scheduled, ...]


@dataclass(frozen=True)
class Way:
    """One way to retrain, over the same rows as the others.

    Attributes:
        name: of the policy.
        trainings: how many.
        seconds: what they took.
        figures: `config.label.measure` of all rows.
        weeks: the same by `week`.
    """

    name: str
    trainings: int
    seconds: float
    figures: Mapping[str, float]
    weeks: pd.DataFrame


@dataclass(frozen=True)
class Happening:
    """A point of the time line.

    Attributes:
        as_of: when (UTC).
        kind: 'violation', 'retraining', 'promotion', 'refusal', 'fault', 'failure', 'repair'.
        text: what, in a sentence.
    """

    as_of: datetime
    kind: str
    text: str


@dataclass(frozen=True)
class ReportData:
    """What the report shows.

    Attributes:
        plan: which replay.
        model_name: the model.
        config: names what is predicted, and how its figures are shown.
        ways: the replay itself, then the alternatives.
        drift: population stability index by column (rows, the greatest first) and week (columns).
        happenings: the time line, oldest first.
        faults: what became of each.
        costs: seconds a run around the 30th and the 300th, or the last; runs with a training left out.
        seconds: the whole replay's jobs.
    """

    plan: Plan
    model_name: str
    config: Config
    ways: tuple[Way, ...]
    drift: pd.DataFrame
    happenings: tuple[Happening, ...]
    faults: tuple[Outcome, ...]
    costs: tuple[tuple[int, float], ...]
    seconds: float

    @property
    def compared(self) -> tuple[Measure, ...]:
        """The figures by which ways are compared: the loss first, then the quality, then all other errors."""
        label = self.config.label
        first = (label.loss_figure, label.quality)
        measures = {measure.name: measure for measure in label.measures(self.config.subject.plural)}
        errors = (name for name, measure in measures.items() if measure.better == "down")
        return tuple(measures[name] for name in dict.fromkeys((*first, *errors)))

    @property
    def summary(self) -> str:
        """The figures that matter, as lines of text."""
        loss, quality = self.compared[:2]
        lines = [f"{'retrained':<20}{'trainings':>10}{'seconds':>10}{loss.short_title:>10}{quality.short_title:>10}"]
        lines += [
            f"{way.name:<20}{way.trainings:>10}{way.seconds:>10.0f}{way.figures[loss.name]:>10.4f}"
            f"{way.figures[quality.name]:>10.4f}"
            for way in self.ways
        ]
        lines += [f"run {place:>3}: {seconds:.1f} s" for place, seconds in self.costs]
        lines += [f"{'well' if fault.is_well else 'NOT WELL'}: {fault.scheduled.fault.name}" for fault in self.faults]
        return "\n".join(lines)


def read_report_data(
    spark: SparkSession,
    tables: Tables,
    replayed: Replayed,
    cache: Path,
    config: Config,
    told: Callable[[str], None],
) -> ReportData:
    """Reads what the replay left, and plays the alternatives (the part that takes minutes; it is kept in `cache`)."""
    plan = replayed.plan
    verdicts, promotions = figures.read_verdicts(spark, tables), figures.read_promotions(spark, tables)
    trained = figures.trainings(replayed.model_name)
    return ReportData(
        plan=plan,
        model_name=replayed.model_name,
        config=config,
        ways=tuple(_ways(spark, tables, plan, trained, cache, config, told)),
        drift=figures.read_drift(spark, tables, plan.start),
        happenings=happenings(verdicts, figures.read_judgements(spark, tables), promotions, trained, replayed),
        faults=_outcomes(spark, tables, replayed, verdicts, promotions),
        costs=run_costs(replayed.entries),
        seconds=sum(entry.seconds for entry in replayed.entries),
    )


def _ways(
    spark: SparkSession,
    tables: Tables,
    plan: Plan,
    trained: Sequence[figures.Training],
    cache: Path,
    config: Config,
    told: Callable[[str], None],
) -> list[Way]:
    if not spark.catalog.tableExists(tables.inference_log):
        return []
    own = figures.read_scores(spark, tables, plan.start, plan.end, config)
    if own.empty:
        return []
    start = own[config.subject.prediction_time].min().floor("D").to_pydatetime()
    frame = read_year(spark, tables, plan.end, config)
    played = [play(policy, frame, plan.end, config, cache, told) for policy in policies(start, plan.end)]
    replay = (REPLAYED, len(trained), sum(training.seconds for training in trained))
    others = ((outcome.name, outcome.trainings, outcome.fit_seconds) for outcome in played)
    compared = on_the_same_rows([own, *(outcome.scores for outcome in played)], config)
    return [
        Way(*way, figures.measured(scores, config), figures.by_week(scores, start, config))
        for way, scores in zip((replay, *others), compared, strict=True)
    ]


def happenings(
    verdicts: Sequence[Record],
    judgements: Sequence[Record],
    promotions: Sequence[Record],
    trained: Sequence[figures.Training],
    replayed: Replayed,
) -> tuple[Happening, ...]:
    """The time line, oldest first; days on which nothing happened are not in it."""
    found = [Happening(row["as_of"], "violation", row["sentence"]) for row in verdicts if row["status"] == "violated"]
    found += [
        Happening(one.as_of, "retraining", f"version {one.version} is trained. {one.cause}".strip()) for one in trained
    ]
    found += [
        Happening(row["as_of"], "refusal", f"version {row['model_version']} fails validation: {_failed(row['gates'])}")
        for row in judgements
        if not row["passed"]
    ]
    found += [
        Happening(move["as_of"], _MOVES[move["status"]], f"version {move['model_version']}: {move['reason']}")
        for move in promotions
    ]
    found += [
        Happening(fault.first, "fault", f"{fault.fault.name}, until {fault.repaired:%-d %B}")
        for fault in replayed.faults
    ]
    found += [Happening(entry.as_of, event.kind, event.text) for entry in replayed.entries for event in entry.events]
    return tuple(sorted(found, key=lambda happening: happening.as_of))


def _failed(gates: str) -> str:
    return "; ".join(gate["sentence"] for gate in json.loads(gates) if not gate["passed"])


def _outcomes(
    spark: SparkSession,
    tables: Tables,
    replayed: Replayed,
    verdicts: Sequence[Record],
    promotions: Sequence[Record],
) -> tuple[Outcome, ...]:
    known = find_faults()
    if known is None:
        return ()
    quarantine = figures.read_quarantine(spark, tables)
    return tuple(
        Outcome(
            fault,
            said_of(fault, replayed.entries, quarantine, verdicts),
            promoted_during(fault, promotions),
            missing_of(fault, known, spark, tables),
        )
        for fault in replayed.faults
    )


def run_costs(entries: Sequence[Entry]) -> tuple[tuple[int, float], ...]:
    """Median seconds of the runs around the 30th, and around the 300th or the last: (which, seconds).

    With a step of one day a run is a day. Those in which a model was trained cost more and are left out.
    """
    seconds: dict[datetime, float] = {}
    before = 0
    with_training = set()
    for entry in entries:
        seconds[entry.as_of] = seconds.get(entry.as_of, 0.0) + entry.seconds
        if entry.trainings > before or entry.job == "training":
            with_training.add(entry.as_of)
        before = entry.trainings
    days = list(seconds)
    places = [place for place in (30, min(300, len(days) - _AROUND // 2)) if _AROUND < place <= len(days)]
    found = []
    for place in dict.fromkeys(places):
        around = days[max(place - 1 - _AROUND // 2, 0) : place - 1 + _AROUND // 2 + 1]
        plain = [seconds[day] for day in around if day not in with_training]
        if plain:
            found.append((place, median(plain)))
    return tuple(found)
