"""Searches for hyperparameters with Optuna: an MLflow run for the search, a nested one for each trial.

The search of the same rows and settings is one search, however often it is started: what it has tried it keeps, so
that a killed one goes on, a second run does nothing, and a greater budget adds to it.
"""

import json
import time
from dataclasses import dataclass
from functools import partial
from typing import cast

import optuna
from mlflow import MlflowClient
from mlflow.pyspark.optuna.study import MlflowSparkStudy
from mlflow.utils.mlflow_tags import MLFLOW_PARENT_RUN_ID
from optuna import Study
from optuna.pruners import MedianPruner
from optuna.samplers import TPESampler
from optuna.trial import FrozenTrial, TrialState

from project.config import Config, Parameter, Training
from training.fingerprint import fingerprint
from training.folds import expanding_folds
from training.frame import TrainingFrame
from training.objective import mean_loss
from training.storage import TrialRuns

_NAME_LENGTH = 16
_MINUTES = "searched_minutes"
_FAILED = "FAILED"
_NO_END = 10_000  # trials, where time alone ends a search on Spark


@dataclass(frozen=True)
class Budget:
    """When a search ends: the sooner of the two counts, over all its runs. 0 is no bound; both 0, no search.

    Attributes:
        trials: trials that are finished, pruned ones too.
        minutes: time that is searched.
        workers: how many trials run at a time. 1: in this process. More: on Spark's workers, one thread each.
    """

    trials: int = 0
    minutes: float = 0.0
    workers: int = 1

    def __post_init__(self) -> None:
        """Checks the bounds."""
        if self.trials < 0 or self.minutes < 0 or self.workers < 1:
            raise ValueError(f"trials and minutes must be at least 0, workers at least 1: {self}")

    def __bool__(self) -> bool:
        """Whether there is anything to search for."""
        return self.trials > 0 or self.minutes > 0


@dataclass(frozen=True)
class Found:
    """What a search has found.

    Attributes:
        run_id: the run of the search.
        trials: how many trials have finished.
        loss: the mean over the folds of what was found; the label's kind says which loss it is.
        first_loss: the same of the configuration's own set.
        parameters: what was found.
    """

    run_id: str
    trials: int
    loss: float
    first_loss: float
    parameters: dict[str, Parameter]


def tune(frame: TrainingFrame, experiment_id: str, budget: Budget, config: Config) -> Found:
    """Searches, or goes on searching, until the budget is spent.

    Args:
        frame: the training window.
        experiment_id: where the runs go; two searches of the same rows and settings must not run there at once.
        budget: what all runs of this search may take together.
        config: folds, space, seed, and the set that is tried first.

    Raises:
        ValueError: the training window is too short for the folds.
    """
    splits = expanding_folds(frame.weeks, config.training.search.folds)
    name = f"tune-{fingerprint(frame, config.training.model_dump_json())[:_NAME_LENGTH]}"
    storage = TrialRuns(experiment_id)
    if storage.get_study_id_by_name_if_exists(name) is None:
        optuna.create_study(study_name=name, storage=storage)
    run_id = str(storage.get_study_id_from_name(name))
    MlflowClient().update_run(run_id, status="RUNNING")
    _fail_what_was_cut_off(experiment_id, run_id)
    # Each start has its own seed: with the same it would draw again what was tried.
    sampler = TPESampler(seed=config.training.seed + storage.get_n_trials(run_id))
    study = optuna.load_study(study_name=name, storage=storage, sampler=sampler, pruner=MedianPruner())
    objective = partial(mean_loss, frame=frame, splits=splits, config=config)
    _search(study, storage, run_id, objective, config.training, budget)
    return _record(study, run_id, config)


def _fail_what_was_cut_off(experiment_id: str, run_id: str) -> None:
    """Marks trials failed that a killed process left running, or ended without their value, which is written last."""
    client = MlflowClient()
    for run in client.search_runs([experiment_id], f"tags.`{MLFLOW_PARENT_RUN_ID}` = '{run_id}'"):
        if run.info.status != _FAILED and "value" not in run.data.metrics:
            client.set_terminated(run.info.run_id, _FAILED)


def _search(
    study: Study, storage: TrialRuns, run_id: str, objective: partial[float], training: Training, budget: Budget
) -> None:
    """Spends what is left of the budget. The first trial is always tried, and here: workers start from its value."""
    since = time.time() - 60 * MlflowClient().get_run(run_id).data.metrics.get(_MINUTES, 0.0)

    def note_minutes(*_: object) -> None:  # after each trial, on workers too: a kill loses no more than what it cut off
        MlflowClient().log_metric(run_id, _MINUTES, (time.time() - since) / 60)

    if not _finished(study):
        study.enqueue_trial({name: training.model[name] for name in training.search.space})
        study.optimize(objective, n_trials=1, callbacks=[note_minutes])
    trials = max(budget.trials - len(_finished(study)), 0) if budget.trials else None
    seconds = max(since + 60 * budget.minutes - time.time(), 0.0) if budget.minutes else None
    if trials == 0 or seconds == 0:
        return
    if budget.workers == 1:
        study.optimize(objective, trials, seconds, callbacks=[note_minutes])
    else:
        # No seed here: each worker gets a copy of the sampler, and copies of a seeded one draw the same.
        on_spark = MlflowSparkStudy(study.study_name, storage, TPESampler(), study.pruner)
        number = trials or _NO_END
        on_spark.optimize(objective, number, seconds, min(budget.workers, number), callbacks=[note_minutes])
    note_minutes()  # time ends a search a moment after its last trial


def _finished(study: Study) -> list[FrozenTrial]:
    return study.get_trials(deepcopy=False, states=(TrialState.COMPLETE, TrialState.PRUNED))


def _record(study: Study, run_id: str, config: Config) -> Found:
    """Writes on the search's run what it has found, and that it is done."""
    finished, client = _finished(study), MlflowClient()
    first = min(finished, key=lambda trial: trial.number)
    parameters = config.training.model | study.best_params
    found = Found(run_id, len(finished), study.best_value, cast(float, first.value), parameters)
    for name in ("trials", "loss", "first_loss"):
        client.log_metric(run_id, name, getattr(found, name))
    client.set_tag(run_id, "loss_name", config.label.loss_name)
    client.set_tag(run_id, "parameters", json.dumps(parameters))
    client.set_terminated(run_id)
    return found
