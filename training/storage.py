"""Where a search's trials are: nested runs of MLflow."""

from typing import Any

from mlflow import MlflowClient
from mlflow.entities import Run
from mlflow.optuna.storage import MlflowStorage
from mlflow.utils.mlflow_tags import MLFLOW_PARENT_RUN_ID
from optuna.trial import FrozenTrial

_FAILED = "FAILED"


class TrialRuns(MlflowStorage):
    """MLflow's storage, with finished trials read once.

    MLflow 3.8 asks the server four times about each earlier trial, and does so several times for each new one.
    """

    def __init__(self, experiment_id: str) -> None:
        """Takes the experiment that holds the search."""
        super().__init__(experiment_id)
        self._finished: dict[Any, FrozenTrial] = {}

    def flush(self) -> None:
        """Writes what waits to be written."""
        self.flush_all_batches()  # type: ignore[no-untyped-call]

    def get_trial(self, trial_id: Any) -> FrozenTrial:
        """The trial as its run tells it."""
        if trial_id not in self._finished:
            trial = super().get_trial(trial_id)
            if not trial.state.is_finished():
                return trial
            self._finished[trial_id] = trial
        return self._finished[trial_id]


def fail_what_was_cut_off(experiment_id: str, study_run: str) -> None:
    """Marks trials failed that a killed process left running, or ended without their value."""
    client = MlflowClient()
    children = client.search_runs([experiment_id], f"tags.`{MLFLOW_PARENT_RUN_ID}` = '{study_run}'")
    for run in children:
        if _is_cut_off(run):
            client.set_terminated(run.info.run_id, _FAILED)


def _is_cut_off(run: Run) -> bool:
    # A pruned trial is a killed run there. The state of a trial is written before its value.
    return run.info.status != _FAILED and (run.info.end_time is None or "value" not in run.data.metrics)
