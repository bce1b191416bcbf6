"""`make run` on the real flights: what is scored, learned and judged, beside the raw files."""

import json
from typing import Any

import pandas as pd
import pytest
from pyspark.sql import SparkSession
from sklearn.metrics import brier_score_loss, roc_auc_score

from local_workspace.workspace import Workspace
from monitoring.dashboard import dashboard_file
from project.config import Config, config_file
from tests.browser import check_report
from tests.use_case.raw_features import Raw
from tests.whole_run import Run, check_server, run_all
from use_case.model import make_model

FIRST_DAY, LAST_DAY = pd.Timestamp("2013-08-02", tz="UTC"), pd.Timestamp("2013-08-09", tz="UTC")
JULY, AUGUST = pd.Timestamp("2013-07-01", tz="UTC"), pd.Timestamp("2013-08-01", tz="UTC")
DAY = pd.Timedelta(days=1)


@pytest.fixture(scope="module")
def first(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The whole local run, once; tests only read what it left."""
    return run_all(spark, Workspace(tmp_path_factory.mktemp("whole")))


@pytest.fixture(scope="module")
def july(first: Run) -> pd.DataFrame:
    """The rows that the champion was judged on."""
    return first.table("validation_scores")


def test_the_week_is_scored_flight_by_flight_once(first: Run, raw: Raw) -> None:
    predictions = first.table("predictions")
    asked = raw.flights["prediction_at"]
    expected = raw.flights[(asked > FIRST_DAY - DAY) & (asked <= LAST_DAY)]
    assert sorted(predictions["flight_id"]) == sorted(expected["flight_id"])
    ahead = predictions["as_of"] - predictions["prediction_at"]
    assert ((ahead >= pd.Timedelta(0)) & (ahead < DAY)).all()
    assert predictions["prediction"].between(0.001, 0.999).all()
    assert predictions["prediction"].nunique() > 1000


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


def test_training_ends_a_gap_before_july_and_july_passed_every_group_of_gates(
    first: Run, raw: Raw, config: Config
) -> None:
    flights = raw.flights
    before = flights["sched_dep_at"] < JULY - pd.Timedelta(hours=config.training.gap_hours)
    trained = first.client.get_run(first.champion.run_id).data.params["rows"]
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
    columns = list(config.request_features.all)
    model = make_model(config.request_features.categorical, config.training.model, config.training.seed)
    weeks = seen["prediction_at"].dt.strftime("%G-%V")
    alone = model.fit(seen[columns], seen["late"], weeks)
    with_features = roc_auc_score(july["late"], july["prediction"])
    assert with_features - roc_auc_score(july["late"], alone.predict(july[columns])) >= 0.05


def test_the_server_answers_as_batch_scoring_has_and_looks_features_up(first: Run, config: Config) -> None:
    check_server(first, config)


def test_every_query_of_the_dashboard_finds_something(first: Run) -> None:
    dashboard = json.loads(dashboard_file(config_file()).read_text())
    with first.current_schema():
        empty = [one["name"] for one in dashboard["datasets"] if first.spark.sql("".join(one["queryLines"])).isEmpty()]
    assert empty == []


def test_the_report_is_legible_on_a_desk_on_a_phone_and_on_paper(first: Run, browser: Any) -> None:
    (report,) = first.workspace.volumes.rglob("reports/*.html")
    check_report(browser, report, least_pictures=6)
