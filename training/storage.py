"""Where a search's trials are: nested runs of MLflow."""

from collections.abc import Sequence
from typing import Any

from mlflow.optuna.storage import MlflowStorage
from optuna.trial import FrozenTrial, TrialState


class TrialRuns(MlflowStorage):
    """MLflow's storage, with two repairs of 3.8. On Spark's workers it is MLflow's own, without them.

    Finished trials are read once. MLflow asks the server four times about each earlier trial, several times for each
    new one: 30 trials of six hyperparameters are 8,600 requests, and 1,500 here.
    """

    def __init__(self, experiment_id: str) -> None:
        """Takes the experiment that holds the search."""
        super().__init__(experiment_id)
        self._finished: dict[Any, FrozenTrial] = {}

    def get_trial(self, trial_id: Any) -> FrozenTrial:
        """The trial as its run tells it."""
        trial = self._finished.get(trial_id) or super().get_trial(trial_id)
        if trial.state.is_finished():
            self._finished[trial_id] = trial
        return trial

    def set_trial_state_values(self, trial_id: Any, state: TrialState, values: Sequence[float] | None = None) -> bool:
        """Sets them, and says so: MLflow denies it of a trial that starts (issue 25830), and Optuna skips that one."""
        super().set_trial_state_values(trial_id, state, values)
        return True
