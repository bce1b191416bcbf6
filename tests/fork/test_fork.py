"""A use case of another kind takes the place of this one, and every word of `make` keeps its promise.

What is predicted is a number and no class, it is asked once a day and not on Saturdays, two columns name what it is
about and are inputs too, and nothing is looked up by any other column. The tests come in the order of docs/adapt.md.
"""

import json
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pandas as pd
import pytest

from local_workspace.engine import open_session
from tests.browser import check_report
from tests.bundle.standin import TARGETS, TOKEN, Deployment, StandIn, stand_in
from tests.fork.conftest import Fork, lines_of

AS_OF = pd.Timestamp("2011-10-31", tz="UTC")
DAY = pd.Timedelta(days=1)
# Of the eight days that `make run` scores, 5 November is a Saturday.
TRADING_DAYS = [AS_OF + DAY * number for number in (1, 2, 3, 4, 6, 7, 8)]
PRODUCT_DAYS = 2 * 100
KEY = ["channel", "product", "day"]
LATER = "2011-12-06T00:00:00Z"


def test_config_says_what_each_key_means(fork: Fork) -> None:
    said = fork.make("config")
    assert "log_pieces" in said
    assert "planned_days_ahead" in said


def test_use_case_test(fork: Fork) -> None:
    fork.make("use-case-test")


@pytest.fixture(scope="module")
def first_run(fork: Fork) -> Fork:
    """Trained, judged, promoted, scored for a week and monitored."""
    fork.make("run")
    return fork


def test_run_promotes_a_version_that_passed_every_group_of_gates(first_run: Fork) -> None:
    (verdict,) = first_run.table("validation_verdicts").to_dict("records")
    gates = json.loads(verdict["gates"])
    assert {gate["group"] for gate in gates} == {"performance", "slices", "behaviour", "servable", "data"}
    assert [gate["sentence"] for gate in gates if not gate["passed"]] == []
    moves = first_run.table("promotions")
    assert set(moves["model_version"].astype(str)) == {"1"}
    assert set(moves["status"]) >= {"done"}


def test_run_judges_on_rows_that_training_never_saw(first_run: Fork) -> None:
    scores, sales = first_run.table("validation_scores"), first_run.table("sales")
    window = sales[sales["day"].between(AS_OF - 31 * DAY, AS_OF, inclusive="left")]
    scores = scores.merge(window[[*KEY, "pieces"]], on=KEY, validate="one_to_one")
    assert len(scores) == len(window)
    np.testing.assert_allclose(scores["log_pieces"], np.log1p(scores["pieces"].astype(float)), atol=1e-12)
    error = scores["prediction"] - scores["log_pieces"]
    figures = first_run.table("validation_metrics").set_index("slice_key").loc[""]
    assert figures["mae"] == pytest.approx(error.abs().mean())
    assert figures["r2"] == pytest.approx(1 - (error**2).mean() / scores["log_pieces"].var(ddof=0))
    assert figures["r2"] > 0.45


def test_run_scores_each_product_day_once(first_run: Fork) -> None:
    predictions = first_run.table("predictions")
    assert not predictions.duplicated(KEY).any()
    assert predictions.groupby("day").size().to_dict() == dict.fromkeys(TRADING_DAYS, PRODUCT_DAYS)
    assert (predictions["as_of"] == predictions["day"]).all()
    assert (predictions["prediction"] >= 0).all()
    assert predictions["prediction"].nunique() > PRODUCT_DAYS
    latest = first_run.table("latest_predictions")
    both = latest.merge(predictions, on=KEY, validate="one_to_one")
    assert len(both) == len(predictions)
    assert (both["prediction_x"] == both["prediction_y"]).all()


def test_run_monitors_all_predictions(first_run: Fork) -> None:
    log, sales = first_run.table("inference_log"), first_run.table("sales")
    assert len(log) == len(TRADING_DAYS) * PRODUCT_DAYS
    known = log[log["log_pieces"].notna()].merge(sales, on=KEY, validate="one_to_one")
    assert sorted(known["day"].unique()) == TRADING_DAYS[:-1]
    np.testing.assert_allclose(known["log_pieces"], np.log1p(known["pieces"].astype(float)), atol=1e-12)
    verdicts = first_run.table("monitoring_verdicts").set_index("check_name")
    assert verdicts.loc[":all", "status"] == "ok"
    mae = (known["prediction"] - known["log_pieces"]).abs().groupby(known["day"]).mean()
    assert verdicts.loc["error", "value"] in [pytest.approx(value) for value in mae]
    assert verdicts.loc["error", "days_judged"] == 5


def test_run_writes_a_report_that_is_legible(first_run: Fork, browser) -> None:
    (report,) = first_run.workspace.rglob("reports/*.html")
    text = report.read_text(encoding="utf-8")
    assert all(words in text for words in ("product days", "Mean absolute error", "ln(1 + pieces)"))
    check_report(browser, report, least_pictures=4)


def test_serve_answers_for_a_day_to_come(first_run: Fork) -> None:
    scored = first_run.table("predictions").sort_values("day").tail(50)
    asked = scored[["channel", "product", "weekday", "day_of_year"]]
    with served(first_run) as url:
        body = json.dumps({"dataframe_split": asked.to_dict("split", index=False)})
        with urllib.request.urlopen(url, body.encode()) as answer:  # noqa: S310 (our own server)
            found = json.load(answer)["predictions"]
    # The store has what was known as the last of them was scored.
    np.testing.assert_allclose(found, scored["prediction"])


@contextmanager
def served(fork: Fork) -> Iterator[str]:
    """`make serve`, and where it listens."""
    command = [".venv/bin/python", "-m", "local_workspace", "serve"]
    with subprocess.Popen(command, cwd=fork.folder, env=fork.environ, stdout=subprocess.PIPE, text=True) as server:  # noqa: S603
        assert server.stdout is not None
        try:
            yield server.stdout.readline().split()[1]
        finally:
            server.terminate()


@pytest.fixture(scope="module")
def later(first_run: Fork) -> Fork:
    """Five weeks later: all of them scored, and the model's age has started a training."""
    hours = (pd.Timestamp(LATER) - TRADING_DAYS[-1]) // pd.Timedelta(hours=1)
    fork = first_run
    fork.make("job", "NAME=batch_inference", f"AS_OF={LATER}", BUNDLE_VAR_scoring_window_hours=str(hours))
    fork.make("job", "NAME=monitoring", f"AS_OF={LATER}", BUNDLE_VAR_retrain_on_violation="true")
    return fork


def test_monitoring_compares_weeks_without_saturdays(later: Fork) -> None:
    verdicts = later.table("monitoring_verdicts")
    newest = verdicts[verdicts["as_of"] == pd.Timestamp(LATER)].set_index("check_name")
    assert newest.loc["feature_drift", "status"] != "not judged"
    assert newest.loc["error_grows", "status"] != "not judged"
    drift = later.table("column_drift")
    assert set(drift["column_name"]) >= {"prediction", "mean_4w", "channel"}


def test_monitoring_starts_a_training_whose_version_is_held_against_the_champion(later: Fork) -> None:
    verdicts = later.table("monitoring_verdicts")
    age = verdicts[(verdicts["as_of"] == pd.Timestamp(LATER)) & (verdicts["check_name"] == "age")]
    assert list(age["action"]) == ["retrain"]
    verdict = later.table("validation_verdicts").sort_values("as_of").iloc[-1]
    gates = {gate["name"] for gate in json.loads(verdict["gates"])}
    assert verdict["model_version"] == "2"
    assert {name for name in gates if "champion" in name}, gates
    assert "2" in set(later.table("promotions")["model_version"].astype(str))


def test_every_query_of_the_dashboard_finds_something(later: Fork) -> None:
    content = json.loads((later.folder / "use_case/monitoring.lvdash.json").read_text(encoding="utf-8"))
    with open_session(later.workspace) as spark:
        (schema,) = {log.parent.parent.stem for log in later.workspace.glob("warehouse/*/*/_delta_log")}
        spark.sql(f"USE {schema}")
        found = {one["name"]: spark.sql("".join(one["queryLines"])).isEmpty() for one in content["datasets"]}
    assert found == dict.fromkeys(found, False)
    assert len(found) >= 7


def test_lint(fork: Fork) -> None:
    fork.make("lint")


@pytest.fixture(scope="module")
def workspace(fork: Fork, tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    """A stand-in workspace, whose jobs run with the fork's packages."""
    runner = f"{fork.folder}/.venv/bin/python -m local_workspace deployed"
    with stand_in(tmp_path_factory.mktemp("workspace"), runner) as server:
        yield server


def test_every_target_is_deployed(fork: Fork, workspace: StandIn) -> None:
    for target in TARGETS:
        deployment = Deployment(workspace, fork.folder, target, f"{TOKEN}-{target}")
        deployment.cli("validate", "--strict")
        added, changed, removed, same = deployment.deployed().plan()
        assert (added, changed, removed) == (0, 0, 0), target
        assert same > 10


def test_slice_test_runs_the_deployed_jobs(fork: Fork, workspace: StandIn) -> None:
    Deployment(workspace, fork.folder, "test", f"{TOKEN}-test").make("slice-test")


def test_bundle_test(fork: Fork) -> None:
    fork.make("bundle-test")


def test_unit(fork: Fork) -> None:
    fork.make("unit")


def test_integration(fork: Fork) -> None:
    """Whole runs; not what `make test` has proved of the same small use case on this commit, in as many minutes."""
    alike = ("test_changes.py", "test_cut_off.py", "test_living.py")
    fork.make("integration", PYTEST_ADDOPTS=" ".join(f"--ignore=tests/integration/{file}" for file in alike))


def test_hardly_anything_else_was_changed(fork: Fork) -> None:
    assert lines_of(fork.changed()) <= 20, fork.changed()
