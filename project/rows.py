"""The rows that a model is asked about, before any feature is looked up: one code for training, judging and scoring."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from project.config import Config, check_known
from project.inputs import as_doubles, as_strings

# What a feature lookup needs beside the schedule features, and what a prediction is filed under.
LOOKUP_COLUMNS = ("tailnum", "prediction_at")
FILE_COLUMNS = ("flight_id", "sched_dep_at")


def request_rows(flights: DataFrame, config: Config) -> DataFrame:
    """Flights as a model is asked about them: what the published schedule says, and the keys for feature lookups.

    Args:
        flights: bronze flights.
        config: names the schedule features.

    Returns:
        `flight_id`, `sched_dep_at`, `tailnum`, `prediction_at` (UTC, the moment of the lookups), schedule features:
        numbers as doubles, categories as strings.

    Raises:
        ValueError: a schedule feature is no column of flights.
    """
    columns, others, schedule = flights.columns, (*FILE_COLUMNS, *LOOKUP_COLUMNS), config.schedule_features
    for name in schedule.all:
        check_known("column", name, columns, "schedule_features")
    rows = as_strings(flights.select(*others, *schedule.all), schedule.categorical)
    return as_doubles(rows, but=(*others, *schedule.categorical))


def check_columns(config: Config, inputs: Collection[str]) -> None:
    """Refuses a configuration that names a column which scored rows will not have.

    Args:
        config: slices, gates and checks name columns.
        inputs: the columns that the model is fitted on.

    Raises:
        ValueError: it names the key, the column, and the columns that there are.
    """
    columns = (*FILE_COLUMNS, *LOOKUP_COLUMNS, *inputs)
    validation, drift, watched = config.validation, config.monitoring.drift, (*inputs, config.prediction.column)
    named: Mapping[str, tuple[Iterable[str], Collection[str]]] = {
        "slices": (config.slices, columns),
        "validation.slices.bands": ([band.column for band in validation.slices.bands], columns),
        "validation.behaviour.worse": (
            [s.column for worse in validation.behaviour.worse for s in worse.shifts],
            inputs,
        ),
        "validation.behaviour.irrelevant": (validation.behaviour.irrelevant, columns),
        "validation.data.null_rates": (validation.data.null_rates, inputs),
        "monitoring.drift.ignored": (drift.ignored, inputs),
        "monitoring.drift.least_low": (drift.least_low, watched),
        "monitoring.drift.false_alarm_rate_of": (drift.false_alarm_rate_of, watched),
    }
    for key, (names, known) in named.items():
        for name in names:
            check_known("column", name, known, key)


def filed(rows: DataFrame, model_name: str, model_version: str, as_of: datetime) -> DataFrame:
    """Scored rows with what they are filed under: the model, its version and the as_of that they were scored for."""
    facts = {"model_name": model_name, "model_version": model_version, "as_of": as_of}
    return rows.withColumns({name: F.lit(fact) for name, fact in facts.items()})


def one_row(spark: SparkSession, columns: Mapping[str, str], values: Mapping[str, object]) -> DataFrame:
    """One row of literals, such as a verdict: no data travels from Python, so no Python worker has to start.

    Args:
        spark: the session.
        columns: the simple type of each by its name, such as `{"model_name": "string", "rows": "bigint"}`.
        values: by the columns' names.
    """
    return spark.range(1).select(*(F.lit(values[name]).cast(kind).alias(name) for name, kind in columns.items()))


def labelled_rows(
    flights: DataFrame, labels: DataFrame, start: datetime, end: datetime, known_by: datetime, config: Config
) -> DataFrame:
    """`request_rows` of the flights scheduled in [start, end) whose label was known by `known_by`, with the label.

    Raises:
        ValueError: a schedule feature is no column of flights, or the label none of labels.
    """
    check_known("column", config.label.column, labels.columns, "label.column")
    scheduled = (F.col("sched_dep_at") >= F.lit(start)) & (F.col("sched_dep_at") < F.lit(end))
    label = F.col(config.label.column)
    known = labels.filter((F.col("known_at") <= F.lit(known_by)) & label.isNotNull()).select("flight_id", label)
    return request_rows(flights.filter(scheduled), config).join(known, "flight_id")
