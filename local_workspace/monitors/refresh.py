"""Refreshes the metric tables of a monitored table: only the days that have changed are measured again."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import reduce
from pathlib import Path
from typing import Any, Self

import pyarrow as pa
from databricks.sdk.service.dataquality import DataProfilingConfig, InferenceLogConfig
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.pandas.types import from_arrow_schema
from pyspark.sql.types import StructType

from local_workspace import delta_log
from local_workspace.monitors import drift
from local_workspace.monitors.columns import numeric_columns, profile_columns, text_columns
from local_workspace.monitors.quality import profile_quality
from project.tables import quoted_name

GRANULARITY = "1 day"
INPUT, BASELINE = "INPUT", "BASELINE"


@dataclass(frozen=True)
class State:
    """How far a monitor has come.

    Attributes:
        table_version: the version of the monitored table that was measured; None before the first refresh.
        baselines: the model versions whose baselines were measured.
        table: the monitored table's own id, which another table of its name has not.
    """

    table_version: int | None = None
    baselines: tuple[str, ...] = ()
    table: str = ""

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Self:
        """As it was kept, maybe by an earlier release, which did not know the table's id."""
        return cls(**{**content, "baselines": tuple(content["baselines"])})


def refresh(spark: SparkSession, monitor: DataProfilingConfig, state: State) -> State:
    """Measures what has changed, and puts it in the place of what was.

    Args:
        spark: the session.
        monitor: an inference log with days as windows, and a baseline table.
        state: what the last refresh gave.

    Returns:
        The state to go on from.
    """
    log, settings = _inference_log(monitor)
    folder = delta_log.folder_of(spark, log)
    version, table = delta_log.version(folder), str(delta_log.metadata(folder)["id"])
    if state.table != table:
        state = State()
    baseline = spark.table(quoted_name(str(monitor.baseline_table_name)))
    known = set(state.baselines)
    days = _changed_days(spark, monitor, settings, state.table_version, version)
    of_model = F.col(settings.model_id_column)
    new = sorted(row[0] for row in baseline.select(of_model).distinct().collect() if row[0] not in known)
    after = State(version, tuple(sorted(known | set(new))), table)
    is_anew = state.table_version is None
    if not (is_anew or days or new):
        return after
    is_changed = F.date_trunc("day", settings.timestamp_column).isin(*days) if days else F.lit(False)
    rows = spark.table(quoted_name(log)).filter(is_changed)
    if days:  # the column's own bounds, by which files are left out
        rows = rows.filter(F.col(settings.timestamp_column) >= F.lit(min(days)))
    profile = _profile(rows, baseline.filter(of_model.isin(*new)) if new else baseline.limit(0), monitor, settings)
    distances = _drift(rows, baseline, settings)
    measured_days = F.col("window.start").isin(*days) if days else F.lit(False)
    measured_baselines = (F.col("log_type") == BASELINE) & (of_model.isin(*new) if new else F.lit(False))
    writes = [
        (quoted_name(str(monitor.profile_metrics_table_name)), profile, measured_days | measured_baselines),
        (quoted_name(str(monitor.drift_metrics_table_name)), distances, measured_days),
    ]
    with ThreadPoolExecutor(len(writes)) as beside:
        for written in [beside.submit(_put, spark, *write, is_anew) for write in writes]:
            written.result()
    return after


def _inference_log(monitor: DataProfilingConfig) -> tuple[str, InferenceLogConfig]:
    if monitor.inference_log is None or monitor.monitored_table_name is None or monitor.baseline_table_name is None:
        raise ValueError("The local workspace supports only monitors of an inference log with a baseline table.")
    if [one.value for one in monitor.inference_log.granularities] != ["AGGREGATION_GRANULARITY_1_DAY"]:
        raise ValueError("The local workspace supports only a granularity of one day.")
    return monitor.monitored_table_name, monitor.inference_log


def _changed_days(
    spark: SparkSession, monitor: DataProfilingConfig, settings: InferenceLogConfig, before: int | None, now: int
) -> list[datetime]:
    """The days (UTC) of the rows that were added or changed after a version of the table."""
    table = spark.table(quoted_name(str(monitor.monitored_table_name)))
    day = F.unix_seconds(F.date_trunc("day", settings.timestamp_column)).alias("day")
    if before is None:
        days = table.select(day).distinct()
    elif before == now:
        return []
    else:
        folder = delta_log.folder_of(spark, str(monitor.monitored_table_name))
        days = _that_differ(spark, table.schema, day, *delta_log.changed_files(folder, before))
    return sorted(datetime.fromtimestamp(row["day"], UTC) for row in days.collect())


def _that_differ(
    spark: SparkSession, schema: StructType, day: Column, added: list[Path], removed: list[Path]
) -> DataFrame:
    """The days of rows that are in the added files and not in the removed ones, or the other way round."""
    row = F.xxhash64(*schema.names).cast("decimal(38,0)")

    def side(files: list[Path], sign: int) -> DataFrame:
        rows = spark.read.schema(schema).parquet(*map(str, files))
        return rows.select(day, F.lit(sign).alias("sign"), (row * sign).alias("hash"))

    sides = [side(files, sign) for files, sign in ((added, 1), (removed, -1)) if files]
    if not sides:
        return spark.range(0).select(F.col("id").alias("day"))
    sums = [F.sum(name).alias(name) for name in ("sign", "hash")]
    return reduce(DataFrame.unionByName, sides).groupBy("day").agg(*sums).filter("sign <> 0 OR hash <> 0")


def _profile(
    rows: DataFrame, baseline: DataFrame, monitor: DataProfilingConfig, settings: InferenceLogConfig
) -> DataFrame:
    """Columns and quality of the days and of the baselines, in one frame."""
    start = F.date_trunc("day", settings.timestamp_column)
    logged = rows.select("*", _window(start).alias("window"), _text(GRANULARITY), _text(INPUT, "log_type"))
    nowhere = F.when(F.lit(False), _window(start)).alias("window")
    compared = baseline.select("*", nowhere, _text(None), _text(BASELINE, "log_type"))
    both = logged.unionByName(compared)
    keys = ("window", "granularity", settings.model_id_column, "log_type")
    columns = numeric_columns(rows, keys), text_columns(rows, keys)
    by_column = profile_columns(both, keys, *columns).select("*", _text(None, "slice_key"), _text(None, "slice_value"))
    custom = {one.name: one.definition for one in monitor.custom_metrics or []}
    columns_of = settings.prediction_column, str(settings.label_column)
    by_slice = profile_quality(both, keys, monitor.slicing_exprs or [], *columns_of, settings.problem_type, custom)
    return _with_columns_of(by_slice, by_column).unionByName(_with_columns_of(by_column, by_slice))


def _with_columns_of(other: DataFrame, rows: DataFrame) -> DataFrame:
    """The rows, with NULL in the columns that others alone have."""
    lacking = (field for field in other.schema if field.name not in rows.columns)
    return rows.select("*", *(F.lit(None).cast(field.dataType).alias(field.name) for field in lacking))


def _drift(rows: DataFrame, baseline: DataFrame, settings: InferenceLogConfig) -> DataFrame:
    """Spark gathers the rows of a version and of its baseline; scipy compares them."""
    # Of the versions that scored in these days alone: there are more baselines with each version that was ever judged.
    of_model = F.col(settings.model_id_column)
    versions = [row[0] for row in rows.select(of_model).distinct().collect()]
    baseline = baseline.filter(of_model.isin(*versions)) if versions else baseline.limit(0)
    but = (settings.model_id_column, str(settings.label_column))
    numeric, texts = numeric_columns(rows, but), text_columns(rows, but)
    values: list[Column] = [
        *(F.col(name).cast("double").alias(name) for name in numeric),
        *(F.col(name) for name in texts),
    ]
    model = of_model.alias("_model")
    day = F.date_trunc("day", settings.timestamp_column).alias("_day")

    def measure(both: pa.Table) -> pa.Table:
        of_version = both.to_pandas()
        is_logged = of_version["_day"].notna()
        return drift.measure_days(of_version[is_logged], of_version[~is_logged], numeric, texts)

    logged = rows.select(model, day, *values)
    compared = baseline.select(model, F.lit(None).cast("timestamp").alias("_day"), *values)
    gathered = logged.unionByName(compared).groupBy("_model")
    found: DataFrame = gathered.applyInArrow(measure, from_arrow_schema(drift.SCHEMA))
    no_window = F.when(F.lit(False), F.col("window")).alias("window_cmp")
    return found.withColumnRenamed("model_id", settings.model_id_column).select(
        "*",
        no_window,
        _text(GRANULARITY),
        _text(BASELINE, "drift_type"),
        _text(None, "slice_key"),
        _text(None, "slice_value"),
    )


def _window(start: Column) -> Column:
    return F.struct(start.alias("start"), (start + F.make_dt_interval(days=F.lit(1))).alias("end"))


def _text(value: str | None, name: str = "granularity") -> Column:
    return F.lit(value).cast("string").alias(name)


def _put(spark: SparkSession, table: str, found: DataFrame, where: Column, is_anew: bool) -> None:
    # Few rows (one a column, slice and day), computed once: the write plans little.
    measured = found.toArrow()
    rows = spark.createDataFrame(measured, StructType.fromJson(_nullable(found.schema.jsonValue())))
    if is_anew:
        rows.write.format("delta").mode("overwrite").option("overwriteSchema", "true").saveAsTable(table)
    else:
        rows.writeTo(table).overwrite(where)


def _nullable(value: Any) -> Any:
    """A schema as JSON, where everything may be NULL: a literal may not, and later rows may lack it."""
    if isinstance(value, dict):
        return {name: name in _MAY_BE_NULL or _nullable(one) for name, one in value.items()}
    return [_nullable(one) for one in value] if isinstance(value, list) else value


_MAY_BE_NULL = {"nullable", "containsNull", "valueContainsNull"}
