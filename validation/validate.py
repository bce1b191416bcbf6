"""Judges a model version on labels that its training never saw, beside the champion on the same rows."""

import json
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import pandas as pd
from databricks.feature_engineering import FeatureEngineeringClient
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import DoubleType, StringType, StructField, StructType

from project.config import Config
from project.delta import replace_rows
from project.kinds.label import Label
from project.registry import CHALLENGER, CHAMPION, champion_version
from project.rows import filed, labelled_rows
from project.tables import Tables
from project.times import validation_window
from project.verdicts import Verdict, read_newest_verdict, write_verdict
from validation.behaviour import judge_behaviour
from validation.data import judge_data, judge_days, judge_optimism
from validation.gates import BEHAVIOUR, SERVABLE, Gate, failed
from validation.performance import absolute, against_champion
from validation.servable import judge_servable
from validation.slices import GROUP, figures_of, judge_slices, measure, slice_values
from validation.version import JudgedVersion, read_version

_LONGEST_TAG = 1000  # the registry of a workspace takes no longer value


def validate(
    spark: SparkSession,
    tables: Tables,
    model_name: str,
    model_version: str,
    as_of: datetime,
    git_commit: str,
    config: Config,
) -> bool:
    """Judges a version and writes the verdict: a row, tags on the version, and the figures behind it.

    A champion is not judged against itself: the verdict that it was given as challenger stands.

    Returns:
        True if every gate has passed.
    """
    champion = champion_version(model_name)
    if champion == model_version:
        return _given_verdict(spark, tables, model_name, model_version)
    window = validation_window(as_of, config.training.validation_days)
    asked = labelled_rows(
        spark.table(tables.named(config.subject.table)), spark.table(tables.labels), *window, as_of, config
    )
    scored = _score(spark, tables, asked, model_name, model_version, as_of)
    key, column = list(config.subject.key), config.prediction.column
    rows = _in_memory(scored, key)
    predictions = {CHALLENGER: rows[column]}
    if champion:
        other = _score(spark, tables, asked, model_name, champion, as_of)
        others = _in_memory(other.select(*key, column), key)
        predictions[CHAMPION] = same_rows(rows, others, key)[column]
    measured = measure(rows[config.label.column], predictions, _slices(rows, config), config.label)
    own_metrics = spark.createDataFrame(measured, _measured(config.label))
    _file_metrics(spark, tables, own_metrics, model_name, model_version, as_of)
    with read_version(model_name, model_version) as version:
        gates = judge(version, rows, window, predictions, measured, config)
    verdict = Verdict(
        model_name=model_name,
        model_version=model_version,
        champion_version=champion,
        passed=all(gate.passed for gate in gates),
        gates=json.dumps([gate.as_dict() for gate in gates], allow_nan=False),
        git_commit=git_commit,
        as_of=as_of,
        window_start=window[0],
        window_end=window[1],
    )
    write_verdict(spark, tables, verdict, _tags(gates, figures_of(measured, CHALLENGER)))
    return verdict.passed


def judge(
    version: JudgedVersion,
    rows: pd.DataFrame,
    window: tuple[datetime, datetime],
    predictions: Mapping[str, pd.Series],
    measured: pd.DataFrame,
    config: Config,
) -> list[Gate]:
    """All gates of a version; it passes when each has passed.

    Args:
        version: the model, and what its training said.
        rows: the scored rows with label, inputs, keys and prediction.
        window: the first moment of their days, and the end.
        predictions: the challenger's, and the champion's where there is one, for these rows.
        measured: the figures of both, as `validation.slices.measure` gives them.
        config: the thresholds.
    """
    gates, event_time = config.validation, config.subject.event_time
    figures = figures_of(measured, CHALLENGER)
    # The fresh process starts while this one compares: both wait for nothing else.
    with ThreadPoolExecutor(1) as beside:
        served = beside.submit(list, _serving(version, rows, config))
        judged = absolute(figures, config)
        if CHAMPION in predictions and not rows.empty:
            label, moments = rows[config.label.column], rows[event_time]
            both = predictions[CHALLENGER], predictions[CHAMPION]
            judged += against_champion(label, *both, moments, config)
        judged += judge_slices(measured, config)
        judged += _behaving(version, rows, config)
        judged += served.result()
    judged += judge_data(version.data, window[0], config)
    judged.append(judge_days(rows[event_time], window, gates.data))
    judged.append(judge_optimism(figures, version.trained, gates.data))
    return judged


def _behaving(version: JudgedVersion, rows: pd.DataFrame, config: Config) -> Iterator[Gate]:
    behaviour = config.validation.behaviour
    if rows.empty:
        yield failed(BEHAVIOUR, "rows", 1.0, "there is no row to change")
        return
    sample = rows.sample(min(len(rows), behaviour.rows), random_state=behaviour.seed).reset_index(drop=True)
    given = {*config.request_features.all}
    optional = [name for name in version.inputs if name not in given]
    yield from judge_behaviour(version.predict, sample, optional, config)


def _serving(version: JudgedVersion, rows: pd.DataFrame, config: Config) -> Iterator[Gate]:
    if rows.empty:
        yield failed(SERVABLE, "rows", 1.0, "there is no row to score")
        return
    inputs = rows[[*version.inputs, config.prediction.column]]
    yield from judge_servable(version.folder, inputs, config.prediction.column, config.validation.servable)


def _given_verdict(spark: SparkSession, tables: Tables, model_name: str, model_version: str) -> bool:
    filed = read_newest_verdict(spark, tables, model_name, model_version)
    return filed is not None and filed.verdict.passed


def _score(
    spark: SparkSession, tables: Tables, rows: DataFrame, model_name: str, version: str, as_of: datetime
) -> DataFrame:
    """The rows with the version's predictions, from the table that keeps them."""
    scored = FeatureEngineeringClient().score_batch(model_uri=f"models:/{model_name}/{version}", df=rows)
    own = _own(model_name, version, as_of)
    replace_rows(spark, tables.validation_scores, filed(scored, model_name, version, as_of), own)
    return spark.table(tables.validation_scores).filter(own)


def _in_memory(scored: DataFrame, key: list[str]) -> pd.DataFrame:
    """The rows of a validation window, in the order of their keys; moments keep their zone, through Arrow."""
    rows: pd.DataFrame = scored.toArrow().to_pandas()
    return rows.sort_values(key, ignore_index=True)


def same_rows(rows: pd.DataFrame, others: pd.DataFrame, key: list[str]) -> pd.DataFrame:
    """The others in the order of the rows, by the key; NULLs where one is not there.

    Raises:
        pandas.errors.MergeError: a key is there twice.
    """
    return rows[key].merge(others, on=key, how="left", validate="one_to_one")


def _slices(rows: pd.DataFrame, config: Config) -> pd.DataFrame:
    return slice_values(rows, config.slices, config.validation.slices.bands)


def _file_metrics(
    spark: SparkSession, tables: Tables, measured: DataFrame, model_name: str, model_version: str, as_of: datetime
) -> None:
    rows = filed(measured, model_name, model_version, as_of)
    replace_rows(spark, tables.validation_metrics, rows, _own(model_name, model_version, as_of))


def _measured(label: Label) -> StructType:
    """The schema of the figures: a version is judged on no rows too, and there are no types to take from none."""
    columns = [*(StructField(name, StringType()) for name in GROUP)]
    return StructType([*columns, *(StructField(name, DoubleType()) for name in label.metrics)])


def _own(model_name: str, model_version: str, as_of: datetime) -> Column:
    """True on what is filed under this version and moment."""
    own = (F.col("model_name") == model_name) & (F.col("model_version") == model_version)
    return own & (F.col("as_of") == F.lit(as_of))


def _tags(gates: list[Gate], figures: Mapping[str, float]) -> dict[str, str]:
    """The figures behind the verdict, and which gates have not passed."""
    reasons = "; ".join(gate.sentence for gate in gates if not gate.passed)
    return {f"validation_{name}": f"{value:.4f}" for name, value in figures.items()} | {
        "validation_reasons": reasons[:_LONGEST_TAG] or "every gate passed"
    }
