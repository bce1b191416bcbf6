"""What the tables and the registry say of a replayed year, as small frames in memory."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pandas as pd
from mlflow import MlflowClient
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from monitoring.violations import ALL
from project.config import Config
from project.registry import versions_of
from project.tables import Tables
from project.times import parse_moment
from replay.frame import in_utc

RECENT = timedelta(days=28)
_DAY = "1 day"

type Record = dict[str, Any]


@dataclass(frozen=True)
class Training:
    """One model that was trained.

    Attributes:
        version: in the registry.
        as_of: when (UTC).
        seconds: how long the run that fitted and logged it took.
        cause: why it was trained, where that is recorded.
    """

    version: str
    as_of: datetime
    seconds: float
    cause: str


def trainings(model_name: str) -> list[Training]:
    """The trained versions, oldest first."""
    client = MlflowClient()
    found = []
    for version in versions_of(model_name):
        run = client.get_run(str(version.run_id)).info
        seconds = (run.end_time - run.start_time) / 1000 if run.end_time else 0.0
        as_of = parse_moment(version.tags["as_of"])
        found.append(Training(str(version.version), as_of, seconds, version.tags.get("cause", "")))
    return sorted(found, key=lambda training: int(training.version))


def recent_quality(spark: SparkSession, tables: Tables, as_of: datetime, config: Config) -> float | None:
    """How good the predictions of the last four weeks were whose label is known; None where it can't be said."""
    if not spark.catalog.tableExists(tables.inference_log):
        return None
    scores = read_scores(spark, tables, as_of - RECENT, as_of, config)
    label, prediction = (scores[name].to_numpy(float) for name in (config.label.column, config.prediction.column))
    quality = config.label.quality_of(label, prediction)
    return quality.value if quality else None


def read_scores(spark: SparkSession, tables: Tables, start: datetime, end: datetime, config: Config) -> pd.DataFrame:
    """The labelled predictions asked in (start, end]: key, moment of the prediction, label and prediction."""
    subject, label = config.subject, config.label.column
    asked = F.col(subject.prediction_time)
    log = spark.table(tables.inference_log).filter((asked > F.lit(start)) & (asked <= F.lit(end)))
    names = dict.fromkeys((*subject.key, subject.prediction_time, label, config.prediction.column))
    return in_utc(log.filter(F.col(label).isNotNull()).select(*names).toPandas())


def by_week(scores: pd.DataFrame, start: datetime, config: Config) -> pd.DataFrame:
    """`config.label.measure` of each week since `start`, by `week` (its first moment)."""
    numbers = (scores[config.subject.prediction_time] - start) // timedelta(weeks=1)
    rows: list[Record] = [
        {"week": start + timedelta(weeks=int(number))} | measured(group, config)
        for number, group in scores.groupby(numbers)
    ]
    return pd.DataFrame(rows)


def measured(scores: pd.DataFrame, config: Config) -> dict[str, float]:
    """The figures of scored rows by the kind of the label."""
    return config.label.measure(scores[config.label.column], scores[config.prediction.column])


def read_drift(spark: SparkSession, tables: Tables, start: datetime) -> pd.DataFrame:
    """Population stability index by column (rows) and week since `start` (columns): the mean of its days."""
    day = F.col("window.start")
    if not spark.catalog.tableExists(tables.drift_metrics):
        return pd.DataFrame()
    seconds = int(timedelta(weeks=1).total_seconds())
    week = F.floor((F.unix_seconds(day) - int(start.timestamp())) / seconds)
    index = F.avg("population_stability_index").alias("index")
    of_days = spark.table(tables.drift_metrics).filter((F.col("granularity") == _DAY) & (day >= F.lit(start)))
    found = of_days.groupBy("column_name", week.alias("week")).agg(index).toPandas()
    wide = found.pivot_table(index="column_name", columns="week", values="index")
    wide.columns = pd.DatetimeIndex([start + timedelta(weeks=int(number)) for number in wide.columns])
    return wide


def read_verdicts(spark: SparkSession, tables: Tables) -> list[Record]:
    """What monitoring said of all checks together, a row a day: `as_of`, `status`, `sentence`, `model_version`."""
    columns = ("as_of", "status", "sentence", "model_version")
    return _read(spark, tables.monitoring_verdicts, columns, F.col("check_name") == ALL)


def read_judgements(spark: SparkSession, tables: Tables) -> list[Record]:
    """What validation said of each version: `as_of`, `model_version`, `passed`, `gates` (JSON)."""
    return _read(spark, tables.validation_verdicts, ("as_of", "model_version", "passed", "gates"))


def read_promotions(spark: SparkSession, tables: Tables) -> list[Record]:
    """Each move of champion that was made or refused: `as_of`, `action`, `status`, `model_version`, `reason`."""
    columns = ("as_of", "action", "status", "model_version", "reason")
    return _read(spark, tables.promotions, columns, F.col("status").isin("done", "refused"))


def read_quarantine(spark: SparkSession, tables: Tables) -> list[Record]:
    """What was refused: `source`, `landed_as_of`, `reason`, `rows`."""
    if not spark.catalog.tableExists(tables.quarantine):
        return []
    refused = spark.table(tables.quarantine).groupBy("source", "landed_as_of", "reason")
    return _records(refused.agg(F.sum("occurrences").alias("rows")).orderBy("landed_as_of", "reason"))


def _read(spark: SparkSession, table: str, columns: tuple[str, ...], where: Column | None = None) -> list[Record]:
    if not spark.catalog.tableExists(table):
        return []
    rows = spark.table(table) if where is None else spark.table(table).filter(where)
    return _records(rows.select(*columns).orderBy("as_of"))


def _records(rows: DataFrame) -> list[Record]:
    """Through Arrow, where a moment keeps its zone."""
    found: list[Record] = rows.toArrow().to_pylist()
    return found
