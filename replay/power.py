"""What monitoring finds and what it leaves in peace: shifts are put into weeks of a year that was well, one at a time.

The figures are those of the monitoring job, by its own code; only the rows are changed.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import pandas as pd

from monitoring.decline import by_slice, decline, qualities
from monitoring.drift import SHARE, WEEK_DAYS, Days, Shift, Usual, weeks_of
from monitoring.reference import Reference
from project.config import Config
from project.kinds.label import Label
from replay.faults import Unit

DAY = pd.Timedelta(days=1)
_SEED = 2013
_NEW = "a new category"
# Within so many days from its first a shift is to be named; of a decline, from its first labels.
_DAYS_TO_NAME, _DAYS_TO_NAME_DECLINE, _DECLINE_DAYS = 7, 10, 14

type Change = Callable[[pd.DataFrame, np.random.Generator], pd.DataFrame]


@dataclass(frozen=True)
class Scores:
    """A year of scored rows, and what each version was validated on.

    Attributes:
        rows: the inputs, the prediction, the label, `version` (a number) and `day` (its start, UTC).
        references: by version, what was usual when it was trained.
        numeric: the columns of numbers.
        texts: the columns of texts.
    """

    rows: pd.DataFrame
    references: Mapping[int, Reference]
    numeric: Sequence[str]
    texts: Sequence[str]


@dataclass(frozen=True)
class Case:
    """One kind of shift.

    Attributes:
        kind: what the table calls it.
        columns: where it is; named is any of them.
        change: the rows with the shift.
        what: of which category or size, in words.
    """

    kind: str
    columns: tuple[str, ...]
    change: Change
    what: str = ""


@dataclass
class Tally:
    """How often shifts of a kind were named.

    Attributes:
        cases: shifts put in.
        named: those that were named with the right column in time.
        beside: columns that were named beside it, and would not have been without it.
        by_column: cases and named of each column.
    """

    cases: int = 0
    named: int = 0
    beside: int = 0
    by_column: dict[str, list[int]] = field(default_factory=lambda: defaultdict(lambda: [0, 0]))

    @property
    def power(self) -> float:
        """The share that was named."""
        return self.named / self.cases

    def add(self, column: str, is_named: bool, beside: int = 0) -> None:
        """Counts a case."""
        self.cases += 1
        self.named += is_named
        self.beside += beside
        self.by_column[column][0] += 1
        self.by_column[column][1] += is_named


@dataclass(frozen=True)
class Alarm:
    """Days in a row on which something was unusual, in a year that was well.

    Attributes:
        start: the first day.
        end: the last day.
        columns: what was named, the furthest beyond its bound first.
    """

    start: pd.Timestamp
    end: pd.Timestamp
    columns: tuple[str, ...]


class Monitor:
    """Judges weeks of a year as the monitoring job does, with the version that scored them."""

    def __init__(self, scores: Scores, config: Config) -> None:
        """Learns what is usual from each version's reference."""
        self._scores, self._drift = scores, config.monitoring.drift
        rows = scores.rows
        self.days = Days.of(rows, rows["day"], scores.numeric, scores.texts)
        self.version = rows.groupby("day")["version"].agg(lambda versions: int(versions.mode().iloc[0]))
        self._usual = {
            version: Usual.of(one.days, one.inputs.rows, one.inputs.day, scores.numeric, scores.texts, self._drift)
            for version, one in scores.references.items()
            if weeks_of(one.days.index) >= self._drift.least_weeks
        }

    def usual(self, day: pd.Timestamp) -> Usual | None:
        """What was usual for the version that scored a day; None where its reference is too short."""
        return self._usual.get(self.version.get(day, 0))

    def named(self, days: Days, day: pd.Timestamp) -> list[Shift]:
        """The shifts of the week up to a day that are beyond their bounds."""
        usual = self.usual(day)
        return usual.shifts(days, day, beyond=1.0) if usual else []

    def alarms(self) -> list[Alarm]:
        """What was unusual though nothing was put in: one alarm for days in a row."""
        found: list[Alarm] = []
        for day in self.days.numbers.index[WEEK_DAYS - 1 :]:
            columns = tuple(dict.fromkeys(shift.column for shift in self.named(self.days, day)))
            if columns and found and found[-1].end == day - DAY:
                found[-1] = Alarm(found[-1].start, day, tuple(dict.fromkeys((*found[-1].columns, *columns))))
            elif columns:
                found.append(Alarm(day, day, columns))
        return found

    def _knows(self, day: pd.Timestamp) -> bool:
        usual = self.usual(day)
        return usual is not None and usual.weeks >= self._drift.enough_weeks

    def weeks(self, number: int) -> list[pd.Timestamp]:
        """The first days of weeks whose baseline has enough weeks, evenly over the year."""
        whole = self.days.numbers.index
        able = [day for day in whole if self._knows(day) and self._knows(day + _DAYS_TO_NAME * DAY)]
        places = np.linspace(0, len(able) - 1, number).round().astype(int)
        return [able[place] for place in dict.fromkeys(places)]


def drift_power(
    monitor: Monitor, scores: Scores, cases: Callable[[Usual, pd.DataFrame], Iterator[Case]], weeks: int
) -> dict[str, Tally]:
    """How often each kind of shift is named, with its column, within a week of its first day.

    Args:
        monitor: judges.
        scores: the year.
        cases: the shifts of a week, from what is usual and the rows of the day before.
        weeks: into how many weeks they are put.
    """
    tallies: dict[str, Tally] = defaultdict(Tally)
    random = np.random.default_rng(_SEED)
    by_day = dict(tuple(scores.rows.groupby("day")))
    for start in monitor.weeks(weeks):
        last = start + (_DAYS_TO_NAME - 1) * DAY
        usual = monitor.usual(last)
        assert usual is not None  # noqa: S101 (of a week that can be judged)
        rows = pd.concat([by_day[day] for day in pd.date_range(start, last) if day in by_day])
        before = by_day.get(start - DAY, rows)
        found_anyway = {shift.column for shift in monitor.named(monitor.days, last)}
        for case in cases(usual, before):
            changed = _with(monitor.days, case.change(rows, random), case.columns, scores)
            others: set[str] = set()
            for day in pd.date_range(start, last)[::-1]:
                named = {shift.column for shift in monitor.named(changed, day)}
                others = others or named - {*case.columns} - found_anyway
                if is_named := bool(named & {*case.columns}):
                    break
            tallies[case.kind].add(f"{case.columns[0]} {case.what}".strip(), is_named, len(others))
    return dict(tallies)


@dataclass(frozen=True)
class Feed:
    """Columns that come together.

    Attributes:
        name: what brings them.
        keys: what they are of.
        columns: theirs.
    """

    name: str
    keys: tuple[str, ...]
    columns: tuple[str, ...]


def shifts_of(
    usual: Usual, before: pd.DataFrame, scores: Scores, config: Config, feeds: Sequence[Feed], units: Sequence[Unit]
) -> Iterator[Case]:
    """The shifts that are tried in each week.

    Args:
        usual: the standard deviations of the columns.
        before: the rows of the day before the week.
        scores: names the columns.
        config: names the prediction.
        feeds: what may repeat itself.
        units: what may be mistaken for another.
    """
    prediction = config.prediction.column
    inputs = [name for name in scores.numeric if name != prediction]
    for column in inputs:
        for sign in (1, -1):
            by = sign * float(usual.deviation[column])
            yield Case("one standard deviation", (column,), partial(_add, column=column, by=by))
        yield Case("NULLs, 10 points more", (column,), partial(_drop, column=column, share=0.1))
        seen = before[column].dropna()
        if usual.deviation[column] and len(seen):
            yield Case("stuck at one value", (column,), partial(_stick, column=column, value=float(seen.iloc[-1])))
        for unit in units:
            if re.fullmatch(unit.columns, column):
                yield Case(unit.name, (column,), partial(_mistake, column=column, unit=unit))
    for column in scores.texts:
        yield Case("a new category, 2 %", (column,), partial(_rename, column=column, share=0.02))
        for item in _watched(usual, column):
            yield Case("a share doubled", (column,), partial(_double, column=column, item=item), item)
            yield Case("a share halved", (column,), partial(_halve, column=column, item=item), item)
    more = config.label.notable_shift(float(usual.deviation[prediction]))
    yield Case("all predictions higher", (prediction,), partial(_add, column=prediction, by=more))
    asked = config.subject.prediction_time
    for feed in feeds:
        repeat = partial(_repeat, feed=feed, before=before, asked=asked)
        yield Case("a feed repeats a day", feed.columns, repeat, f"({feed.name})")


def decline_power(
    scores: Scores, config: Config, weeks: int, drop: float, key: str = "", value: str = ""
) -> tuple[Tally, Tally, int]:
    """How often a decline for two weeks is named within ten days of its labels, and one bad day; false alarms.

    Args:
        scores: the year.
        config: how a decline is judged.
        weeks: into how many places of the year each is put.
        drop: how far the quality falls, as `fallen` has it.
        key: the column of one slice; empty for all rows.
        value: its value.

    Returns:
        The drops, the bad days (of which none should be named), and alarms where nothing was put in.
    """
    settings, label = config.monitoring.decline, config.label
    prediction, moment = config.prediction.column, config.subject.prediction_time
    rate = settings.false_alarm_rate_of_slices if key else settings.false_alarm_rate
    least = config.monitoring.min_labelled_rows
    own = scores.rows[scores.rows[key] == value] if key else scores.rows
    days = qualities(own, own["day"], label, prediction, moment, least)
    dropped = days.assign(value=fallen(days["value"], drop, label))
    bad = days.assign(value=fallen(days["value"], 1.0, label) if label.no_skill is None else label.no_skill)
    version = own.groupby("day")["version"].first()
    usual = {}
    for number, reference in scores.references.items():
        rows = reference.answers.rows
        rows = rows[rows[key] == value] if key else rows
        usual[number] = qualities(rows, reference.answers.day[rows.index], label, prediction, moment, least)

    def is_named(changed: pd.DataFrame, place: int) -> bool:
        found = decline(usual[version[days.index[place]]], changed.iloc[: place + 1], rate, settings, label)
        return found is not None and found.ratio > 1

    drops, one_day = Tally(), Tally()
    alarms = [is_named(days, place) for place in range(len(days))]
    last = len(days) - _DECLINE_DAYS
    for start in (
        dict.fromkeys(np.linspace(settings.days, last, weeks).round().astype(int)) if last > settings.days else ()
    ):
        changed = pd.concat(
            [days.iloc[:start], dropped.iloc[start : start + _DECLINE_DAYS], days.iloc[start + _DECLINE_DAYS :]]
        )
        drops.add(value, any(is_named(changed, start + after) for after in range(_DAYS_TO_NAME_DECLINE)))
        single = pd.concat([days.iloc[:start], bad.iloc[start : start + 1], days.iloc[start + 1 :]])
        after_one = range(start, start + _DAYS_TO_NAME_DECLINE)
        one_day.add(value, any(is_named(single, place) and not alarms[place] for place in after_one))
    return drops, one_day, sum(now and not before for before, now in zip([False, *alarms], alarms, strict=False))


def fallen(quality: pd.Series, drop: float, label: Label) -> pd.Series:
    """The quality of days that are worse by a drop: in its own unit where it has a value without skill, such as 0.5 of
    ROC AUC; else as a share of what it is on average, so that an error's unit does not matter.
    """
    unit = float(quality.mean()) if label.no_skill is None else 1.0
    return quality - label.is_better * drop * unit


def slices_of(scores: Scores, config: Config) -> list[tuple[str, str, float]]:
    """Slices with enough labelled rows on most days, and their rows a day; the largest first."""
    days, least = scores.rows["day"].nunique(), config.monitoring.min_labelled_rows
    found = [(key, value, len(rows) / days) for (key, value), rows in by_slice(scores.rows, config.slices).items()]
    return sorted((one for one in found if one[2] >= least), key=lambda one: -one[2])


def _watched(usual: Usual, column: str) -> list[str]:
    return [item for kind, of, item in usual.figures.index if kind == SHARE and of == column]


def _with(days: Days, rows: pd.DataFrame, columns: Sequence[str], scores: Scores) -> Days:
    """The figures of the days with those of some columns measured anew."""
    numeric = [name for name in columns if name in scores.numeric]
    texts = [name for name in columns if name in scores.texts]
    first, last = rows["day"].min() - WEEK_DAYS * DAY, rows["day"].max()
    numbers, shares = days.numbers.loc[first:last].copy(), days.shares.loc[first:last]
    measured = Days.of(rows, rows["day"], numeric, texts)
    for key in measured.numbers.columns if numeric else ():
        numbers.loc[measured.numbers.index, [key]] = measured.numbers[[key]]
    if texts:
        others = shares.drop(columns=[key for key in shares.columns if key[0] in texts])
        own = shares[[key for key in shares.columns if key[0] in texts]]
        own = own.reindex(columns=own.columns.union(measured.shares.columns), fill_value=0.0)
        own.loc[measured.shares.index] = measured.shares.reindex(columns=own.columns, fill_value=0.0)
        shares = pd.concat([others, own], axis=1)
    return Days(numbers, shares)


def _add(rows: pd.DataFrame, _: np.random.Generator, column: str, by: float) -> pd.DataFrame:
    return rows.assign(**{column: rows[column] + by})


def _mistake(rows: pd.DataFrame, _: np.random.Generator, column: str, unit: Unit) -> pd.DataFrame:
    return rows.assign(**{column: (rows[column] - unit.start) * unit.factor})


def _drop(rows: pd.DataFrame, random: np.random.Generator, column: str, share: float) -> pd.DataFrame:
    known = rows[column].notna()
    return rows.assign(**{column: rows[column].mask(known & (random.random(len(rows)) < share / known.mean()))})


def _stick(rows: pd.DataFrame, _: np.random.Generator, column: str, value: float) -> pd.DataFrame:
    return rows.assign(**{column: rows[column].where(rows[column].isna(), value)})


def _rename(rows: pd.DataFrame, random: np.random.Generator, column: str, share: float) -> pd.DataFrame:
    return rows.assign(**{column: rows[column].mask(random.random(len(rows)) < share, _NEW)})


def _double(rows: pd.DataFrame, random: np.random.Generator, column: str, item: str) -> pd.DataFrame:
    others = rows[column] != item
    share = (~others).sum() / max(others.sum(), 1)
    return rows.assign(**{column: rows[column].mask(others & (random.random(len(rows)) < share), item)})


def _halve(rows: pd.DataFrame, random: np.random.Generator, column: str, item: str) -> pd.DataFrame:
    others = rows.loc[rows[column] != item, column].to_numpy()
    becomes = (rows[column] == item) & (random.random(len(rows)) < 0.5)  # noqa: PLR2004 (half of them)
    return rows.assign(**{column: rows[column].mask(becomes, random.choice(others, len(rows)))})


def _repeat(rows: pd.DataFrame, _: np.random.Generator, feed: Feed, before: pd.DataFrame, asked: str) -> pd.DataFrame:
    """Each row has what the day before the week had at its hour."""
    place, columns = [*feed.keys, "_hour"], list(feed.columns)
    hours = before.assign(_hour=before[asked].dt.hour).drop_duplicates(place).set_index(place)[columns]
    keys = pd.MultiIndex.from_frame(rows.assign(_hour=rows[asked].dt.hour)[place])
    return rows.assign(**dict(zip(columns, hours.reindex(keys).to_numpy().T, strict=True)))
