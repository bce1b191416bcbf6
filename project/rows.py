"""The rows that a model is asked about, before any feature is looked up: one code for training, judging and scoring."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from project.config import Config, check_known
from project.inputs import as_doubles, as_strings


def request_rows(subjects: DataFrame, config: Config) -> DataFrame:
    """Rows as a model is asked about them: keys, moments, and what is known when a prediction is asked.

    Args:
        subjects: rows of the subject's table.
        config: names the columns.

    Returns:
        `config.request_columns`; numbers among the request features are doubles, categories are strings.

    Raises:
        ValueError: a column is none of the table's.
    """
    subject = config.subject
    own = {"key": subject.key, "event_time": (subject.event_time,), "prediction_time": (subject.prediction_time,)}
    for key, names in (own | {"lookup_keys": subject.lookup_keys}).items():
        for name in names:
            check_known("column", name, subjects.columns, f"subject.{key}")
    for name in config.request_features.all:
        check_known("column", name, subjects.columns, "request_features")
    rows = as_strings(subjects.select(*config.request_columns), config.request_features.categorical)
    return as_doubles(rows, but=(*config.filed_columns, *config.request_features.categorical))


def check_columns(config: Config, inputs: Collection[str]) -> None:
    """Refuses a configuration that names a column which scored rows will not have.

    Args:
        config: slices, gates and checks name columns.
        inputs: the columns that the model is fitted on.

    Raises:
        ValueError: it names the key, the column, and the columns that there are.
    """
    columns = (*config.filed_columns, *inputs)
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
    # Of a table's first 32 columns Delta keeps statistics, by which files without a batch's rows are left unread.
    return rows.select(*(F.lit(fact).alias(name) for name, fact in facts.items()), "*")


def one_row(spark: SparkSession, columns: Mapping[str, str], values: Mapping[str, object]) -> DataFrame:
    """One row of literals, such as a verdict: no data travels from Python, so no Python worker has to start.

    Args:
        spark: the session.
        columns: the simple type of each by its name, such as `{"model_name": "string", "rows": "bigint"}`.
        values: by the columns' names.
    """
    return spark.range(1).select(*(F.lit(values[name]).cast(kind).alias(name) for name, kind in columns.items()))


def labelled_rows(
    subjects: DataFrame, labels: DataFrame, start: datetime, end: datetime, known_by: datetime, config: Config
) -> DataFrame:
    """`request_rows` of what happens in [start, end) and whose label was known by `known_by`, with the label.

    Raises:
        ValueError: a column is none of the subject's table, or the label none of labels.
    """
    check_known("column", config.label.column, labels.columns, "label.column")
    moment, key = F.col(config.subject.event_time), list(config.subject.key)
    happening = (moment >= F.lit(start)) & (moment < F.lit(end))
    label = F.col(config.label.column)
    known = labels.filter((F.col("known_at") <= F.lit(known_by)) & label.isNotNull()).select(*key, label)
    return request_rows(subjects.filter(happening), config).join(known, key)
