"""The scored year that `make power` puts shifts into: a replay's, or else one that is made from the features alone."""

from collections.abc import Callable
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pandas as pd
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from monitoring.columns import WatchedColumns, watched_columns
from monitoring.reference import Reference, read_reference
from project.config import Config
from project.tables import Tables
from replay.days import Plan
from replay.frame import WEEK, inputs, read_year
from replay.policies import learned_by, monthly
from replay.power import Scores
from training.frame import make_frame
from training.train import fit


def scores_of_replay(spark: SparkSession, tables: Tables, config: Config) -> Scores:
    """What a replay has scored, and what its monitoring compared it with."""
    columns = watched_columns(spark.table(tables.inference_log), config)
    asked = config.subject.prediction_time
    day = F.unix_seconds(F.date_trunc("day", asked)).alias("day")
    names = [*columns.numeric, *columns.categorical, config.label.column, asked]
    wanted = spark.table(tables.inference_log).select(*names, F.col("model_version").cast("int").alias("version"), day)
    rows: pd.DataFrame = wanted.toArrow().to_pandas()
    rows["day"] = pd.to_datetime(rows["day"], unit="s", utc=True)
    versions = sorted(map(int, rows["version"].unique()))
    references = {version: read_reference(spark, tables, str(version), columns, config) for version in versions}
    return Scores(_whole(rows, config), references, _compared(columns, config), columns.categorical)


def made_scores(
    spark: SparkSession, tables: Tables, plan: Plan, cache: Path, config: Config, told: Callable[[str], None]
) -> Scores:
    """The year as a deployment that trains monthly would have scored it, from the feature tables alone.

    Args:
        spark: the session.
        tables: the deployment's tables, brought to the plan's end or later.
        plan: its start is the first training's moment.
        cache: the folder where it is kept for the next time.
        config: the training recipe, and the days that a version is judged on.
        told: is told of each training.
    """
    kept = cache / "scores.parquet"
    if not kept.exists():
        frame = read_year(spark, tables, plan.end, config)
        cache.mkdir(parents=True, exist_ok=True)
        _score(frame, plan, config, told).to_parquet(kept)
    scored = pd.read_parquet(kept)
    taken = inputs(scored.drop(columns=[*_ADDED, config.prediction.column]), config)
    is_text = {name: scored[name].dtype == object for name in taken}
    columns = WatchedColumns(
        (*(name for name, text in is_text.items() if not text), config.prediction.column),
        tuple(name for name, text in is_text.items() if text),
    )
    log, references = scored[~scored["is_baseline"]], {}
    for version in sorted(log["version"].unique()):
        own = scored[scored["is_baseline"] & (scored["version"] <= version)]
        end = own.loc[own["version"] == version, "day"].max()
        both = pd.concat([log[log["day"] <= end], own.sort_values("version")])
        both = both.drop_duplicates([*config.subject.key], keep="last")
        start = end - pd.Timedelta(days=config.monitoring.drift.reference_days - 1)
        rows = _whole(both[(both["day"] >= start) & (both["day"] <= end)], config)
        references[int(version)] = Reference.of(rows, rows["day"], columns.numeric, columns.categorical)
    return Scores(_whole(log, config), references, _compared(columns, config), columns.categorical)


_ADDED = ("version", "is_baseline", "day")


def _score(frame: pd.DataFrame, plan: Plan, config: Config, told: Callable[[str], None]) -> pd.DataFrame:
    """Trains at the start and on each first of a month; scores the days after, and those that it was judged on."""
    columns, label, parts = inputs(frame, config), config.label.column, []
    happens, asked_at = frame[config.subject.event_time], frame[config.subject.prediction_time]
    policy = monthly(plan.start, plan.end)
    for version, (moment, until) in enumerate(pairwise((*policy.moments, plan.end)), start=1):
        told(f"training {version} of {len(policy.moments)}")
        model = fit(
            make_frame(frame.loc[learned_by(frame, policy, moment, config), [*columns, label, WEEK]], label, WEEK),
            config,
        )
        judged = (happens >= moment - timedelta(days=config.training.validation_days)) & (happens < moment)
        asked = (asked_at > moment) & (asked_at <= until)
        for rows, is_baseline in ((frame[judged], True), (frame[asked], False)):
            prediction = {config.prediction.column: model.predict(rows[columns])}
            day = asked_at[rows.index].dt.floor("D")
            parts.append(rows.assign(version=version, is_baseline=is_baseline, day=day, **prediction))
    return pd.concat(parts, ignore_index=True)


def _whole(rows: pd.DataFrame, config: Config) -> pd.DataFrame:
    """The rows of days that have enough."""
    enough = rows.groupby("day")["day"].transform("size") >= config.monitoring.min_labelled_rows
    return rows[enough].reset_index(drop=True)


def _compared(columns: WatchedColumns, config: Config) -> list[str]:
    return [name for name in columns.numeric if name not in config.monitoring.drift.ignored]
