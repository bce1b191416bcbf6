"""What a report shows, read from the tables and the registry: a few rows each, however long the history."""

import json
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import fmean
from typing import Any

from mlflow import MlflowClient
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from monitoring.daily import BASELINE, INPUT
from monitoring.drift import WEEK_DAYS
from monitoring.figures import LABELLED, TABLE
from monitoring.ground_truth import log_outcomes
from monitoring.quality import SLICE, measure_quality
from monitoring.violations import ALL
from monitoring.windows import GRANULARITY, Window, judged_window
from project.config import Config
from project.registry import champion_version
from project.tables import Tables
from project.times import parse_optional_moment

_LEAST_ROWS_OF_A_BIN = 20
_MOST_REASONS = 50
_MOST_DISTRIBUTIONS, _MOST_ITEMS = 6, 12
_COUNTS_AT_A_TIME = 4
# The last digits of a mean differ with the order of its terms: cut, so that equal means are always in the same order.
_MEAN_DECIMALS = 9
_MINUTE = "yyyy-MM-dd HH:mm"

type Record = dict[str, Any]


@dataclass(frozen=True)
class Distribution:
    """A column in the last week and in the baseline.

    Attributes:
        now: its deciles from the least value to the greatest; empty of texts.
        before: the baseline's.
        shares_now: the shares of its most frequent texts, 0 to 1; empty of numbers.
        shares_before: the baseline's.
    """

    now: list[float]
    before: list[float]
    shares_now: dict[str, float]
    shares_before: dict[str, float]


@dataclass(frozen=True)
class ReportData:
    """The contents of a report.

    Attributes:
        model_name: the model.
        as_of: nothing known later is shown.
        window: the judged window.
        verdict: the row of `monitoring_verdicts` about all checks.
        findings: its rows about single checks, violations first.
        champion: version, when and from what it was trained; None where no version is champion.
        validation: the newest verdict of the watched version before promotion, `gates` as a list; None where
            it has none. challenger_and_champion: figures on the validation window by role. now: figures of
            the window, all rows; empty where there is none. before: figures of the watched version on its
            validation window. slices: figures by `slice_key` and `slice_value`, `now` and `before`. days:
            figures by day. calibration: (mean prediction, mean label, rows) of each bin, by 'now' and
            'before'. drift: the furthest shift of each column in the last week, the furthest beyond its bound first.
            distributions: of the columns that are beyond it, now and before. nulls: the shares of NULL by column.
            quarantine: source, reason, rows refused. tables: name and rows of every table of the schema.
    """

    model_name: str
    as_of: datetime
    window: Window
    verdict: Record
    findings: list[Record]
    champion: Record | None
    validation: Record | None
    challenger_and_champion: dict[str, Record]
    now: Record
    before: Record
    slices: list[Record]
    days: list[Record]
    calibration: dict[str, list[tuple[float, float, int]]]
    drift: list[Record]
    distributions: dict[str, Distribution]
    nulls: list[Record]
    quarantine: list[Record]
    tables: list[Record]


def read_report_data(
    spark: SparkSession, tables: Tables, model_name: str, as_of: datetime, config: Config
) -> ReportData:
    """Reads all that the report of as_of shows."""
    window = judged_window(as_of, config.monitoring)
    verdict, findings = _verdict(spark, tables, model_name, as_of)
    version = str(verdict["model_version"])
    validation = _validation(spark, tables, model_name, version, as_of)
    roles = _roles(spark, tables, model_name, version, validation, config)
    before = roles.get("challenger", {})
    log = _logged_rows(spark, tables, model_name, version, as_of, window, config)
    now = _keyed(_records(measure_quality(log, config.slices, config.label, config.prediction.column)))
    drift = _drift(spark, tables, model_name, as_of)
    unusual = [row["column_name"] for row in drift if row["ratio"] > 1]
    return ReportData(
        model_name=model_name,
        as_of=as_of,
        window=window,
        verdict=verdict,
        findings=findings,
        champion=_champion(model_name),
        validation=validation,
        challenger_and_champion={role: figures[_EVERYTHING] for role, figures in roles.items()},
        now=now.pop(_EVERYTHING, {}),
        before=before.get(_EVERYTHING, {}),
        slices=_slices(now, before),
        days=_days(spark, tables, version, window, config),
        calibration=_calibration(log, _baseline(spark, tables, version), config),
        drift=drift,
        distributions=_distributions(spark, tables, version, as_of, unusual) if unusual else {},
        nulls=_nulls(spark, tables, version, window),
        quarantine=_quarantine(spark, tables, as_of),
        tables=_row_counts(spark, tables),
    )


_EVERYTHING = ("", "")

# Figures by slice key and slice value.
type Sliced = Mapping[tuple[str, str], Record]


def _records(rows: DataFrame) -> list[Record]:
    return [row.asDict() for row in rows.collect()]


def _minute(column: str) -> Column:
    return F.date_format(column, _MINUTE).alias(column)


def _verdict(spark: SparkSession, tables: Tables, model_name: str, as_of: datetime) -> tuple[Record, list[Record]]:
    own = (F.col("model_name") == model_name) & (F.col("as_of") == F.lit(as_of))
    since = F.date_format("since", "d MMM").alias("since")
    rows = spark.table(tables.monitoring_verdicts).filter(own)
    order = (F.desc("violated"), "check_name", "column_name", "slice_key", "slice_value")
    hidden = ("since", "model_name", "as_of", "window_start", "window_end")
    found = _records(rows.orderBy(*order).select("*", since.alias("since_day")).drop(*hidden))
    whole = [row for row in found if row["check_name"] == ALL]
    if not whole:
        raise LookupError(f"{model_name} has no monitoring verdict as of {as_of.isoformat()}: check violations first")
    return whole[0], [row for row in found if row["check_name"] != ALL]


def _champion(model_name: str) -> Record | None:
    version = champion_version(model_name)
    if version is None:
        return None
    tags = MlflowClient().get_model_version(model_name, version).tags
    trained = parse_optional_moment(tags.get("as_of", ""))
    return {"version": version, "trained_as_of": trained, "git_commit": tags.get("git_commit", "")}


def _validation(spark: SparkSession, tables: Tables, model_name: str, version: str, as_of: datetime) -> Record | None:
    own = (F.col("model_name") == model_name) & (F.col("model_version") == version) & (F.col("as_of") <= F.lit(as_of))
    row = (
        spark.table(tables.validation_verdicts)
        .filter(own)
        .orderBy(F.desc("as_of"))
        .select(
            "passed",
            "champion_version",
            "gates",
            "git_commit",
            F.unix_micros("as_of").alias("micros"),
            *(_minute(name) for name in ("as_of", "window_start", "window_end")),
        )
        .first()
    )
    return None if row is None else row.asDict() | {"gates": json.loads(row["gates"])}


def _roles(
    spark: SparkSession, tables: Tables, model_name: str, version: str, validation: Record | None, config: Config
) -> dict[str, dict[tuple[str, str], Record]]:
    """Figures on the validation window, by role and slice."""
    if validation is None:
        return {}
    own = (
        (F.col("model_name") == model_name)
        & (F.col("model_version") == version)
        & (F.unix_micros("as_of") == validation["micros"])
    )
    rows, figures = F.col("rows").alias(LABELLED), config.label.metrics[1:]
    found = _records(spark.table(tables.validation_metrics).filter(own).select("role", *SLICE, rows, *figures))
    roles = {row["role"] for row in found}
    return {role: _keyed([row for row in found if row["role"] == role]) for role in sorted(roles)}


def _keyed(rows: list[Record]) -> dict[tuple[str, str], Record]:
    return {(row["slice_key"], row["slice_value"]): row for row in rows}


def _logged_rows(
    spark: SparkSession, tables: Tables, model_name: str, version: str, as_of: datetime, window: Window, config: Config
) -> DataFrame:
    """The version's rows of the window, up to as_of."""
    own = (F.col("model_name") == model_name) & (F.col("model_version") == version) & (F.col("as_of") <= F.lit(as_of))
    return spark.table(tables.inference_log).filter(own & window.holds(F.col(config.subject.prediction_time)))


def _baseline(spark: SparkSession, tables: Tables, version: str) -> DataFrame:
    return spark.table(tables.inference_baseline).filter(F.col("model_version") == version)


def _slices(now: Sliced, before: Sliced) -> list[Record]:
    found = [
        {"key": key, "value": value, "now": figures, "before": before.get((key, value), {})}
        for (key, value), figures in now.items()
    ]
    return sorted(found, key=lambda one: (one["key"], -one["now"][LABELLED], one["value"]))


def _days(spark: SparkSession, tables: Tables, version: str, window: Window, config: Config) -> list[Record]:
    """The rows ':table' of the version's days."""
    own = (F.col("model_version") == version) & (F.col("column_name") == TABLE) & F.col("slice_key").isNull()
    return _records(
        spark.table(tables.profile_metrics)
        .filter(own & (F.col("log_type") == INPUT) & _of_days(window))
        .orderBy("window.start")
        .select(
            F.date_format("window.start", "EEE d MMM").alias("day"),
            *("count", *log_outcomes(config), LABELLED, "mean_label", "mean_prediction"),
        )
    )


def _of_days(window: Window) -> Column:
    """True on metric rows of the window's days."""
    return (F.col("granularity") == GRANULARITY) & window.holds(F.col("window.start"))


def _calibration(now: DataFrame, before: DataFrame, config: Config) -> dict[str, list[tuple[float, float, int]]]:
    """The bins of the label's kind; those of few rows are left out."""
    label, prediction = config.label.column, config.prediction.column
    both = now.select(F.lit("now").alias("period"), label, prediction).unionByName(
        before.select(F.lit("before").alias("period"), label, prediction)
    )
    bins = (
        both.filter(F.col(label).isNotNull())
        .withColumn("place", config.label.place(prediction, "period"))
        .groupBy("period", "place")
        .agg(F.avg(prediction).alias("predicted"), F.avg(label).alias("happened"), F.count("*").alias("rows"))
        .filter(F.col("rows") >= _LEAST_ROWS_OF_A_BIN)
        .orderBy("period", "place")
    )
    found = _records(bins)
    return {
        period: [(r["predicted"], r["happened"], r["rows"]) for r in found if r["period"] == period]
        for period in ("now", "before")
    }


def _drift(spark: SparkSession, tables: Tables, model_name: str, as_of: datetime) -> list[Record]:
    own = (F.col("model_name") == model_name) & (F.col("as_of") == F.lit(as_of))
    rows = spark.table(tables.column_drift).filter(own)
    return _records(rows.orderBy(F.desc("ratio"), "column_name").select("column_name", "kind", "ratio", "sentence"))


def _distributions(
    spark: SparkSession, tables: Tables, version: str, as_of: datetime, columns: list[str]
) -> dict[str, Distribution]:
    """The last week's days and the version's baseline: the deciles of numbers, the shares of texts."""
    week = Window(as_of - timedelta(days=WEEK_DAYS), as_of)
    is_now = (F.col("log_type") == INPUT) & _of_days(week)
    own = (F.col("model_version") == version) & F.col("column_name").isin(columns) & F.col("slice_key").isNull()
    profile = spark.table(tables.profile_metrics).filter(own & (is_now | (F.col("log_type") == BASELINE)))
    rows = profile.select("column_name", "log_type", "quantiles", "frequent_items").toArrow().to_pylist()
    found = {}
    for column in columns[:_MOST_DISTRIBUTIONS]:
        of_column = [row for row in rows if row["column_name"] == column]
        now, before = ([row for row in of_column if row["log_type"] == kind] for kind in (INPUT, BASELINE))
        if now and before:
            found[column] = Distribution(_deciles(now), _deciles(before), _shares(now), _shares(before))
    return found


def _deciles(rows: list[Record]) -> list[float]:
    """The mean of the days, decile by decile; empty of texts."""
    return [fmean(values) for values in zip(*(row["quantiles"] for row in rows if row["quantiles"]), strict=True)]


def _shares(rows: list[Record]) -> dict[str, float]:
    """The share of each text; empty of numbers."""
    counts: Counter[str] = Counter()
    for row in rows:
        counts.update({item["item"]: item["count"] for item in row["frequent_items"] or ()})
    return {item: number / counts.total() for item, number in counts.most_common(_MOST_ITEMS)}


def _nulls(spark: SparkSession, tables: Tables, version: str, window: Window) -> list[Record]:
    """The mean of the days, by column."""
    own = (F.col("model_version") == version) & F.col("slice_key").isNull() & _of_days(window)
    profile = spark.table(tables.profile_metrics).filter(own & (F.col("log_type") == INPUT))
    shares = profile.groupBy("column_name").agg(F.avg("percent_null").alias("percent_null"))
    drift = spark.table(tables.drift_metrics).filter(own & (F.col("drift_type") == BASELINE))
    rise = F.round(F.avg("percent_null_delta"), _MEAN_DECIMALS).alias("percent_null_delta")
    found = shares.join(drift.groupBy("column_name").agg(rise), "column_name")
    some = found.filter((F.col("percent_null") != 0) | (F.col("percent_null_delta") != 0))
    return _records(some.orderBy(F.desc("percent_null_delta"), "column_name"))


def _quarantine(spark: SparkSession, tables: Tables, as_of: datetime) -> list[Record]:
    if not spark.catalog.tableExists(tables.quarantine):
        return []
    landed = spark.table(tables.quarantine).filter(F.col("landed_as_of") <= F.lit(as_of))
    counted = landed.groupBy("source", "reason").agg(F.sum("occurrences").alias("rows"))
    return _records(counted.orderBy(F.desc("rows"), "source", "reason").limit(_MOST_REASONS))


def _row_counts(spark: SparkSession, tables: Tables) -> list[Record]:
    listed = (
        spark.sql(f"SHOW TABLES IN {tables.full_schema}").filter(~F.col("isTemporary")).select("tableName").collect()
    )

    def count(name: str) -> Record:
        return {"table": name, "rows": spark.table(tables.named(name)).count()}

    # Side by side: each count is short, and most of it is waiting.
    with ThreadPoolExecutor(_COUNTS_AT_A_TIME) as beside:
        return list(beside.map(count, sorted(row["tableName"] for row in listed)))
