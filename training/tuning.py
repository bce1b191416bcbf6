"""Searches for hyperparameters with Optuna: an MLflow run for the search, a nested one for each trial.

The search of the same rows and settings is one search, however often it is started: what it has tried it keeps, so
that a killed one goes on, a second run does nothing, and a greater budget adds to it.
"""

import importlib.metadata
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

import numpy as np
import optuna
from mlflow import MlflowClient
from mlflow.pyspark.optuna.study import MlflowSparkStudy
from optuna import Study
from optuna.pruners import MedianPruner
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

from project.config import Config, ModelParameters
from training.fingerprint import fingerprint
from training.folds import expanding_folds
from training.frame import TrainingFrame
from training.objective import mean_loss
from training.sampler import RepeatableSampler
from training.storage import TrialRuns, fail_what_was_cut_off

_NAME_LENGTH = 16
_SEARCHED_MINUTES = "searched_minutes"
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
        """Refuses what is no budget."""
        if self.trials < 0 or self.minutes < 0 or self.workers < 1:
            raise ValueError(f"{self} is no budget: nothing is negative, and there is a worker")

    def __bool__(self) -> bool:
        """Whether there is anything to search for."""
        return self.trials > 0 or self.minutes > 0


@dataclass(frozen=True)
class Found:
    """What a search has found.

    Attributes:
        run_id: the run of the search.
        trials: how many trials have finished.
        log_loss: the mean over the folds (nats) of what was found.
        first_log_loss: the same of the configuration's own set.
        parameters: what was found.
    """

    run_id: str
    trials: int
    log_loss: float
    first_log_loss: float
    parameters: ModelParameters


def parse_budget(trials: str, minutes: str, workers: str) -> Budget:
    """Reads job parameters; empty ones say nothing.

    Raises:
        ValueError: one is no number, or is negative.
    """
    return Budget(int(trials or 0), float(minutes or 0), int(workers or 1))


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
    objective = partial(mean_loss, frame=frame, splits=splits, config=config)
    settings = config.training.model_dump_json(), importlib.metadata.version("optuna")
    name = f"tune-{fingerprint(frame, *settings)[:_NAME_LENGTH]}"
    storage = TrialRuns(experiment_id)
    study, run_id = _open_study(name, storage, config)
    fail_what_was_cut_off(experiment_id, run_id)
    MlflowClient().update_run(run_id, status="RUNNING")
    _search(study, storage, run_id, objective, budget)
    storage.flush()
    found = _best(study, run_id)
    _record(found, budget)
    return found


def _open_study(name: str, storage: TrialRuns, config: Config) -> tuple[Study, str]:
    """The search of this name, new or as far as it has come, and its run."""
    if storage.get_study_id_by_name_if_exists(name) is None:
        storage.create_new_study([StudyDirection.MINIMIZE], name)
    sampler = RepeatableSampler(config.training.model.model_dump(), config.training.seed)
    study = optuna.load_study(study_name=name, storage=storage, sampler=sampler, pruner=MedianPruner())
    return study, str(storage.get_study_id_from_name(name))


def _search(study: Study, storage: TrialRuns, run_id: str, objective: partial[float], budget: Budget) -> None:
    """Spends what is left of the budget. The first trial is always tried, and here: workers start from its value."""
    if not _finished(study):
        study.optimize(objective, n_trials=1)
    trials, seconds = _left(study, run_id, budget)
    if trials == 0 or seconds == 0:
        return
    if budget.workers == 1:
        study.optimize(objective, n_trials=trials, timeout=seconds)
        return
    storage.flush()
    on_spark = MlflowSparkStudy(study.study_name, storage, sampler=study.sampler, pruner=study.pruner)
    n_trials = _NO_END if trials is None else trials
    on_spark.optimize(objective, n_trials=n_trials, timeout=seconds, n_jobs=min(budget.workers, n_trials))


def _left(study: Study, run_id: str, budget: Budget) -> tuple[int | None, float | None]:
    """Trials and seconds that are left; None where nothing bounds them."""
    finished = _finished(study)
    trials = max(budget.trials - len(finished), 0) if budget.trials else None
    if not budget.minutes:
        return trials, None
    # A search that came to its end spent its minutes; of one that was cut off, its finished trials are known.
    recorded = MlflowClient().get_run(run_id).data.metrics.get(_SEARCHED_MINUTES, 0.0) * 60
    in_trials = sum((trial.duration or timedelta()).total_seconds() for trial in finished) / budget.workers
    return trials, max(budget.minutes * 60 - max(recorded, in_trials), 0.0)


def _finished(study: Study) -> list[FrozenTrial]:
    return study.get_trials(deepcopy=False, states=(TrialState.COMPLETE, TrialState.PRUNED))


def _best(study: Study, run_id: str) -> Found:
    finished = sorted(_finished(study), key=lambda trial: trial.number)
    complete = [trial for trial in finished if trial.state == TrialState.COMPLETE]
    values = [float(trial.value) for trial in complete if trial.value is not None]
    least = int(np.argmin(values))  # the earliest of equals
    parameters = ModelParameters.model_validate(complete[least].params)
    return Found(run_id, len(finished), values[least], values[0], parameters)


def _record(found: Found, budget: Budget) -> None:
    """Writes on the search's run what it has found, and that it is done."""
    client = MlflowClient()
    figures = {"trials": float(found.trials), "log_loss": found.log_loss, "first_log_loss": found.first_log_loss}
    for name, value in {**figures, **({_SEARCHED_MINUTES: budget.minutes} if budget.minutes else {})}.items():
        client.log_metric(found.run_id, name, value)
    client.set_tag(found.run_id, "parameters", found.parameters.model_dump_json())
    client.set_terminated(found.run_id)
