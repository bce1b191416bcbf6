"""`make run` as a newcomer starts it: every notebook, through the job graph, on made-up orders; and once more."""

import json
import re
from typing import Any

import pandas as pd
import pytest
from mlflow.pyfunc import load_model
from pandas.testing import assert_frame_equal, assert_series_equal
from sklearn.metrics import brier_score_loss, log_loss, roc_auc_score

from local_workspace.bundle import load_bundle
from local_workspace.workspace import REPOSITORY
from monitoring.violations import ALL
from project.config import Config
from tests.browser import check_report
from tests.whole_run import MODEL, Run, check_server, run_all
from use_case.feed import orders_of
from use_case.model import make_model

DAY = pd.Timedelta(days=1)
JUDGED_FROM, TRAINED = pd.Timestamp("2024-03-04", tz="UTC"), pd.Timestamp("2024-04-01", tz="UTC")
FIRST_DAY, LAST_DAY = TRAINED + DAY, TRAINED + 8 * DAY
# What a run has no reason for: test_deployment_jobs.py refuses a version and rolls back.
NOT_IN_A_RUN = {"record_refusal", "rollback"}


@pytest.fixture(scope="module")
def orders() -> pd.DataFrame:
    """What was ordered and returned, as it is made up: no stage has touched it."""
    days = pd.date_range("2024-01-01", LAST_DAY.date())
    made = pd.concat(orders_of(day.date()) for day in days).set_index("order_id")
    returned = (made["refund"] >= made["price"] / 2).astype(float).where(made["refund"].notna())
    return made.assign(closes_at=made["ordered_at"] + DAY, returned=returned)


@pytest.fixture(scope="module")
def judged(first: Run) -> pd.DataFrame:
    """The rows that the champion was judged on."""
    return first.table("validation_scores").set_index("order_id")


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


def test_the_week_is_scored_order_by_order_once(first: Run, orders: pd.DataFrame) -> None:
    predictions, asked = first.table("predictions"), orders["ordered_at"]
    expected = orders[(asked > FIRST_DAY - DAY) & (asked <= LAST_DAY)]
    assert sorted(predictions["order_id"]) == sorted(expected.index)
    ahead = predictions["as_of"] - predictions["ordered_at"]
    assert ((ahead >= pd.Timedelta(0)) & (ahead < DAY)).all()
    assert sorted(predictions["as_of"].unique()) == list(pd.date_range(FIRST_DAY, LAST_DAY, freq="D"))
    assert predictions["prediction"].between(0.001, 0.999).all()
    assert predictions["prediction"].nunique() > 800
    latest = first.table("latest_predictions").set_index("order_id")["prediction"]
    assert_frame_equal(latest.sort_index().to_frame(), predictions.set_index("order_id")[["prediction"]].sort_index())


def test_a_version_is_judged_on_orders_that_training_never_saw(
    first: Run, judged: pd.DataFrame, orders: pd.DataFrame
) -> None:
    expected = orders[orders["closes_at"].between(JUDGED_FROM, TRAINED, inclusive="left")].dropna(subset="returned")
    assert_series_equal(judged["returned"].sort_index(), expected["returned"].sort_index())
    auc = roc_auc_score(judged["returned"], judged["prediction"])
    brier = brier_score_loss(judged["returned"], judged["prediction"])
    assert auc >= 0.74
    assert brier < judged["returned"].var(ddof=0)  # the base rate's
    tags = first.champion.tags
    assert (tags["validation"], tags["validation_roc_auc"]) == ("passed", f"{auc:.4f}")
    assert tags["validation_brier"] == f"{brier:.4f}"


def test_training_ends_a_gap_before_and_the_version_passed_every_group_of_gates(
    first: Run, judged: pd.DataFrame, orders: pd.DataFrame, config: Config
) -> None:
    gap = pd.Timedelta(hours=config.training.gap_hours)
    learned = orders[orders["closes_at"] < JUDGED_FROM - gap].dropna(subset="returned")
    assert int(first.client.get_run(first.champion.run_id).data.params["rows"]) == len(learned)
    assert learned["ended_at"].max() < judged["ordered_at"].min(), "it learned what was unknown at a judged prediction"
    gates = json.loads(first.table("validation_verdicts")["gates"].iloc[0])
    assert {gate["group"] for gate in gates} == {"performance", "slices", "behaviour", "servable", "data"}
    assert [gate["sentence"] for gate in gates if not gate["passed"]] == []
    assert next(gate["value"] for gate in gates if gate["name"] == "skew") == 0.0


def test_features_are_worth_more_than_the_request_alone(first: Run, judged: pd.DataFrame, config: Config) -> None:
    rows = first.table("orders").merge(first.table("labels")[["order_id", "returned"]], on="order_id")
    seen = rows[rows["closes_at"] < JUDGED_FROM].dropna(subset="returned").astype({"weekday": str})
    columns = list(config.request_features.all)
    model = make_model(config.request_features.categorical, config.training.model, config.training.seed)
    alone = model.fit(seen[columns], seen["returned"]).predict(judged[columns])
    with_features = roc_auc_score(judged["returned"], judged["prediction"])
    assert with_features - roc_auc_score(judged["returned"], alone) >= 0.04


def test_the_champion_is_logged_with_all_that_explains_it(first: Run, config: Config) -> None:
    run = first.client.get_run(first.champion.run_id)
    assert {*config.training.model, "seed", "rows"} <= set(run.data.params)
    assert run.data.tags["git_commit"]
    assert [entry.dataset.name for entry in run.inputs.dataset_inputs] == ["training"]
    assert {"roc.png", "calibration.png", "importance.png"} <= {
        f.path for f in first.client.list_artifacts(run.info.run_id)
    }
    package = load_model(first.champion_files)
    assert package.metadata.signature is not None
    example = package.input_example
    assert example is not None
    raw_model = load_model(f"{first.champion_files}/data/feature_store/raw_model")
    assert_predictions_are_probabilities(raw_model.predict(raw_model.input_example))
    assert_predictions_are_probabilities(package.predict(example))


def assert_predictions_are_probabilities(found: object) -> None:
    values = pd.Series(found)
    assert len(values) == 5
    assert values.between(0.001, 0.999).all()


def test_labels_are_joined_as_they_become_known(first: Run, orders: pd.DataFrame) -> None:
    log = first.table("inference_log").set_index("order_id")
    made = orders.loc[log.index]
    is_known = made["ended_at"] <= LAST_DAY
    assert 0 < (~is_known).sum() < len(log)
    assert_series_equal(log["returned"], made["returned"].where(is_known))
    assert (log["label_known_at"] == made["ended_at"])[is_known].all()
    assert ((log["outcome"] == "pending") == ~is_known).all()
    assert ((log["outcome"] == "cancelled") == (is_known & made["returned"].isna())).all()


def test_the_monitor_measures_what_the_rows_say(first: Run) -> None:
    log = first.table("inference_log")
    measured = first.table("inference_log_profile_metrics")
    is_day = (measured["granularity"] == "1 day") & (measured["log_type"] == "INPUT")
    measured = measured[is_day & (measured["column_name"] == ":table") & measured["slice_key"].isna()]
    days = {day["window"]["start"]: day for day in measured.to_dict("records")}
    for day, rows in log.dropna(subset="returned").groupby(log["ordered_at"].dt.tz_localize(None).dt.floor("D")):
        found = {name: days[day][name] for name in ("labelled_rows", "brier", "log_loss", "roc_auc")}
        label, prediction = rows["returned"], rows["prediction"]
        assert found == pytest.approx(
            {
                "labelled_rows": len(rows),
                "brier": brier_score_loss(label, prediction),
                "log_loss": log_loss(label, prediction),
                "roc_auc": roc_auc_score(label, prediction),
            }
        )
    verdicts = first.table("monitoring_verdicts")
    (verdict,) = verdicts[verdicts["check_name"] == ALL].to_dict("records")
    in_window = log["ordered_at"].between(verdict["window_start"], verdict["window_end"], inclusive="left")
    assert verdict["rows"] == in_window.sum()
    assert verdict["label_share"] == (log["outcome"] != "pending")[in_window].mean()


def test_the_server_answers_as_batch_scoring_has_and_looks_features_up(first: Run, config: Config) -> None:
    check_server(first, config)


def test_the_report_is_legible_on_a_desk_on_a_phone_and_on_paper(first: Run, browser: Any) -> None:
    (report,) = first.workspace.volumes.rglob("reports/*.html")
    check_report(browser, report, least_pictures=5)


def test_a_second_run_changes_nothing(first: Run) -> None:
    tables, reports = first.digests(), first.reports()
    second = run_all(first.spark, first.workspace)
    assert second.digests() == tables
    assert second.reports() == reports
    assert [str(v.version) for v in second.client.search_model_versions(f"name = '{MODEL}'")] == ["1"]
    experiment = second.champion.run_id
    runs = second.client.search_runs([second.client.get_run(experiment).info.experiment_id])
    assert [run.info.run_id for run in runs] == [experiment]
