"""Reads the metric tables: each figure that a check may name, by place and day."""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from statistics import median
from typing import Any, Self

import pandas as pd
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from monitoring.checks import DAY, Days, Place
from monitoring.columns import WatchedColumns, watched_columns
from monitoring.decline import as_frame, by_slice, decline, qualities
from monitoring.drift import LEAST_DAYS, Shift, Usual, weeks_of
from monitoring.drift import Days as DriftDays
from monitoring.figures import LABEL_SHARE, LABELLED, NEWEST, TABLE, aggregates
from monitoring.reference import Reference, read_reference
from monitoring.windows import GRANULARITY, judged_window
from project.config import Config, Monitoring, MonitoringCheck
from project.kinds.label import Quality
from project.registry import champion_version
from project.tables import Tables

INPUT, BASELINE = "INPUT", "BASELINE"
# How many days before the judged ones say what is a usual volume, and how many say enough.
_USUAL_DAYS, _LEAST_USUAL_DAYS = 7, 3
_OF_COLUMN = ("avg", "stddev", "min", "max", "percent_null")

type Record = dict[str, Any]
type Figures = dict[str, dict[Place, dict[datetime, float | None]]]


@dataclass(frozen=True)
class DailyFigures:
    """The figures of the last days.

    Attributes:
        model_version: the newest version that scored in them; empty where none ever did.
        last_day: the start of the newest day whose labels are due (UTC).
        last_whole_day: the start of the newest day that is over (UTC).
        rows: predictions of the version in the days that the report is about.
        label_share: share of them whose outcome is known, 0 to 1.
        by_metric: figures by metric, place and day.
        words: of the figures that count bounds, by metric and place: what was found, and what it may mean.
        notes: by metric, why there is no figure where there is none.
        shifts: how each column of the last week differs from the baseline's weeks, the furthest first.
        prediction: the prediction's column.
    """

    model_version: str
    last_day: datetime
    last_whole_day: datetime
    rows: int
    label_share: float
    by_metric: Mapping[str, Mapping[Place, Days]]
    prediction: str
    words: Mapping[str, Mapping[Place, tuple[str, str]]] = field(default_factory=dict)
    notes: Mapping[str, str] = field(default_factory=dict)
    shifts: tuple[Shift, ...] = ()

    def of(self, check: MonitoringCheck) -> Mapping[Place, Days]:
        """The figures that a check is about.

        Raises:
            ValueError: there is no such metric.
        """
        if check.metric not in self.by_metric:
            raise ValueError(f"{check.name}: no figure is called '{check.metric}', but {sorted(self.by_metric)} are")
        is_of_prediction = check.kind == "prediction_drift"
        places = self.by_metric[check.metric].items()
        return {
            place: days
            for place, days in places
            if (place.column == self.prediction) is is_of_prediction and bool(place.slice_key) is check.by_slice
        }

    def last_day_of(self, check: MonitoringCheck) -> datetime:
        """The newest day that a check can judge: one whose labels are due, or one that is over."""
        return self.last_day if check.needs_labels else self.last_whole_day

    def with_age(self, trained: datetime | None, history_start: datetime, as_of: datetime) -> Self:
        """The same, and how old the version is: in days, and as a share of the history that it could learn from.

        Args:
            trained: as_of of its training; where it is None, its age can't be judged.
            history_start: the first moment that there is anything of.
            as_of: the moment to judge at.
        """
        figures: dict[str, dict[Place, Days]] = {"days_since_training": {}, "history_growth": {}}
        if trained is not None:
            age = as_of - trained
            figures["days_since_training"] = {Place(): {self.last_whole_day: age / DAY}}
            figures["history_growth"] = {Place(): {self.last_whole_day: age / (trained - history_start)}}
        return replace(self, by_metric={**self.by_metric, **figures})


def read_daily_figures(
    spark: SparkSession, tables: Tables, model_name: str, as_of: datetime, config: Config
) -> DailyFigures:
    """Reads the days up to as_of: a few rows a column, slice and day, however long the history."""
    last_day = judged_window(as_of, config.monitoring).end - DAY
    last_whole_day = as_of.replace(hour=0, minute=0, second=0, microsecond=0) - DAY
    first_day = last_day - DAY * (config.monitoring.look_back_days - 1)
    columns = watched_columns(spark.table(tables.inference_log), config)
    metrics = spark.table(tables.profile_metrics)
    profile = _read_profile(metrics, first_day - DAY * _USUAL_DAYS, as_of, columns, config)
    whole = [row for row in profile if row["column_name"] == TABLE]
    version = max((row["model_version"] for row in whole), key=int, default="")
    began = _began(metrics, as_of) if not whole else min(row["day"] for row in whole)
    own = [row for row in whole if row["model_version"] == version]
    start = last_day - DAY * (config.monitoring.window_days - 1)
    in_window = [row for row in own if not row["slice_key"] and start <= row["day"] <= last_day]
    rows = sum(row["count"] for row in in_window)
    known = sum(row["count"] * row[LABEL_SHARE] for row in in_window)
    reference = read_reference(spark, tables, version, columns, config)
    shifts, drift, note = _drift(reference, profile, columns, last_whole_day, config)
    declines = _declines(reference, whole, last_day, config)
    everything = [row for row in whole if not row["slice_key"]]
    promotions = _promotions(spark, tables, model_name)
    figures: Figures = {
        **_volume(everything, began, first_day, last_whole_day, as_of),
        **_quality(own, config),
        "drift": drift,
        "decline": {place: {day: one[0] for day, one in days.items()} for place, days in declines.items()},
        "days_unmeasured": {Place(): {last_whole_day: _unmeasured(spark, tables, everything, last_whole_day, config)}},
        "versions_of_a_day": {Place(): _versions(promotions, everything, last_whole_day)},
        "unrecorded_champion": {Place(): _unrecorded(promotions, model_name, last_whole_day)},
    }
    said = {place: (days[last_day][1], _OF_DECLINE) for place, days in declines.items() if last_day in days}
    words = {"drift": _words(shifts, note), "decline": said}
    notes = {"drift": note, "decline": f"it takes {config.monitoring.decline.days} days whose labels are known"}
    share = known / rows if rows else 0.0
    newest = version if whole or began is None else _newest_version(metrics, as_of)
    return DailyFigures(
        newest, last_day, last_whole_day, rows, share, figures, config.prediction.column, words, notes, tuple(shifts)
    )


_OF_DECLINE = "Look at the days' report: a slice may be the cause. Where it lasts, train on what has been seen since."


def _words(shifts: Sequence[Shift], note: str) -> dict[Place, tuple[str, str]]:
    """Of each column, its shift that is furthest beyond its bound."""
    after = f"; {note}" if note else ""
    return {Place(shift.column): (shift.sentence + after, shift.advice) for shift in reversed(shifts)}


def _drift(
    reference: Reference, profile: Sequence[Record], columns: WatchedColumns, last_day: datetime, config: Config
) -> tuple[list[Shift], dict[Place, dict[datetime, float | None]], str]:
    """The shifts of the last week, by column how many bounds the furthest one is, back to where it was usual, and what
    is to be said of the baseline."""
    settings = config.monitoring.drift
    numeric = [name for name in columns.numeric if name not in settings.ignored]
    days = _drift_days(profile, numeric, columns.categorical, config.monitoring.min_labelled_rows)
    weeks = weeks_of(reference.days.index)
    if weeks < settings.least_weeks:
        return [], {}, f"the baseline has {weeks} weeks: to say what is usual takes {settings.least_weeks}"
    if not _is_week(days, last_day):
        return [], {}, f"fewer than {LEAST_DAYS} days of the last week have predictions: too few to compare"
    inputs = reference.inputs
    usual = Usual.of(reference.days, inputs.rows, inputs.day, numeric, columns.categorical, settings)
    is_short = usual.weeks < settings.enough_weeks
    note = f"the baseline has {usual.weeks} weeks, so bounds are wide" if is_short else ""
    shifts = usual.shifts(days, pd.Timestamp(last_day))
    found: dict[Place, dict[datetime, float | None]] = {}
    day, of_day = last_day, shifts
    while True:
        for shift in reversed(of_day):
            found.setdefault(Place(shift.column), {})[day] = shift.ratio
        is_usual = not any((ratios.get(day) or 0.0) > 1 for ratios in found.values())
        day -= DAY
        if is_usual or not _is_week(days, day):
            return shifts, found, note
        of_day = usual.shifts(days, pd.Timestamp(day))


def _is_week(days: DriftDays, last_day: datetime) -> bool:
    return len(days.week_to(pd.Timestamp(last_day)).numbers) >= LEAST_DAYS


def _drift_days(profile: Sequence[Record], numeric: Sequence[str], texts: Sequence[str], least_rows: int) -> DriftDays:
    """Of each day with enough rows, the figures of the version that scored most of it."""
    most: dict[tuple[datetime, str], Record] = {}
    for row in sorted((row for row in profile if not row["slice_key"]), key=lambda row: row["count"]):
        most[row["day"], row["column_name"]] = row
    days = sorted({day for day, name in most if name == TABLE and most[day, name]["count"] >= least_rows})
    index = pd.DatetimeIndex(days, tz=UTC) if days else pd.DatetimeIndex([], tz=UTC)
    numbers = {
        (of, name): [_number(most.get((day, name)), of) for day in days] for of in _OF_COLUMN for name in numeric
    }
    shares: dict[tuple[str, str], dict[datetime, float]] = defaultdict(dict)
    for name in texts:
        for day in days:
            items = most[day, name]["frequent_items"] if (day, name) in most else None
            total = sum(item["count"] for item in items or ())
            for item in items or ():
                shares[name, item["item"]][day] = item["count"] / total
    by_day = {key: [found.get(day, 0.0) for day in days] for key, found in shares.items()}
    names = (
        pd.MultiIndex.from_tuples(numbers),
        pd.MultiIndex.from_tuples(by_day, names=[None, None]) if by_day else None,
    )
    return DriftDays(
        pd.DataFrame(dict(zip(names[0], numbers.values(), strict=True)), index=index, dtype=float),
        pd.DataFrame(by_day, index=index, columns=names[1], dtype=float),
    )


def _number(row: Record | None, of: str) -> float:
    value = None if row is None else row[of]
    return math.nan if value is None else float(value)


def _declines(
    reference: Reference, whole: Sequence[Record], last_day: datetime, config: Config
) -> dict[Place, dict[datetime, tuple[float, str]]]:
    """By place and day, how many bounds the quality has declined, and that in words; of the days that can be judged."""
    monitoring, settings, label = config.monitoring, config.monitoring.decline, config.label
    prediction, moment, answers = config.prediction.column, config.subject.prediction_time, reference.answers
    recent: dict[Place, dict[datetime, Quality]] = defaultdict(dict)
    for row in sorted(whole, key=lambda row: row["count"]):
        if _is_complete(row, monitoring) and row["day"] <= last_day and (quality := label.recorded_quality(row)):
            recent[Place("", row["slice_key"] or "", row["slice_value"] or "")][row["day"]] = quality
    own = {Place("", key, value): rows for (key, value), rows in by_slice(answers.rows, config.slices).items()}
    found: dict[Place, dict[datetime, tuple[float, str]]] = {}
    for place, rows in {Place(): answers.rows, **own}.items():
        if len(recent.get(place, {})) < settings.days:
            continue
        of_rows = answers.day[rows.index]
        validated = qualities(rows, of_rows, label, prediction, moment, monitoring.min_labelled_rows)
        days = as_frame(recent[place])
        rate = settings.false_alarm_rate_of_slices if place.slice_key else settings.false_alarm_rate
        for day in days.index[settings.days - 1 :]:
            if one := decline(validated, days.loc[:day], rate, settings, label):
                found.setdefault(place, {})[day] = one.ratio, one.sentence
    return found


def _unmeasured(
    spark: SparkSession, tables: Tables, measured: Sequence[Record], last_day: datetime, config: Config
) -> float:
    """How many of the last days have predictions, and no figures."""
    first = last_day - DAY * (_USUAL_DAYS - 1)
    moment, end = F.col(config.subject.prediction_time), last_day + DAY
    recent = spark.table(tables.inference_log).filter((moment >= F.lit(first)) & (moment < F.lit(end)))
    days = recent.select(F.unix_seconds(F.date_trunc("day", moment)).alias("day")).distinct().collect()
    return float(len({_moment(row["day"]) for row in days} - {row["day"] for row in measured}))


def _versions(promotions: DataFrame | None, measured: Sequence[Record], day: datetime) -> dict[datetime, float | None]:
    """How many versions scored a day, without those that were promoted in its course.

    What was asked at midnight is in the batch that ends then: a promotion as of midnight parts the day, too.
    """
    scored = {row["model_version"] for row in measured if row["day"] == day}
    if not scored:
        return {}
    moved = (F.col("as_of") >= F.lit(day)) & (F.col("as_of") < F.lit(day + DAY))
    return {day: float(len(scored) - (0 if promotions is None else promotions.filter(moved).count()))}


def _unrecorded(promotions: DataFrame | None, model_name: str, day: datetime) -> dict[datetime, float | None]:
    """1 where champion is another version than the last promotion or rollback made it."""
    newest = None if promotions is None else promotions.orderBy(F.desc("move")).select("model_version").first()
    return {} if newest is None else {day: float(champion_version(model_name) != newest["model_version"])}


def _promotions(spark: SparkSession, tables: Tables, model_name: str) -> DataFrame | None:
    """The moves of champion that were made; None before the first."""
    if not spark.catalog.tableExists(tables.promotions):
        return None
    done = (F.col("model_name") == model_name) & (F.col("status") == "done")
    return spark.table(tables.promotions).filter(done)


def _read_profile(
    metrics: DataFrame, first_day: datetime, as_of: datetime, columns: WatchedColumns, config: Config
) -> list[Record]:
    is_recent = (F.col("granularity") == GRANULARITY) & (F.col("log_type") == INPUT)
    is_recent &= (F.col("window.start") >= F.lit(first_day)) & (F.col("window.start") < F.lit(as_of))
    wanted = F.col("column_name").isin(TABLE, *columns.numeric, *columns.categorical)
    # Of a column, the whole alone; a slice has its own quality.
    whole = F.col("slice_key").isNull() | (F.col("column_name") == TABLE)
    items = F.when(F.col("column_name").isin(*columns.categorical), F.col("frequent_items")).alias("frequent_items")
    of_table = ("count", *aggregates(config))
    rows = metrics.filter(is_recent & wanted & whole).select(
        "model_version", "column_name", "slice_key", "slice_value", items, *_OF_COLUMN, *of_table, _day()
    )
    return [row | {"day": _moment(row["day"])} for row in rows.toArrow().to_pylist()]


def _day() -> Column:
    """The start of the window, as a number: a moment would lose its zone on the way."""
    return F.unix_seconds("window.start").alias("day")


def _moment(seconds: int | None) -> datetime:
    return datetime.fromtimestamp(seconds or 0, UTC)


def _began(metrics: DataFrame, as_of: datetime) -> datetime | None:
    """The first day that ever had a prediction before as_of."""
    first = _daily_quality(metrics, as_of).agg(F.min(F.unix_seconds("window.start")).alias("first")).collect()[0]
    return None if first["first"] is None else _moment(first["first"])


def _newest_version(metrics: DataFrame, as_of: datetime) -> str:
    newest = _daily_quality(metrics, as_of).agg(F.max(F.col("model_version").cast("int")).alias("newest")).collect()[0]
    return str(newest["newest"])


def _daily_quality(metrics: DataFrame, as_of: datetime) -> DataFrame:
    daily = (F.col("granularity") == GRANULARITY) & (F.col("log_type") == INPUT) & (F.col("column_name") == TABLE)
    return metrics.filter(daily & (F.col("window.start") < F.lit(as_of)))


def _volume(
    whole: Sequence[Record], began: datetime | None, first_day: datetime, last_day: datetime, as_of: datetime
) -> Figures:
    """How many predictions a day has, also a day that has none; against the days before it; how old the newest is."""
    counts: dict[datetime, float] = defaultdict(float)
    for row in whole:
        counts[row["day"]] += row["count"]
    days = [first_day + DAY * place for place in range((last_day - first_day).days + 1)]
    daily = {day: counts.get(day, 0.0) for day in days if began is not None and day >= began}
    newest = max((row[NEWEST] for row in whole), default=None)
    age = {} if newest is None else {last_day: (as_of - _moment(newest)) / timedelta(hours=1)}
    ratios = {day: _against_usual(day, counts) for day in daily if day in counts}
    return {
        "count": {Place(): dict(daily)},
        "hours_since_prediction": {Place(): dict(age)},
        "volume_ratio": {Place(): ratios},
    }


def _against_usual(day: datetime, counts: Mapping[datetime, float]) -> float | None:
    before = [day - DAY * ago for ago in range(1, _USUAL_DAYS + 1)]
    usual = [counts[one] for one in before if one in counts]
    return counts[day] / median(usual) if len(usual) >= _LEAST_USUAL_DAYS else None


def _quality(own: Sequence[Record], config: Config) -> Figures:
    """Figures of the labels; None where too few are known."""
    figures: Figures = {name: defaultdict(dict) for name in (LABEL_SHARE, *config.label.daily)}
    for row in own:
        place, day = Place("", row["slice_key"] or "", row["slice_value"] or ""), row["day"]
        figures[LABEL_SHARE][place][day] = row[LABEL_SHARE] or 0.0
        is_complete = _is_complete(row, config.monitoring)
        for name in config.label.daily:
            figures[name][place][day] = row[name] if is_complete else None
    return figures


def _is_complete(row: Record, monitoring: Monitoring) -> bool:
    """Whether enough labels of a day are known."""
    share, labelled = row[LABEL_SHARE] or 0.0, row[LABELLED] or 0
    return bool(share >= monitoring.min_label_share and labelled >= monitoring.min_labelled_rows)
