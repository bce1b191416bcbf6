"""A search finds better than it starts with, is one search however often it is started, and survives a kill."""

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

import mlflow
import numpy as np
import optuna
import pytest
from mlflow import MlflowClient
from mlflow.entities import Run
from mlflow.optuna.storage import MlflowStorage
from pyspark.sql import SparkSession
from sklearn.metrics import log_loss
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from local_workspace.environment import USE_CASE_VARIABLE
from local_workspace.workspace import REPOSITORY, Workspace
from project.config import Config, Parameter, load_config
from tests.unit.training.small_search import BAD, EXPERIMENT, FINISHED, SPACE, make_config, make_rows
from training.folds import expanding_folds
from training.storage import TrialRuns
from training.train import with_parameters
from training.tuning import Budget, Found, tune
from use_case.model import make_candidate

pytestmark = pytest.mark.homes(
    "local", reason="a search is no matter of Spark, and its workers write to the store of this machine"
)

TRIALS = 14


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """A few hundred rows are no work to share: threads would wait for each other where others use the cores."""
    with threadpool_limits(limits=1):
        yield


@pytest.fixture(scope="module")
def store(workspace: Workspace) -> str:
    """The tracking store."""
    return workspace.tracking_uri


@pytest.fixture(scope="module")
def whole(store: str) -> Found:
    """A search from its start to its end."""
    return search("whole", Budget(trials=TRIALS))


def search(experiment: str, budget: Budget, seed: int = 1) -> Found:
    return tune(make_rows(seed), mlflow.set_experiment(experiment).experiment_id, budget, make_config())


def runs(experiment: str) -> tuple[list[Run], list[Run]]:
    """The runs of searches, and those of trials in the order of their start."""
    client = MlflowClient()
    found = client.get_experiment_by_name(experiment)
    if found is None:
        return [], []
    every = client.search_runs([found.experiment_id], order_by=["attributes.start_time ASC"])
    parents = [run for run in every if "mlflow.parentRunId" not in run.data.tags]
    return parents, [run for run in every if "mlflow.parentRunId" in run.data.tags]


def statuses(experiment: str) -> Counter[str]:
    return Counter(run.info.status for run in runs(experiment)[1])


def test_it_beats_the_bad_set_that_it_starts_with(whole: Found) -> None:
    frame, config = make_rows(), make_config()
    splits = expanding_folds(frame.weeks, config.training.search.folds)

    def loss(parameters: dict[str, Parameter]) -> float:
        losses = []
        for fit, judge in splits:
            model = make_candidate(["shop"], parameters, config.training.seed)
            model.fit(frame.rows.iloc[fit], frame.label.iloc[fit])
            losses.append(log_loss(frame.label.iloc[judge], model.predict(frame.rows.iloc[judge])))
        return float(np.mean(losses))

    assert whole.first_loss == pytest.approx(loss(BAD))
    assert whole.loss == pytest.approx(loss(whole.parameters))
    assert whole.loss < whole.first_loss - 0.1


def test_trials_are_nested_runs_of_one_search_and_some_are_given_up_early(whole: Found) -> None:
    (parent,), trials = runs("whole")
    assert (parent.info.run_id, parent.info.status) == (whole.run_id, "FINISHED")
    assert {run.data.tags["mlflow.parentRunId"] for run in trials} == {whole.run_id}
    assert len(trials) == whole.trials == parent.data.metrics["trials"] == TRIALS
    assert drawn(trials[0]) == {name: BAD[name] for name in SPACE}
    finished = [run.data.metrics["value"] for run in trials if run.info.status == "FINISHED"]
    assert finished[0] == whole.first_loss == parent.data.metrics["first_loss"]
    assert min(finished) == whole.loss == parent.data.metrics["loss"]
    pruned = [run for run in trials if run.info.status == "KILLED"]
    assert pruned
    assert len(pruned) + len(finished) == TRIALS
    best = next(run for run in trials if run.data.metrics["value"] == whole.loss)
    assert BAD | drawn(best) == whole.parameters == json.loads(parent.data.tags["parameters"])
    assert parent.data.tags["loss_name"] == "log loss"


def drawn(trial: Run) -> dict[str, float]:
    return {name: float(value) for name, value in trial.data.params.items()}


def test_a_second_search_does_nothing_and_a_greater_budget_adds_to_it(whole: Found) -> None:
    before = runs("whole")[1]
    assert search("whole", Budget(trials=TRIALS)) == whole
    assert [run.to_dictionary() for run in runs("whole")[1]] == [run.to_dictionary() for run in before]
    more = search("whole", Budget(trials=TRIALS + 1))
    assert (more.run_id, more.trials, len(runs("whole")[1])) == (whole.run_id, TRIALS + 1, TRIALS + 1)
    assert more.first_loss == whole.first_loss


def test_a_search_that_goes_on_tries_nothing_again(store: str) -> None:
    for trials in (2, 3, 4):
        search("steps", Budget(trials=trials))
    assert len({run.data.params["learning_rate"] for run in runs("steps")[1]}) == 4


def test_other_rows_are_another_search(whole: Found) -> None:
    other = search("whole", Budget(trials=1), seed=2)
    assert other.run_id != whole.run_id
    assert (other.trials, other.parameters) == (1, BAD)


def test_a_killed_search_goes_on_where_it_was(store: str) -> None:
    run_and_be_killed(store)
    (parent,), before = runs(EXPERIMENT)
    assert (len(before), before[-1].info.status) == (FINISHED + 1, "RUNNING")
    # Its time counts, though it never came to an end.
    searched = parent.data.metrics["searched_minutes"]
    assert searched * 60_000 >= before[FINISHED - 1].info.end_time - before[0].info.start_time
    assert search(EXPERIMENT, Budget(minutes=searched)).trials == FINISHED
    left = search(EXPERIMENT, Budget(trials=FINISHED + 2))
    (parent,), after = runs(EXPERIMENT)
    assert (left.run_id, left.trials) == (parent.info.run_id, FINISHED + 2)
    assert (parent.info.status, after[FINISHED].info.status) == ("FINISHED", "FAILED")
    assert (len(after), statuses(EXPERIMENT)["FAILED"], statuses(EXPERIMENT)["RUNNING"]) == (FINISHED + 3, 1, 0)
    kept = [run.to_dictionary() for run in before[:FINISHED]]
    assert [run.to_dictionary() for run in after[:FINISHED]] == kept


def run_and_be_killed(store: str) -> None:
    # Of the same use case: -P leaves the repository's own behind it on the path.
    command = [sys.executable, "-P", "-m", "tests.unit.training.small_search", store]
    path = os.pathsep.join(
        [os.environ[USE_CASE_VARIABLE], str(REPOSITORY / "local_workspace" / "site"), str(REPOSITORY)]
    )
    environment = {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"}
    ended = subprocess.run(command, cwd=REPOSITORY, env=environment, check=False)  # noqa: S603 - our own module
    assert ended.returncode == -signal.SIGKILL


def test_a_search_killed_amid_its_first_trial_starts_with_the_configuration_s_own_again(whole: Found) -> None:
    name = MlflowClient().get_run(whole.run_id).info.run_name
    study = optuna.create_study(study_name=name, storage=MlflowStorage(mlflow.set_experiment("amid").experiment_id))
    study.ask()
    study.enqueue_trial(BAD)
    study.ask()
    (parent,), (ended, *_) = runs("amid")
    MlflowClient().set_terminated(ended.info.run_id)  # its value was never written
    assert statuses("amid") == Counter(FINISHED=1, RUNNING=2)
    found = search("amid", Budget(trials=2))
    assert (found.run_id, found.trials, found.first_loss) == (parent.info.run_id, 2, whole.first_loss)
    assert statuses("amid") == Counter(FAILED=3, FINISHED=2)


def test_workers_of_spark_share_a_search_and_none_tries_what_another_does(store: str, spark: SparkSession) -> None:
    found = search("spark", Budget(trials=5, workers=2))
    (parent,), trials = runs("spark")
    spans = sorted((run.info.start_time, run.info.end_time) for run in trials[1:])
    assert any(later[0] < earlier[1] for earlier, later in pairwise(spans)), "two at a time, once the first is done"
    assert found.trials == len(trials) == 5
    assert (parent.info.run_id, parent.info.status) == (found.run_id, "FINISHED")
    assert drawn(trials[0]) == {name: BAD[name] for name in SPACE}
    assert len({run.data.params["learning_rate"] for run in trials}) == 5
    # Each trial's time is known when it ends: a kill would lose no more than two.
    assert len(MlflowClient().get_metric_history(found.run_id, "searched_minutes")) == 5 + 1
    assert search("spark", Budget(trials=5, workers=2)) == found


def test_workers_of_spark_search_by_time_too(store: str, spark: SparkSession) -> None:
    first = search("spark minutes", Budget(minutes=0.05, workers=2))
    assert first.trials >= 1 + 2, "the first, and one of each worker"
    assert search("spark minutes", Budget(minutes=0.05, workers=2)) == first


def test_a_search_by_time_ends_and_is_not_taken_up_again(store: str) -> None:
    first = search("minutes", Budget(minutes=0.01))
    assert first.trials >= 1
    assert search("minutes", Budget(minutes=0.01)) == first
    assert search("minutes", Budget(trials=first.trials + 1, minutes=0.01)) == first
    assert search("minutes", Budget(trials=first.trials + 1)).trials == first.trials + 1


def test_time_that_a_search_left_over_is_there_for_more_trials(store: str) -> None:
    assert search("left over", Budget(trials=1, minutes=60)).trials == 1
    assert search("left over", Budget(trials=2, minutes=60)).trials == 2


def test_finished_trials_are_read_once_and_running_ones_anew(store: str) -> None:
    storage = TrialRuns(mlflow.set_experiment("read").experiment_id)
    study = optuna.create_study(study_name="read", storage=storage)
    study.optimize(lambda trial: trial.suggest_float("x", 0, 1), n_trials=1)
    study.ask().suggest_float("x", 0, 1)
    finished, running = sorted(study.trials, key=lambda trial: trial.number)
    _, trials = runs("read")
    for run in trials:
        MlflowClient().log_metric(run.info.run_id, "value", 2.0, step=2)  # MLflow has 1
    again = sorted(study.trials, key=lambda trial: trial.number)
    assert [trial.value for trial in again] == [finished.value, 2.0]
    assert running.value is None


def test_a_window_too_short_for_the_folds_starts_no_search(store: str) -> None:
    content = make_config().model_dump()
    content["training"]["search"]["folds"] = {"number": 3, "weeks": 4, "gap_weeks": 1}
    config = Config.model_validate(content)
    with pytest.raises(ValueError, match="need 14 weeks"):
        tune(make_rows(), mlflow.set_experiment("short").experiment_id, Budget(trials=1), config)
    assert runs("short") == ([], [])


def test_a_budget_bounds_trials_or_minutes_and_nothing_is_negative() -> None:
    assert not Budget()
    assert Budget(trials=30)
    assert Budget(minutes=1.5)
    for refused in ({"trials": -1}, {"minutes": -1.0}, {"trials": 1, "workers": 0}):
        with pytest.raises(ValueError, match="must be at least 0, workers at least 1"):
            Budget(**refused)


def test_what_was_found_takes_the_place_of_the_configuration_s_own() -> None:
    config = with_parameters(load_config(), BAD)
    assert config.training.model == BAD
    assert config.training.search == load_config().training.search
