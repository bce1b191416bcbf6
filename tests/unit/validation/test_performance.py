"""Figures over the whole window, in themselves and against the champion."""

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics

from project.kinds.binary import calibration_error
from project.kinds.by_day import Scored
from tests.unit.kinds import KINDS, make_config
from validation.performance import absolute, against_champion, upper_bound


def clipped_log_loss(label, prediction):
    return metrics.log_loss(label, prediction.clip(1e-15, 1 - 1e-15))


def mean_difference(label, prediction):
    return abs(label.mean() - prediction.mean())


# What a library says of rows, by figure.
CHECKED = {
    "roc_auc": metrics.roc_auc_score,
    "pr_auc": metrics.average_precision_score,
    "brier": metrics.brier_score_loss,
    "log_loss": clipped_log_loss,
    "mae": metrics.mean_absolute_error,
    "rmse": metrics.root_mean_squared_error,
    "r2": metrics.r2_score,
    "absolute_bias": mean_difference,
}
DRAWN = [(kind, name) for kind in KINDS for name in make_config(kind).label.by_day if name in CHECKED]
LOSS = {"binary": "log_loss", "regression": "mae"}
only_binary = pytest.mark.parametrize("config", ["binary"], indirect=True)
only_regression = pytest.mark.parametrize("config", ["regression"], indirect=True)


def failed(found):
    return [gate.name for gate in found if not gate.passed]


def measured(month, prediction, config):
    return config.label.measure(month[config.label.column], prediction)


def scored(month, prediction, config):
    day, days = pd.factorize(month[config.subject.event_time].dt.floor("D"))
    return Scored(month[config.label.column].to_numpy(), prediction.to_numpy(), day, len(days))


def test_a_good_model_passes(month, config):
    assert failed(absolute(measured(month, month["prediction"], config), config)) == []


def test_each_bound_alone_fails_a_model(month, config):
    good, bounds = measured(month, month["prediction"], config), config.validation.performance
    assert {bound.metric for bound in bounds.thresholds} - {"brier_skill", "log_loss_skill"} == {*config.label.by_day}
    for bound in bounds.thresholds:
        side = -1 if bound.greater_is_better else 1
        name = f"{bound.metric} at {'least' if bound.greater_is_better else 'most'}"
        assert failed(absolute(good | {bound.metric: bound.threshold}, config)) == []
        assert failed(absolute(good | {bound.metric: bound.threshold + side * 1e-6}, config)) == [name]


def test_a_figure_that_is_missing_and_few_rows_fail(month, config):
    good, bounds = measured(month, month["prediction"], config), config.validation.performance
    metric = bounds.thresholds[-1].metric
    without = {name: value for name, value in good.items() if name != metric}
    assert failed(absolute(without, config)) == [f"{metric} at least"]
    assert failed(absolute(good | {metric: float("nan")}, config)) == [f"{metric} at least"]
    few, *_ = absolute(good | {"rows": bounds.min_rows - 1}, config)
    assert not few.passed
    assert few.sentence == f"the number of labelled {config.subject.plural} is 999, at least 1,000 is needed"
    assert "rows" in failed(absolute({}, config))


def test_a_leaky_model_is_too_good_to_be_true(month, config):
    label, prediction = month[config.label.column], month["prediction"]
    leaky, gate = {
        "binary": ((label * 0.9 + 0.05 + prediction * 0.01).clip(0, 1), "roc_auc at most"),
        "regression": (label * 0.99 + prediction * 0.01, "mae at least"),
    }[config.label.kind]
    assert failed(absolute(measured(month, leaky, config), config)) == [gate]


@only_binary
def test_a_miscalibrated_model_fails_by_calibration_alone(month, config):
    odds = month["prediction"] / (1 - month["prediction"])
    shifted = 2.2 * odds / (1 + 2.2 * odds)
    assert failed(absolute(measured(month, shifted, config), config)) == ["calibration_error at most"]


@only_regression
def test_a_biased_model_fails_by_its_bias_alone(month, config):
    assert failed(absolute(measured(month, month["prediction"] + 2.1, config), config)) == ["absolute_bias at most"]


def test_an_inverted_model_is_stopped(month, config):
    prediction = month["prediction"]
    inverted = prediction.min() + prediction.max() - prediction
    gate = {"binary": "roc_auc at least", "regression": "r2 at least"}[config.label.kind]
    assert gate in failed(absolute(measured(month, inverted, config), config))


def test_each_figure_that_days_are_drawn_for_is_checked_below():
    figures = {(kind, name) for kind in KINDS for name in make_config(kind).label.by_day}
    assert figures - {*DRAWN} == {("binary", "calibration_error")}


@pytest.mark.parametrize(("config", "metric"), DRAWN, indirect=["config"])
def test_a_draw_of_days_gives_what_the_library_gives_for_its_rows(month, config, metric):
    rows = scored(month, month["prediction"].round(2), config)  # with ties
    once, drawn = np.ones(rows.days, int), np.random.default_rng(3).integers(0, 4, rows.days)
    found = config.label.by_day[metric](rows)(np.array([once, drawn], float))
    for value, counts in zip(found, (once, drawn), strict=True):
        again = np.repeat(np.arange(len(rows.day)), counts[rows.day])
        expected = CHECKED[metric](rows.label[again], rows.prediction[again])
        assert value == pytest.approx(expected, abs=1e-9)


@only_binary
def test_the_calibration_error_of_all_days_is_that_of_the_rows(month, config):
    prediction = month["prediction"].round(2)
    rows = scored(month, prediction, config)
    (found,) = config.label.by_day["calibration_error"](rows)(np.ones((1, rows.days)))
    assert found == pytest.approx(calibration_error(month[config.label.column], prediction), abs=1e-12)


@only_regression
@pytest.mark.parametrize("metric", ["mae", "rmse", "r2", "absolute_bias"])
def test_a_bound_is_that_of_days_whose_rows_are_drawn_together(month, config, metric):
    """Each third day is worse than the others: rows that were drawn one by one would differ less."""
    month, performance = month[::20], config.validation.performance
    day = month[config.subject.event_time].dt.day
    rows = scored(month, month["prediction"].where(day % 3 > 0, month["prediction"] * 1.4), config)
    bound = upper_bound(config.label.by_day[metric](rows), rows.days, performance)
    random, of_day = np.random.default_rng(4), [np.flatnonzero(rows.day == one) for one in range(rows.days)]
    draws = []
    for _ in range(3000):
        drawn = np.concatenate([of_day[one] for one in random.integers(0, rows.days, rows.days)])
        draws.append(CHECKED[metric](rows.label[drawn], rows.prediction[drawn]))
    assert bound == pytest.approx(np.quantile(draws, performance.confidence), abs=0.25 * np.std(draws))


def behind(month, challenger, champion, config):
    label, moments = month[config.label.column], month[config.subject.event_time]
    return {gate.name: gate for gate in against_champion(label, challenger, champion, moments, config)}


def test_the_same_model_is_not_behind_itself_and_a_worse_one_is(month, config):
    good = month["prediction"]
    worse = 0.5 * good + 0.5 * good.sample(frac=1, random_state=1).to_numpy()
    assert failed(behind(month, good, good, config).values()) == []
    loss = f"{LOSS[config.label.kind]} against champion"
    assert {loss, f"{config.label.quality} against champion"} <= {*failed(behind(month, worse, good, config).values())}
    gate = behind(month, good, worse, config)[loss]
    assert gate.passed
    assert f"the champion's on the same {config.subject.plural} " in gate.sentence


@only_binary
def test_a_lucky_difference_does_not_promote(month, config):
    """It wins on few days by much and loses on most: ahead on average, and by luck."""
    label, day = month[config.label.column], month[config.subject.event_time].dt.dayofyear
    champion = month["prediction"] * 0.5 + 0.15
    lucky = champion.where(day > day.min(), label * 0.98 + 0.01)
    lucky = lucky.where(day <= day.min(), (champion + 0.018 * (0.5 - label)).clip(0.01, 0.99))
    check_luck(month, lucky, champion, config, margin=0.005)


@only_regression
def test_a_lucky_number_does_not_promote(month, config):
    label, day = month[config.label.column], month[config.subject.event_time].dt.dayofyear
    champion = month["prediction"] + 6
    lucky = champion.where(day > day.min(), label).where(day <= day.min(), champion + 0.15)
    check_luck(month, lucky, champion, config, margin=0.05)


def check_luck(month, lucky, champion, config, margin):
    metric = LOSS[config.label.kind]
    ahead = measured(month, champion, config)[metric] - measured(month, lucky, config)[metric]
    gate = behind(month, lucky, champion, config)[f"{metric} against champion"]
    assert ahead > 0
    assert gate.value > -ahead + margin, "the bound is well above the difference itself"
    assert not gate.passed


def test_one_day_has_no_uncertainty_and_does_not_pass(month, config):
    one = month.head(100)
    found = behind(one, one["prediction"], one["prediction"], config).values()
    assert not any(gate.passed for gate in found)
    assert all(gate.as_dict()["value"] is None for gate in found)


def test_a_row_that_the_champion_lacks_does_not_pass(month, config):
    champion = month["prediction"].where(month.index > 0)
    found = behind(month, month["prediction"], champion, config)
    assert f"{LOSS[config.label.kind]} against champion" in failed(found.values())
