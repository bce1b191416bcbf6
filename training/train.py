"""Trains a challenger: looks features up, fits, logs and registers; the same training twice gives one version."""

import importlib.metadata
from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any, cast

import mlflow
import mlflow.sklearn
import pandas as pd
from databricks.feature_engineering import FeatureEngineeringClient
from databricks.feature_engineering.training_set import TrainingSet
from mlflow import MlflowClient
from mlflow.data.code_dataset_source import CodeDatasetSource
from mlflow.data.meta_dataset import MetaDataset
from mlflow.entities import Run
from mlflow.models import infer_signature
from mlflow.types import Schema
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from project.config import Config, Parameter
from project.inputs import check_inputs
from project.registry import CHALLENGER, has_version, versions_of
from project.rows import check_columns, labelled_rows
from project.tables import Tables
from project.times import validation_window
from project.training_data import TRAINING_DATA_FILE, describe
from training.figures import importances, plot_curve, plot_importance
from training.fingerprint import fingerprint
from training.frame import TrainingFrame, make_frame
from training.lookups import feature_lookups
from training.model_code import model_code
from training.tuning import Budget, Found, tune
from use_case.model import REQUIREMENTS, make_model

_WEEK = "week"
_WEEK_SECONDS = 7 * 24 * 3600
_DIGEST_LENGTH = 36  # as many characters as MLflow keeps


def train(
    spark: SparkSession,
    tables: Tables,
    model_name: str,
    experiment: str,
    as_of: datetime,
    git_commit: str,
    config: Config,
    cause: str = "",
    budget: Budget = Budget(),  # noqa: B008 - it is frozen
) -> str:
    """Trains on all labels known before the validation window, and registers the model as challenger.

    With a budget the hyperparameters are searched for before, on the same rows; else they are the configuration's. Run
    and version are tagged with the cause, where there is one.

    Returns:
        The version. If a version was trained on the same rows with the same settings, it is that one, made challenger
        again.

    Raises:
        TypeError: an input is neither a number nor a category; it names it.
        ValueError: the configuration names a column that is no input.
    """
    training_set = make_training_set(spark, tables, as_of, config)
    loaded = training_set.load_df()
    inputs = loaded.drop(config.label.column, _WEEK).schema
    check_inputs(inputs, config.request_features.categorical)
    check_columns(config, inputs.names)
    frame = make_frame(loaded.toPandas(), config.label.column, _WEEK)
    experiment_id = mlflow.set_experiment(experiment).experiment_id
    found = tune(frame, experiment_id, budget, config) if budget else None
    config = config if found is None else with_parameters(config, found.parameters)
    settings = config.training.model_dump_json(exclude={"search"})
    tags = {"fingerprint": fingerprint(frame, settings), "git_commit": git_commit, "as_of": as_of.isoformat()}
    version = _find_version(model_name, experiment, tags["fingerprint"])
    if version is None:
        tags |= {"cause": cause} if cause else {}
        version = _fit_and_register(training_set, frame, model_name, as_of, tags, found, config)
    MlflowClient().set_registered_model_alias(model_name, CHALLENGER, version)
    return version


def make_training_set(spark: SparkSession, tables: Tables, as_of: datetime, config: Config) -> TrainingSet:
    """Labelled rows before the validation window, with the features known at each one's prediction.

    They end a gap before it. What happens in the gap has in part no label yet when the window begins, and what has one
    is not like the rest.

    The week goes along as a second label: it parts the folds, and is no input of the model.
    """
    subjects, labels = spark.table(tables.named(config.subject.table)), spark.table(tables.labels)
    rows = labelled_rows(subjects, labels, config.history_start, *learned_until(as_of, config), config)
    week = F.floor(F.unix_timestamp(config.subject.prediction_time) / _WEEK_SECONDS).cast("double").alias(_WEEK)
    return FeatureEngineeringClient().create_training_set(
        df=rows.select("*", week),
        feature_lookups=feature_lookups(spark, tables, as_of, config),
        label=[config.label.column, _WEEK],
        exclude_columns=list(config.filed_columns),
    )


def learned_until(as_of: datetime, config: Config) -> tuple[datetime, datetime]:
    """The ends (UTC) of what a training learns from: rows that happen before the first, labels known by the second."""
    judged_from, _ = validation_window(as_of, config.training.validation_days)
    return judged_from - config.training.gap, judged_from


def fit(frame: TrainingFrame, config: Config, make_model: Callable[..., Any] = make_model) -> Any:
    """The fitted model of a frame; `use_case/model.py` says what it can."""
    model = make_model(config.request_features.categorical, config.training.model, config.training.seed)
    return model.fit(frame.rows, frame.label, frame.weeks)


def with_parameters(config: Config, parameters: Mapping[str, Parameter]) -> Config:
    """The configuration with these hyperparameters in place of its own."""
    training = config.training.model_copy(update={"model": dict(parameters)})
    return config.model_copy(update={"training": training})


def _fit_and_register(
    training_set: TrainingSet,
    frame: TrainingFrame,
    model_name: str,
    as_of: datetime,
    tags: Mapping[str, str],
    found: Found | None,
    config: Config,
) -> str:
    with mlflow.start_run(run_name=f"train-{as_of:%Y-%m-%d}", tags=dict(tags)) as run, model_code() as (code, file):
        model = fit(frame, config, code.make_model)
        _log_facts(model, frame, as_of, config)
        if found is not None:
            mlflow.set_tag("tuning_run", found.run_id)
            mlflow.log_dict(asdict(found), "tuning.json")
        _log_model(model, file, training_set, frame, model_name)
        version = _version_of_run(model_name, run.info.run_id)
        mlflow.set_tag("model_version", version)
    for key, value in tags.items():
        MlflowClient().set_model_version_tag(model_name, version, key, value)
    return version


def _log_facts(model: Any, frame: TrainingFrame, as_of: datetime, config: Config) -> None:
    """Parameters, dataset, cross-validated figures and pictures."""
    mlflow.log_params(config.training.model | {"seed": config.training.seed, "rows": len(frame.rows)})
    mlflow.log_input(_dataset(frame, config), context="training")
    known_until, _ = validation_window(as_of, config.training.validation_days)
    mlflow.log_dict(describe(frame.rows, frame.label, known_until).as_dict(), TRAINING_DATA_FILE)
    label = config.label
    figures = label.measure(frame.label, pd.Series(model.out_of_fold_))
    mlflow.log_metrics({f"cv_{name}": value for name, value in figures.items()})
    importance = importances(model, frame.rows, frame.label, label, config.training.seed)
    mlflow.log_dict({str(name): value for name, value in importance.items()}, "importance.json")
    for curve in label.curves(frame.label, model.out_of_fold_):
        mlflow.log_figure(plot_curve(curve), f"{curve.name}.png")
    quality = label.measure_of(label.quality, config.subject.plural).title
    mlflow.log_figure(plot_importance(importance, quality), "importance.png")


def _dataset(frame: TrainingFrame, config: Config) -> MetaDataset:
    """What identifies the training rows, for the run's record: digest and columns."""
    columns = infer_signature(frame.rows.head(1), frame.label.head(1).rename(config.label.column).to_frame())
    schema = Schema([*columns.inputs.inputs, *columns.outputs.inputs])
    source, digest = CodeDatasetSource(tags={}), frame.digest[:_DIGEST_LENGTH]
    return MetaDataset(source, name="training", digest=digest, schema=schema)  # type: ignore[abstract]


def _log_model(model: Any, code: Path, training_set: TrainingSet, frame: TrainingFrame, model_name: str) -> None:
    example = frame.rows.head(5)
    FeatureEngineeringClient().log_model(
        model=model,
        artifact_path="model",
        flavor=mlflow.sklearn,
        training_set=training_set,
        registered_model_name=model_name,
        signature=infer_signature(example, model.predict(example)),
        input_example=example,
        code_paths=[str(code)],
        pip_requirements=[f"{name}=={importlib.metadata.version(name)}" for name in ("mlflow", *REQUIREMENTS)],
    )


def _find_version(model_name: str, experiment: str, fingerprint: str) -> str | None:
    """The version that an earlier training of this fingerprint registered, if it is still there."""
    runs = mlflow.search_runs(
        experiment_names=[experiment],
        filter_string=f"tags.fingerprint = '{fingerprint}' and attributes.status = 'FINISHED'",
        order_by=["attributes.start_time DESC"],
        output_format="list",
    )
    for run in cast(list[Run], runs):
        version = run.data.tags.get("model_version")
        if version is not None and has_version(model_name, version):
            return str(version)
    return None


def _version_of_run(model_name: str, run_id: str) -> str:
    return str(max(int(version.version) for version in versions_of(model_name) if version.run_id == run_id))
