"""A search on a few rows; as a command, one that is killed amid its fifth trial: `small_search TRACKING_URI`."""

import os
import signal
import sys
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import mlflow
import numpy as np
import pandas as pd
from optuna.trial import Trial

from project.config import Config, Parameter, load_config
from training import tuning
from training.frame import TrainingFrame, make_frame
from training.objective import mean_loss
from training.tuning import Budget, tune

EXPERIMENT = "search"
type Split = tuple[np.ndarray, np.ndarray]
FINISHED = 4  # trials, before the one that is killed
# One stump, with half of the weight of the rows against it: nearly a constant.
BAD: dict[str, Parameter] = {
    "max_iter": 1,
    "learning_rate": 0.01,
    "max_leaf_nodes": 2,
    "min_samples_leaf": 100,
    "l2_regularization": 100.0,
    "max_features": 1.0,
}
# `max_features` stays as it is.
SPACE = {
    "max_iter": {"low": 1, "high": 20},
    "learning_rate": {"low": 0.01, "high": 0.5, "log": True},
    "max_leaf_nodes": {"low": 2, "high": 8},
    "min_samples_leaf": {"low": 5, "high": 100, "log": True},
    "l2_regularization": {"low": 0.1, "high": 100.0, "log": True},
}


def make_config(first: Mapping[str, Parameter] = BAD) -> Config:
    """The project's, with a small space, and two folds of two weeks."""
    content = load_config().model_dump()
    folds = {"number": 2, "weeks": 2, "gap_weeks": 1}
    content["training"] |= {"model": dict(first), "search": {"folds": folds, "space": SPACE}}
    content["request_features"] = {"numeric": ["number"], "categorical": ["shop"]}
    content["validation"]["behaviour"]["unseen"] = ["shop"]
    return Config.model_validate(content)


def make_rows(seed: int = 1) -> TrainingFrame:
    """Ten weeks of rows whose label follows from their inputs, in part."""
    random = np.random.default_rng(seed)
    number, shop = random.normal(size=600), random.choice(["Alder", "Birch"], size=600)
    chance = 1 / (1 + np.exp(-2 * number - (shop == "Birch")))
    week, label = np.repeat(np.arange(10.0), 60), (random.uniform(size=600) < chance).astype("float64")
    return make_frame(
        pd.DataFrame({"number": number, "shop": shop, "returned": label, "week": week}), "returned", "week"
    )


def killed_amid_fifth(trial: Trial, splits: Iterable[Split], **others: Any) -> float:
    """The objective, but after the first fold of the fifth trial the process ends as at a power cut."""
    return mean_loss(trial, splits=cut_off(splits) if trial.number == FINISHED else splits, **others)


def cut_off(splits: Iterable[Split]) -> Iterator[Split]:
    yield next(iter(splits))
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    mlflow.set_tracking_uri(sys.argv[1])
    tuning.mean_loss = killed_amid_fifth  # type: ignore[assignment, attr-defined]
    tune(make_rows(), mlflow.set_experiment(EXPERIMENT).experiment_id, Budget(trials=1000), make_config())
