"""Figures over the whole window, in themselves and against the champion."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import average_precision_score, brier_score_loss, log_loss, roc_auc_score

from project.metrics import binary_metrics, calibration_error
from validation.by_day import FIGURES, Scored
from validation.performance import absolute, against_champion

GOOD = {"rows": 28_000.0, "roc_auc": 0.78, "pr_auc": 0.65, "brier": 0.17, "log_loss": 0.52}
GOOD |= {"calibration_error": 0.03, "brier_skill": 0.2, "log_loss_skill": 0.18}
CHECKED = {
    "roc_auc": roc_auc_score,
    "pr_auc": average_precision_score,
    "brier": brier_score_loss,
    "log_loss": log_loss,
}


def failed(found):
    return [gate.name for gate in found if not gate.passed]


def test_a_good_model_passes(gates):
    assert failed(absolute(GOOD, gates.performance)) == []


def test_each_bound_alone_fails_a_model(gates):
    assert {bound.metric for bound in gates.performance.thresholds} >= {*CHECKED, "calibration_error"}
    for bound in gates.performance.thresholds:
        side = -1 if bound.greater_is_better else 1
        name = f"{bound.metric} at {'least' if bound.greater_is_better else 'most'}"
        assert failed(absolute(GOOD | {bound.metric: bound.threshold}, gates.performance)) == []
        assert failed(absolute(GOOD | {bound.metric: bound.threshold + side * 1e-6}, gates.performance)) == [name]


def test_a_figure_that_is_missing_and_few_rows_fail(gates):
    without = {name: value for name, value in GOOD.items() if name != "pr_auc"}
    assert failed(absolute(without, gates.performance)) == ["pr_auc at least"]
    assert failed(absolute(GOOD | {"brier": float("nan")}, gates.performance)) == ["brier at most"]
    assert failed(absolute(GOOD | {"rows": gates.performance.min_rows - 1}, gates.performance)) == ["rows"]
    assert "rows" in failed(absolute({}, gates.performance))


def test_a_leaky_model_is_too_good_to_be_true(month, gates):
    leaky = (month["late"] * 0.9 + 0.05 + month["prediction"] * 0.01).clip(0, 1)
    figures = binary_metrics(month["late"], leaky)
    assert failed(absolute(figures, gates.performance)) == ["roc_auc at most"]


def test_a_miscalibrated_model_fails_by_calibration_alone(month, gates):
    odds = month["prediction"] / (1 - month["prediction"])
    shifted = 2.2 * odds / (1 + 2.2 * odds)
    figures = binary_metrics(month["late"], shifted)
    assert failed(absolute(figures, gates.performance)) == ["calibration_error at most"]


def test_an_inverted_model_is_stopped(month, gates):
    assert "roc_auc at least" in failed(
        absolute(binary_metrics(month["late"], 1 - month["prediction"]), gates.performance)
    )


@pytest.mark.parametrize("metric", FIGURES)
def test_a_draw_of_days_gives_what_the_library_gives_for_its_rows(month, metric):
    prediction = month["prediction"].round(2)  # with ties
    day, days = pd.factorize(month["sched_dep_at"].dt.floor("D"))
    figure = FIGURES[metric](Scored(month["late"].to_numpy(), prediction.to_numpy(), day, len(days)))
    once, drawn = np.ones(len(days)), np.random.default_rng(3).integers(0, 4, len(days)).astype(float)
    found = figure(np.array([once, drawn]))
    if metric == "calibration_error":
        assert found[0] == pytest.approx(calibration_error(month["late"], prediction), abs=1e-12)
        return
    for value, counts in zip(found, (once, drawn), strict=True):
        again = CHECKED[metric](month["late"], prediction.clip(1e-15, 1 - 1e-15), sample_weight=counts[day])
        assert value == pytest.approx(again, abs=1e-9)


def behind(month, challenger, champion, gates):
    return failed(against_champion(month["late"], challenger, champion, month["sched_dep_at"], gates.performance))


def test_the_same_model_is_not_behind_itself_and_a_worse_one_is(month, gates):
    good = month["prediction"]
    worse = (0.5 * good + 0.5 * good.sample(frac=1, random_state=1).to_numpy()).clip(0.01, 0.99)
    assert behind(month, good, good, gates) == []
    assert len(behind(month, worse, good, gates)) >= 4
    assert not {"roc_auc against champion", "log_loss against champion"} & set(behind(month, good, worse, gates))


def test_a_lucky_difference_does_not_promote(month, gates):
    """It wins on few days by much and loses on most: ahead on average, and by luck."""
    day = month["sched_dep_at"].dt.dayofyear
    champion = month["prediction"] * 0.5 + 0.15
    lucky = champion.where(day > day.min(), month["late"] * 0.98 + 0.01)
    lucky = lucky.where(day <= day.min(), (champion + 0.11 * (0.5 - month["late"])).clip(0.01, 0.99))
    ahead = binary_metrics(month["late"], champion)["log_loss"] - binary_metrics(month["late"], lucky)["log_loss"]
    found = {
        gate.name: gate
        for gate in against_champion(month["late"], lucky, champion, month["sched_dep_at"], gates.performance)
    }
    gate = found["log_loss against champion"]
    assert not gate.passed
    assert gate.value > -ahead + 0.005, "the bound is well above the difference itself"


def test_one_day_has_no_uncertainty_and_does_not_pass(month, gates):
    one = month.head(100)
    found = list(
        against_champion(one["late"], one["prediction"], one["prediction"], one["sched_dep_at"], gates.performance)
    )
    assert not any(gate.passed for gate in found)
    assert all(gate.as_dict()["value"] is None for gate in found)


def test_a_row_that_the_champion_lacks_does_not_pass(month, gates):
    champion = month["prediction"].where(month.index > 0)
    assert "log_loss against champion" in behind(month, month["prediction"], champion, gates)
