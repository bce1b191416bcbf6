"""A search finds better than it starts with, is one search however often it is started, and survives a kill."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

import mlflow
import numpy as np
import pytest
from mlflow import MlflowClient
from mlflow.entities import Run
from pyspark.sql import SparkSession
from sklearn.metrics import log_loss
from threadpoolctl import threadpool_limits

from local_workspace.workspace import REPOSITORY, Workspace
from project.config import load_config
from tests.unit.training.small_search import BAD, EXPERIMENT, make_config, make_rows
from training.folds import expanding_folds
from training.model import make_classifier
from training.train import with_parameters
from training.tuning import Budget, Found, parse_budget, tune

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

    def loss(parameters: dict[str, float]) -> float:
        losses = []
        for fit, judge in splits:
            model = make_classifier(["origin"], parameters, config.training.seed)
            model.fit(frame.rows.iloc[fit], frame.label.iloc[fit])
            predicted = model.predict_proba(frame.rows.iloc[judge])[:, 1]
            losses.append(log_loss(frame.label.iloc[judge], predicted))
        return float(np.mean(losses))

    assert whole.first_log_loss == pytest.approx(loss(BAD.model_dump()))
    assert whole.log_loss == pytest.approx(loss(whole.parameters.model_dump()))
    assert whole.log_loss < whole.first_log_loss - 0.1


def test_trials_are_nested_runs_of_one_search_and_some_are_given_up_early(whole: Found) -> None:
    (parent,), trials = runs("whole")
    assert (parent.info.run_id, parent.info.status) == (whole.run_id, "FINISHED")
    assert {run.data.tags["mlflow.parentRunId"] for run in trials} == {whole.run_id}
    assert len(trials) == whole.trials == TRIALS
    finished = [run.data.metrics["value"] for run in trials if run.info.status == "FINISHED"]
    assert min(finished) == whole.log_loss == parent.data.metrics["log_loss"]
    pruned = [run for run in trials if run.info.status == "KILLED"]
    assert pruned
    assert len(pruned) + len(finished) == TRIALS
    best = next(run for run in trials if run.data.metrics["value"] == whole.log_loss)
    assert {name: float(value) for name, value in best.data.params.items()} == whole.parameters.model_dump()


def test_a_second_search_does_nothing_and_a_greater_budget_adds_to_it(whole: Found) -> None:
    assert search("whole", Budget(trials=TRIALS)) == whole
    assert len(runs("whole")[1]) == TRIALS
    more = search("whole", Budget(trials=TRIALS + 1))
    assert (more.run_id, more.trials, len(runs("whole")[1])) == (whole.run_id, TRIALS + 1, TRIALS + 1)


def test_other_rows_are_another_search(whole: Found) -> None:
    other = search("whole", Budget(trials=1), seed=2)
    assert other.run_id != whole.run_id
    assert (other.trials, other.parameters) == (1, BAD)


def test_a_killed_search_goes_on_where_it_was(store: str, whole: Found) -> None:
    kill_amid_trial(store)
    before = statuses(EXPERIMENT)
    assert before["RUNNING"] == 1
    left = search(EXPERIMENT, Budget(trials=TRIALS))
    after = statuses(EXPERIMENT)
    assert after == statuses_of_whole() + Counter(FAILED=1)
    assert left.trials == TRIALS
    assert len(runs(EXPERIMENT)[0]) == 1
    # What was cut off is drawn again: the end is that of a search without a kill.
    assert (left.parameters, left.log_loss) == (whole.parameters, whole.log_loss)


def statuses_of_whole() -> Counter[str]:
    return Counter(run.info.status for run in runs("whole")[1][:TRIALS])


def kill_amid_trial(store: str) -> None:
    """Starts a search without an end in another process, and kills it when some trials are done and one runs."""
    command = [sys.executable, "-m", "tests.unit.training.small_search", store, "1000"]
    path = os.pathsep.join([str(REPOSITORY / "local_workspace" / "site"), str(REPOSITORY)])
    environment = {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"}
    with subprocess.Popen(command, cwd=REPOSITORY, env=environment) as process:  # noqa: S603 - our own module
        try:
            while True:
                assert process.poll() is None, "the search ended by itself"
                found = statuses(EXPERIMENT)
                if found["FINISHED"] >= 3 and found["RUNNING"] == 1:
                    process.send_signal(signal.SIGSTOP)  # so that the trial is amid its work, and stays so
                    if statuses(EXPERIMENT)["RUNNING"] == 1:
                        break
                    process.send_signal(signal.SIGCONT)
                time.sleep(0.02)
        finally:
            process.kill()


def test_workers_of_spark_share_a_search_and_none_tries_what_another_does(store: str, spark: SparkSession) -> None:
    found = search("spark", Budget(trials=5, workers=2))
    (parent,), trials = runs("spark")
    spans = sorted((run.info.start_time, run.info.end_time) for run in trials[1:])
    assert any(later[0] < earlier[1] for earlier, later in pairwise(spans)), "two at a time, once the first is done"
    assert found.trials == len(trials) == 5
    assert (parent.info.run_id, parent.info.status) == (found.run_id, "FINISHED")
    assert len({run.data.params["learning_rate"] for run in trials}) == 5
    assert search("spark", Budget(trials=5, workers=2)) == found


def test_a_search_by_time_ends_and_is_not_taken_up_again(store: str) -> None:
    first = search("minutes", Budget(minutes=0.01))
    assert first.trials >= 1
    assert search("minutes", Budget(minutes=0.01)) == first
    assert search("minutes", Budget(trials=first.trials + 1, minutes=0.01)) == first
    assert search("minutes", Budget(trials=first.trials + 1)).trials == first.trials + 1


def test_a_window_too_short_for_the_folds_starts_no_search(store: str) -> None:
    config = load_config()
    with pytest.raises(ValueError, match="need 14 weeks"):
        tune(make_rows(), mlflow.set_experiment("short").experiment_id, Budget(trials=1), config)
    assert runs("short") == ([], [])


def test_a_budget_comes_from_job_parameters() -> None:
    assert not parse_budget("", "", "")
    assert not parse_budget("0", "0", "1")
    assert parse_budget("30", "1.5", "2") == Budget(trials=30, minutes=1.5, workers=2)
    assert parse_budget("0", "5", "")
    for refused in (("-1", "", ""), ("", "-1", ""), ("1", "", "0"), ("many", "", "")):
        with pytest.raises(ValueError, match=r"budget|invalid literal"):
            parse_budget(*refused)


def test_what_was_found_takes_the_place_of_the_configuration_s_own() -> None:
    config = with_parameters(load_config(), BAD)
    assert config.training.model == BAD
    assert config.training.search == load_config().training.search
