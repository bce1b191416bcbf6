"""`make run` as a newcomer starts it: every notebook, through the job graph, on the real flights; and once more."""

import json
import os
import re
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pandas as pd
import pytest
from mlflow.pyfunc import load_model
from pandas.testing import assert_frame_equal
from raw_features import Raw
from sklearn.metrics import brier_score_loss, roc_auc_score
from whole_run import MODEL, SETTINGS, Run, run_all

from local_workspace.bundle import load_bundle
from local_workspace.workspace import FOLDER_VARIABLE, REPOSITORY, Workspace
from project.config import Config
from tests.browser import check_report
from training.model import CalibratedProbability, make_classifier

FIRST_DAY, LAST_DAY = pd.Timestamp("2013-08-02", tz="UTC"), pd.Timestamp("2013-08-09", tz="UTC")
JULY, AUGUST = pd.Timestamp("2013-07-01", tz="UTC"), pd.Timestamp("2013-08-01", tz="UTC")
DAY = pd.Timedelta(days=1)


@pytest.fixture(scope="module")
def july(first: Run) -> pd.DataFrame:
    """The rows that the champion was judged on."""
    return first.table("validation_scores")


# What a run has no reason for: test_deployment_jobs.py refuses a version and rolls back.
NOT_IN_A_RUN = {"record_refusal", "rollback"}


def test_every_task_of_every_notebook_has_run(first: Run) -> None:
    bundle = load_bundle(REPOSITORY)
    notebooks = {file.resolve() for file in REPOSITORY.glob("*/**/notebooks/*.py") if "tests" not in file.parts}
    notebooks = {file for file in notebooks if not file.relative_to(REPOSITORY).parts[0].startswith(".")}
    assert len(notebooks) > 8
    ran = set()
    for job in bundle.jobs.values():
        for task in job.tasks:
            if task.notebook_task:
                is_done = re.search(rf"▸ {task.task_key}   done", first.printed) is not None
                assert is_done is (task.task_key not in NOT_IN_A_RUN), task.task_key
                ran.add(bundle.notebook_file(task.notebook_task.notebook_path).resolve())
    assert ran == notebooks


def test_the_end_names_champion_rows_and_report(first: Run) -> None:
    end = first.printed[first.printed.index("Champion") :]
    assert f"{MODEL} version 1" in end
    for name in first.tables:
        assert re.search(rf"{name} +{len(first.table(name)):,}\n", end), name
    (report,) = first.workspace.volumes.rglob("reports/*.html")
    assert str(report) in end
    assert "make ui" in end


def test_the_week_is_scored_flight_by_flight_once(first: Run, raw: Raw) -> None:
    predictions = first.table("predictions")
    asked = raw.flights["prediction_at"]
    expected = raw.flights[(asked > FIRST_DAY - DAY) & (asked <= LAST_DAY)]
    assert sorted(predictions["flight_id"]) == sorted(expected["flight_id"])
    ahead = predictions["as_of"] - predictions["prediction_at"]
    assert ((ahead >= pd.Timedelta(0)) & (ahead < DAY)).all()
    assert sorted(predictions["as_of"].unique()) == list(pd.date_range(FIRST_DAY, LAST_DAY, freq="D"))
    assert predictions["prediction"].between(0.001, 0.999).all()
    assert predictions["prediction"].nunique() > 1000
    latest = first.table("latest_predictions").set_index("flight_id")["prediction"]
    assert_frame_equal(latest.sort_index().to_frame(), predictions.set_index("flight_id")[["prediction"]].sort_index())


def test_july_is_judged_on_flights_that_training_never_saw(first: Run, july: pd.DataFrame, raw: Raw) -> None:
    flights = raw.flights.set_index("flight_id")
    expected = flights[flights["sched_dep_at"].between(JULY, AUGUST, inclusive="left")]
    expected = expected[expected["arrived_at"] <= AUGUST]
    assert sorted(july["flight_id"]) == sorted(expected.index)
    late = (expected["arr_delay"] >= 15).astype(float)
    assert (july.set_index("flight_id")["late"].sort_index() == late.sort_index()).all()
    auc = roc_auc_score(july["late"], july["prediction"])
    brier = brier_score_loss(july["late"], july["prediction"])
    assert auc >= 0.758
    assert brier < july["late"].var(ddof=0)  # the base rate's
    tags = first.client.get_model_version_by_alias(MODEL, "champion").tags
    assert (tags["validation"], tags["validation_roc_auc"]) == ("passed", f"{auc:.4f}")
    assert tags["validation_brier"] == f"{brier:.4f}"


def test_training_ends_a_gap_before_july_and_july_passed_every_group_of_gates(
    first: Run, raw: Raw, config: Config
) -> None:
    flights = raw.flights
    before = flights["sched_dep_at"] < JULY - pd.Timedelta(hours=config.training.gap_hours)
    version = first.client.get_model_version_by_alias(MODEL, "champion")
    trained = first.client.get_run(version.run_id).data.params["rows"]
    assert int(trained) == (before & (flights["arrived_at"] <= JULY)).sum()
    lag = flights["arrived_at"] - flights["sched_dep_at"]
    assert lag.max() <= pd.Timedelta(hours=config.training.gap_hours), "a label may still be open when July begins"
    gates = json.loads(first.table("validation_verdicts")["gates"].iloc[0])
    assert {gate["group"] for gate in gates} == {"performance", "slices", "behaviour", "servable", "data"}
    assert [gate["sentence"] for gate in gates if not gate["passed"]] == []
    assert next(gate["value"] for gate in gates if gate["name"] == "skew") == 0.0


def test_features_are_worth_more_than_the_schedule_alone(first: Run, july: pd.DataFrame, config: Config) -> None:
    rows = first.table("flights").merge(first.table("labels")[["flight_id", "late", "known_at"]], on="flight_id")
    seen = rows.dropna(subset="late")
    seen = seen[(seen["sched_dep_at"] < JULY) & (seen["known_at"] <= JULY)].reset_index(drop=True)
    columns = list(config.schedule_features.all)
    parameters = config.training.model.model_dump()
    classifier = make_classifier(config.schedule_features.categorical, parameters, config.training.seed)
    weeks = seen["prediction_at"].dt.strftime("%G-%V")
    alone = CalibratedProbability(classifier).fit(seen[columns], seen["late"], weeks)
    with_features = roc_auc_score(july["late"], july["prediction"])
    assert with_features - roc_auc_score(july["late"], alone.predict(july[columns])) >= 0.05


def test_the_champion_is_logged_with_all_that_explains_it(first: Run) -> None:
    version = first.client.get_model_version_by_alias(MODEL, "champion")
    run = first.client.get_run(version.run_id)
    assert {"max_iter", "learning_rate", "seed", "rows"} <= set(run.data.params)
    assert run.data.tags["git_commit"]
    assert [entry.dataset.name for entry in run.inputs.dataset_inputs] == ["training"]
    assert {"roc.png", "calibration.png", "importance.png"} <= {
        f.path for f in first.client.list_artifacts(run.info.run_id)
    }
    files = first.client.get_model_version_download_uri(MODEL, version.version)
    package = load_model(files)
    assert package.metadata.signature is not None
    example = package.input_example
    assert example is not None
    raw_model = load_model(f"{files}/data/feature_store/raw_model")
    assert_predictions_are_probabilities(raw_model.predict(raw_model.input_example))
    assert_predictions_are_probabilities(package.predict(example))


def assert_predictions_are_probabilities(found: object) -> None:
    values = pd.Series(found)
    assert len(values) == 5
    assert values.between(0.001, 0.999).all()
    assert not values.isin([0.0, 1.0]).any()


def test_the_server_answers_as_batch_scoring_has_and_looks_features_up(first: Run, config: Config) -> None:
    scored = first.table("predictions").sort_values("as_of").tail(300)
    sent = scored.drop(columns=["flight_id", "sched_dep_at", "prediction_at", "model_name", "model_version", "as_of"])
    with served(first.workspace) as ask:
        assert ask(sent.drop(columns="prediction")) == pytest.approx(scored["prediction"].tolist(), abs=1e-9)
        found = ask(sent[["tailnum", *config.schedule_features.all]])
        assert ask(sent[list(config.schedule_features.all)]).startswith("The request lacks the columns ['tailnum']")
    # What an online store holds: the latest row of each key, found here by another way.
    latest = sent[["tailnum", *config.schedule_features.all]].copy()
    for table, keys in FEATURES.items():
        rows = first.table(table).sort_values("known_at").groupby(keys, as_index=False, dropna=False).nth(-1)
        latest = latest.merge(rows.drop(columns="known_at"), on=keys, how="left")
    version = first.client.get_model_version_by_alias(MODEL, "champion").version
    files = first.client.get_model_version_download_uri(MODEL, version)
    model = load_model(f"{files}/data/feature_store/raw_model")
    expected = model.predict(latest[model.metadata.signature.inputs.input_names()])
    assert found == pytest.approx(list(expected), abs=1e-9)


FEATURES = {
    "weather_features": ["origin"],
    "congestion_features": ["origin"],
    "carrier_features": ["carrier"],
    "route_features": ["origin", "dest"],
    "aircraft_features": ["tailnum"],
    "leg_features": ["tailnum"],
}


def test_the_report_is_legible_on_a_desk_on_a_phone_and_on_paper(first: Run, browser: Any) -> None:
    (report,) = first.workspace.volumes.rglob("reports/*.html")
    check_report(browser, report, least_pictures=6)


@contextmanager
def served(workspace: Workspace) -> Iterator[Callable[[pd.DataFrame], Any]]:
    """`make serve`; what is given asks it, and gets predictions or what is wrong."""
    server = subprocess.Popen(
        [sys.executable, "-m", "local_workspace", "serve"],
        cwd=REPOSITORY,
        env={**os.environ, **SETTINGS, FOLDER_VARIABLE: str(workspace.root)},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        url = server.stdout.readline().split()[1]

        def ask(rows: pd.DataFrame) -> Any:
            plain = rows.astype(object).where(rows.notna(), None)
            body = {"dataframe_split": {"columns": list(plain.columns), "data": plain.to_numpy().tolist()}}
            try:
                with urllib.request.urlopen(url, json.dumps(body).encode()) as answer:  # noqa: S310 (our own server)
                    return json.load(answer)["predictions"]
            except urllib.error.HTTPError as error:
                with error:
                    return json.load(error)["message"]

        yield ask
    finally:
        server.terminate()
        server.wait()


def test_a_second_run_changes_nothing(first: Run) -> None:
    tables, reports = first.digests(), first.reports()
    second = run_all(first.spark, first.workspace)
    assert second.digests() == tables
    assert second.reports() == reports
    assert [str(v.version) for v in second.client.search_model_versions(f"name = '{MODEL}'")] == ["1"]
    experiment = second.client.get_model_version_by_alias(MODEL, "champion").run_id
    runs = second.client.search_runs([second.client.get_run(experiment).info.experiment_id])
    assert [run.info.run_id for run in runs] == [experiment]
