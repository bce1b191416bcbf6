"""The rows that say what is usual: what a version was validated on, and what was scored and validated before it."""

from dataclasses import dataclass

import pandas as pd
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from monitoring.columns import WatchedColumns
from project.config import Config
from project.tables import Tables

_DAY, _RANK = "_day", "_rank"
_DAY_SECONDS = 86_400


@dataclass(frozen=True)
class Reference:
    """Rows of the last days before a version was trained.

    Attributes:
        rows: the watched columns, those of the slices, and the label.
        day: the start of each row's day (UTC).
    """

    rows: pd.DataFrame
    day: pd.Series


def read_reference(
    spark: SparkSession, tables: Tables, version: str, columns: WatchedColumns, config: Config
) -> Reference:
    """Reads the days up to the end of a version's baseline, as many as `monitoring.drift.reference_days`.

    A row comes from the newest baseline that has it, else from the log: no prediction in it is of a model that had
    learned from the row. A day with few rows is left out.
    """
    label, slices = config.label.column, [name for name in config.slices if name.isidentifier()]
    names = [*dict.fromkeys([*columns.numeric, *columns.categorical, *slices, label])]
    key, moment = list(config.subject.key), F.col(config.subject.prediction_time)
    day = F.unix_seconds(F.date_trunc("day", moment))
    number = F.col("model_version").cast("int")
    baseline = spark.table(tables.inference_baseline).filter(number <= int(version or 0))
    newest = baseline.filter(number == int(version or 0)).agg(F.max(day).alias("day")).collect()[0]["day"]
    if newest is None:
        return Reference(pd.DataFrame(columns=names), pd.Series(dtype="datetime64[ns, UTC]"))
    end = newest + _DAY_SECONDS
    start = end - config.monitoring.drift.reference_days * _DAY_SECONDS

    def recent(rows: DataFrame, rank: int) -> DataFrame:
        bounded = rows.filter((moment >= _at(start)) & (moment < _at(end)))
        return bounded.select(*dict.fromkeys([*key, *names]), (number + rank).alias(_RANK), day.alias(_DAY))

    # Any baseline before any row of the log.
    both = recent(spark.table(tables.inference_log), 0).unionByName(recent(baseline, int(version)))
    found: pd.DataFrame = both.toArrow().to_pandas()
    found = found.sort_values([*key, _RANK]).drop_duplicates(key, keep="last")
    found = found[found.groupby(_DAY)[_DAY].transform("size") >= config.monitoring.min_labelled_rows]
    found = found.reset_index(drop=True)
    return Reference(found[names], pd.to_datetime(found[_DAY], unit="s", utc=True))


def _at(seconds: int) -> Column:
    return F.timestamp_seconds(F.lit(seconds))
