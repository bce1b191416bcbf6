"""Reads the metric tables: each figure that a check may name, by place and day."""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from statistics import median
from typing import Any, Self

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from monitoring.checks import DAY, Days, Place
from monitoring.columns import WatchedColumns, watched_columns
from monitoring.figures import LABEL_SHARE, LABELLED, NEWEST, TABLE
from monitoring.windows import GRANULARITY, judged_window
from project.config import Config, Monitoring, MonitoringCheck
from project.tables import Tables

INPUT, BASELINE = "INPUT", "BASELINE"
# How many days before the judged ones say what is a usual volume, and how many say enough.
_USUAL_DAYS, _LEAST_USUAL_DAYS = 7, 3
_OF_DRIFT = ("percent_null_delta", "population_stability_index")
_OF_TABLE = ("count", LABELLED, LABEL_SHARE, NEWEST, "label_rate", "log_loss", "roc_auc")

type Record = dict[str, Any]
type Figures = dict[str, dict[Place, dict[datetime, float | None]]]


@dataclass(frozen=True)
class DailyFigures:
    """The figures of the last days.

    Attributes:
        model_version: the newest version that scored in them; empty where none ever did.
        last_day: the start of the newest day whose labels are due (UTC).
        rows: predictions of the version in the days that the report is about.
        label_share: share of them whose outcome is known, 0 to 1.
        by_metric: figures by metric, place and day.
        inputs: the model's inputs.
        prediction: the prediction's column.
    """

    model_version: str
    last_day: datetime
    rows: int
    label_share: float
    by_metric: Mapping[str, Mapping[Place, Days]]
    inputs: frozenset[str]
    prediction: str

    def of(self, check: MonitoringCheck) -> Mapping[Place, Days]:
        """The figures that a check is about.

        Raises:
            ValueError: there is no such metric.
        """
        if check.metric not in self.by_metric:
            raise ValueError(f"{check.name}: no figure is called '{check.metric}', but {sorted(self.by_metric)} are")
        columns = {self.prediction} if check.kind == "prediction_drift" else {"", *self.inputs}
        places = self.by_metric[check.metric].items()
        return {
            place: days for place, days in places if place.column in columns and bool(place.slice_key) is check.by_slice
        }

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
            figures["days_since_training"] = {Place(): {self.last_day: age / DAY}}
            figures["history_growth"] = {Place(): {self.last_day: age / (trained - history_start)}}
        return replace(self, by_metric={**self.by_metric, **figures})


def read_daily_figures(spark: SparkSession, tables: Tables, as_of: datetime, config: Config) -> DailyFigures:
    """Reads the days up to as_of: a few rows a column, slice and day, however long the history."""
    last_day = judged_window(as_of, config.monitoring).end - DAY
    first_day = last_day - DAY * (config.monitoring.look_back_days - 1)
    columns = watched_columns(spark.table(tables.inference_log), config)
    profile = _read_profile(spark.table(tables.profile_metrics), first_day - DAY * _USUAL_DAYS, as_of, columns)
    daily = [row for row in profile if row["log_type"] == INPUT]
    whole = [row for row in daily if row["column_name"] == TABLE]
    version = max((row["model_version"] for row in whole), key=int, default="")
    began = _began(spark.table(tables.profile_metrics), as_of) if not whole else min(row["day"] for row in whole)
    own = [row for row in whole if row["model_version"] == version]
    start = last_day - DAY * (config.monitoring.window_days - 1)
    in_window = [row for row in own if not row["slice_key"] and start <= row["day"] <= last_day]
    rows = sum(row["count"] for row in in_window)
    known = sum(row["count"] * row[LABEL_SHARE] for row in in_window)
    seen = [row for row in profile if row["model_version"] == version and row["column_name"] != TABLE]
    drift = _read_drift(spark.table(tables.drift_metrics), first_day, last_day, version)
    figures: Figures = {
        **_volume([row for row in whole if not row["slice_key"]], began, first_day, last_day, as_of),
        **_quality(own, config.monitoring),
        **_drift(drift),
        "unseen_share": _unseen(seen),
    }
    inputs = frozenset(columns.numeric + columns.categorical) - {config.prediction.column}
    share = known / rows if rows else 0.0
    newest = version if whole or began is None else _newest_version(spark.table(tables.profile_metrics), as_of)
    return DailyFigures(newest, last_day, rows, share, figures, inputs, config.prediction.column)


def _read_profile(metrics: DataFrame, first_day: datetime, as_of: datetime, columns: WatchedColumns) -> list[Record]:
    is_recent = (F.col("granularity") == GRANULARITY) & (F.col("log_type") == INPUT)
    is_recent &= (F.col("window.start") >= F.lit(first_day)) & (F.col("window.start") < F.lit(as_of))
    wanted = F.col("column_name").isin(TABLE, *columns.categorical)
    # Of a column, the whole alone; a slice has its own quality.
    whole = F.col("slice_key").isNull() | (F.col("column_name") == TABLE)
    baseline = (F.col("log_type") == BASELINE) & (F.col("column_name") != TABLE)
    items = F.when(F.col("column_name") != TABLE, F.col("frequent_items")).alias("frequent_items")
    rows = metrics.filter((is_recent | baseline) & wanted & whole).select(
        "log_type", "model_version", "column_name", "slice_key", "slice_value", items, *_OF_TABLE, _day()
    )
    return [row | {"day": _moment(row["day"])} for row in rows.toArrow().to_pylist()]


def _read_drift(metrics: DataFrame, first_day: datetime, last_day: datetime, version: str) -> list[Record]:
    of_days = (F.col("window.start") >= F.lit(first_day)) & (F.col("window.start") <= F.lit(last_day))
    own = (F.col("granularity") == GRANULARITY) & (F.col("drift_type") == BASELINE) & F.col("slice_key").isNull()
    rows = metrics.filter(of_days & own & (F.col("model_version") == version))
    found = rows.select("column_name", *_OF_DRIFT, _day()).toArrow().to_pylist()
    return [row | {"day": _moment(row["day"])} for row in found]


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


def _quality(own: Sequence[Record], monitoring: Monitoring) -> Figures:
    """Figures of the labels; None where too few are known."""
    figures: Figures = {name: defaultdict(dict) for name in (LABEL_SHARE, "roc_auc", "log_loss_skill")}
    for row in own:
        place, day = Place("", row["slice_key"] or "", row["slice_value"] or ""), row["day"]
        share, labelled = row[LABEL_SHARE] or 0.0, row[LABELLED] or 0
        is_complete = share >= monitoring.min_label_share and labelled >= monitoring.min_labelled_rows
        figures[LABEL_SHARE][place][day] = share
        figures["roc_auc"][place][day] = row["roc_auc"] if is_complete else None
        figures["log_loss_skill"][place][day] = _skill(row["log_loss"], row["label_rate"]) if is_complete else None
    return figures


def _skill(loss: float, rate: float) -> float | None:
    """1 - loss / base, the base being the log loss (nats) of the constant prediction `rate`."""
    if not 0 < rate < 1:
        return None
    return 1 - loss / -(rate * math.log(rate) + (1 - rate) * math.log(1 - rate))


def _drift(rows: Sequence[Record]) -> Figures:
    figures: Figures = {name: defaultdict(dict) for name in _OF_DRIFT}
    for row in rows:
        for name in _OF_DRIFT:
            figures[name][Place(row["column_name"])][row["day"]] = row[name]
    return figures


def _unseen(rows: Sequence[Record]) -> dict[Place, dict[datetime, float | None]]:
    """The share of a day's values (the frequent ones, that is) that are none of the baseline's."""
    known = {r["column_name"]: {i["item"] for i in r["frequent_items"]} for r in rows if r["log_type"] == BASELINE}
    shares: dict[Place, dict[datetime, float | None]] = defaultdict(dict)
    for row in rows:
        if row["log_type"] == INPUT and row["column_name"] in known:
            counts = {item["item"]: item["count"] for item in row["frequent_items"] or []}
            unseen = sum(count for item, count in counts.items() if item not in known[row["column_name"]])
            shares[Place(row["column_name"])][row["day"]] = unseen / sum(counts.values()) if counts else None
    return shares
