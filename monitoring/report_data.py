"""What a report shows, read from the tables and the registry: a few rows each, however long the history."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from mlflow import MlflowClient
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from monitoring.ground_truth import OUTCOMES
from monitoring.profile import BASELINE, INPUT, baseline_rows, find_baselines, logged_rows
from monitoring.quality import TABLE
from monitoring.violations import of_window
from monitoring.windows import DAY, Window, judged_window
from project.config import Config
from project.metrics import METRICS
from project.registry import champion_version
from project.tables import Tables
from project.times import parse_optional_moment

CALIBRATION_BINS = 10
_LEAST_ROWS_OF_A_BIN = 20
_MOST_REASONS = 50
_COUNTS_AT_A_TIME = 4
_MINUTE = "yyyy-MM-dd HH:mm"

type Record = dict[str, Any]


@dataclass(frozen=True)
class ReportData:
    """The contents of a report.

    Attributes:
        model_name: the model.
        as_of: nothing known later is shown.
        window: the judged window.
        verdict: the row of `monitoring_verdicts`, `checks` as a list.
        champion: version, when and from what it was trained; None where no version is champion.
        validation: the newest verdict of the watched version before promotion, `gates` as a list; None where
            it has none. challenger_and_champion: figures on the validation window by role. now: figures of
            the window, all rows; empty where there is none. before: figures of the watched version on its
            validation window. slices: figures by `slice_key` and `slice_value`, `now` and `before`. days:
            figures by day. calibration: (mean prediction, label rate, rows) of each bin, by 'now' and
            'before'. drift: one record a column, the greatest index first, with the null shares. quarantine:
            source, reason, rows refused. tables: name and rows of every table of the schema.
    """

    model_name: str
    as_of: datetime
    window: Window
    verdict: Record
    champion: Record | None
    validation: Record | None
    challenger_and_champion: dict[str, Record]
    now: Record
    before: Record
    slices: list[Record]
    days: list[Record]
    calibration: dict[str, list[tuple[float, float, int]]]
    drift: list[Record]
    quarantine: list[Record]
    tables: list[Record]


def read_report_data(
    spark: SparkSession, tables: Tables, model_name: str, as_of: datetime, config: Config
) -> ReportData:
    """Reads all that the report of as_of shows."""
    window = judged_window(as_of, config.monitoring)
    verdict = _verdict(spark, tables, model_name, as_of)
    version = str(verdict["model_version"])
    quality = _quality(spark, tables, version, window)
    validation = _validation(spark, tables, model_name, version, as_of)
    return ReportData(
        model_name=model_name,
        as_of=as_of,
        window=window,
        verdict=verdict,
        champion=_champion(model_name),
        validation=validation,
        challenger_and_champion=_roles(spark, tables, model_name, version, validation),
        now=_of_all(quality, INPUT, window.granularity),
        before=_of_all(quality, BASELINE, None),
        slices=_slices(quality, window.granularity),
        days=[row for row in quality if row["granularity"] == DAY],
        calibration=_calibration(spark, tables, model_name, version, as_of, window, config),
        drift=_drift(spark, tables, version, window),
        quarantine=_quarantine(spark, tables, as_of),
        tables=_row_counts(spark, tables),
    )


def _records(rows: DataFrame) -> list[Record]:
    return [row.asDict() for row in rows.collect()]


def _minute(column: str) -> Column:
    return F.date_format(column, _MINUTE).alias(column)


def _verdict(spark: SparkSession, tables: Tables, model_name: str, as_of: datetime) -> Record:
    own = (F.col("model_name") == model_name) & (F.col("as_of") == F.lit(as_of))
    newest_first = F.desc(F.col("model_version").cast("int"))
    columns = (
        "model_version",
        "violated",
        "status",
        "sentence",
        "recommendation",
        "checks",
        "rows",
        "label_share",
    )
    row = spark.table(tables.monitoring_verdicts).filter(own).orderBy(newest_first).select(*columns).first()
    if row is None:
        raise LookupError(f"{model_name} has no monitoring verdict as of {as_of.isoformat()}: check violations first")
    return row.asDict() | {"checks": json.loads(row["checks"])}


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
    spark: SparkSession, tables: Tables, model_name: str, version: str, validation: Record | None
) -> dict[str, Record]:
    if validation is None:
        return {}
    own = (
        (F.col("model_name") == model_name)
        & (F.col("model_version") == version)
        & (F.unix_micros("as_of") == validation["micros"])
        & (F.col("slice_key") == "")
    )
    rows = spark.table(tables.validation_metrics).filter(own).select("role", *METRICS)
    return {record.pop("role"): record for record in _records(rows)}


def _quality(spark: SparkSession, tables: Tables, version: str, window: Window) -> list[Record]:
    """The rows ':table' of the watched version: the window and its slices, its days, the baseline."""
    in_window = (F.col("window.start") >= F.lit(window.start)) & (F.col("window.end") <= F.lit(window.end))
    shown = of_window(window) | (in_window & (F.col("granularity") == DAY)) | (F.col("log_type") == BASELINE)
    own = (F.col("model_version") == version) & (F.col("column_name") == TABLE)
    return _records(
        spark.table(tables.profile_metrics)
        .filter(own & shown)
        .orderBy("window.start", "slice_key", F.desc("count"))
        .select(
            F.date_format("window.start", "EEE d MMM").alias("day"),
            "log_type",
            "granularity",
            "slice_key",
            "slice_value",
            "count",
            *OUTCOMES,
            "label_share",
            "labelled_rows",
            *METRICS[1:],
        )
    )


def _of_all(quality: list[Record], log_type: str, granularity: str | None) -> Record:
    for row in quality:
        same = granularity is None or row["granularity"] == granularity
        if row["log_type"] == log_type and row["slice_key"] is None and same:
            return row
    return {}


def _slices(quality: list[Record], granularity: str) -> list[Record]:
    sliced = [row for row in quality if row["slice_key"] is not None]
    before = {(r["slice_key"], r["slice_value"]): r for r in sliced if r["log_type"] == BASELINE}
    return [
        {"key": r["slice_key"], "value": r["slice_value"], "now": r}
        | {"before": before.get((r["slice_key"], r["slice_value"]), {})}
        for r in sliced
        if r["granularity"] == granularity
    ]


def _calibration(
    spark: SparkSession,
    tables: Tables,
    model_name: str,
    version: str,
    as_of: datetime,
    window: Window,
    config: Config,
) -> dict[str, list[tuple[float, float, int]]]:
    """Bins of equal width; those of few rows are left out."""
    label, prediction = config.label.column, config.prediction.column
    logged = logged_rows(spark, tables, model_name, as_of).filter(window.holds(F.col("prediction_at")))
    baselines = find_baselines(spark, tables, model_name, as_of, window).filter(F.col("model_version") == version)
    baseline = baseline_rows(spark, tables, model_name, baselines)
    both = logged.select(F.lit("now").alias("period"), "model_version", label, prediction).unionByName(
        baseline.select(F.lit("before").alias("period"), "model_version", label, prediction)
    )
    place = F.least(F.floor(F.col(prediction) * CALIBRATION_BINS), F.lit(CALIBRATION_BINS - 1)).alias("place")
    bins = (
        both.filter((F.col("model_version") == version) & F.col(label).isNotNull())
        .groupBy("period", place)
        .agg(F.avg(prediction).alias("predicted"), F.avg(label).alias("happened"), F.count("*").alias("rows"))
        .filter(F.col("rows") >= _LEAST_ROWS_OF_A_BIN)
        .orderBy("period", "place")
    )
    found = _records(bins)
    return {
        period: [(r["predicted"], r["happened"], r["rows"]) for r in found if r["period"] == period]
        for period in ("now", "before")
    }


def _drift(spark: SparkSession, tables: Tables, version: str, window: Window) -> list[Record]:
    own = (F.col("model_version") == version) & of_window(window)
    profile = spark.table(tables.profile_metrics).filter(own & (F.col("log_type") == INPUT))
    shares = profile.select("column_name", "percent_null", "avg")
    drift = spark.table(tables.drift_metrics).filter(own)
    return _records(
        drift.join(shares, "column_name")
        .orderBy(F.desc("population_stability_index"), "column_name")
        .select("column_name", "population_stability_index", "js_distance", "percent_null_delta", "percent_null")
    )


def _quarantine(spark: SparkSession, tables: Tables, as_of: datetime) -> list[Record]:
    if not spark.catalog.tableExists(tables.quarantine):
        return []
    landed = spark.table(tables.quarantine).filter(F.col("landed_as_of") <= F.lit(as_of))
    counted = landed.groupBy("source", "reason").agg(F.sum("occurrences").alias("rows"))
    return _records(counted.orderBy(F.desc("rows"), "source", "reason").limit(_MOST_REASONS))


def _row_counts(spark: SparkSession, tables: Tables) -> list[Record]:
    schema = f"{tables.catalog}.{tables.schema}"
    listed = spark.sql(f"SHOW TABLES IN {schema}").filter(~F.col("isTemporary")).select("tableName").collect()

    def count(name: str) -> Record:
        return {"table": name, "rows": spark.table(f"{schema}.{name}").count()}

    # Side by side: each count is short, and most of it is waiting.
    with ThreadPoolExecutor(_COUNTS_AT_A_TIME) as beside:
        return list(beside.map(count, sorted(row["tableName"] for row in listed)))
