"""Figures of predicted probabilities, against sums that can be done by hand."""

from itertools import pairwise, product
from math import isnan, log, sqrt

import numpy as np
import pandas as pd
import pytest

from project.kinds.binary import CALIBRATION_BINS, Binary, calibration_error

KIND = Binary(kind="binary", column="wet", outcome="measured", positives="wet days")
LABEL = [1.0, 0.0, 1.0, 0.0, 0.0]
PREDICTION = [0.9, 0.8, 0.6, 0.6, 0.1]  # 0.6 is predicted of a wet day and a dry one


def measured(label, prediction):
    return KIND.measure(pd.Series(label), pd.Series(prediction))


@pytest.fixture(scope="module")
def figures():
    return measured(LABEL, PREDICTION)


def test_all_figures_are_there(figures):
    assert list(figures) == list(KIND.metrics)


def test_rows_and_rates(figures):
    assert (figures["rows"], figures["mean_label"]) == (5.0, 0.4)
    assert figures["mean_prediction"] == pytest.approx(3.0 / 5)


def test_roc_auc_is_the_share_of_pairs_in_the_right_order(figures):
    """Of six pairs, three are right, one is wrong twice, one is a tie."""
    scored = list(zip(LABEL, PREDICTION, strict=True))
    wet, dry = ([p for label, p in scored if label == wanted] for wanted in (1.0, 0.0))
    shares = [1.0 if a > b else 0.5 if a == b else 0.0 for a, b in product(wet, dry)]
    assert figures["roc_auc"] == pytest.approx(sum(shares) / 6) == pytest.approx(4.5 / 6)


def test_pr_auc_is_the_precision_at_each_step_of_recall(figures):
    """At 0.9: 1 of 1, half of all. At 0.6: 2 of 4, the other half."""
    assert figures["pr_auc"] == pytest.approx(0.5 * 1 + 0.5 * 0.5)


def test_brier_and_log_loss_are_means_of_what_each_row_costs(figures):
    squares = [(label - p) ** 2 for label, p in zip(LABEL, PREDICTION, strict=True)]
    assert figures["brier"] == pytest.approx(sum(squares) / 5)
    costs = [-log(p if label else 1 - p) for label, p in zip(LABEL, PREDICTION, strict=True)]
    assert figures["log_loss"] == pytest.approx(sum(costs) / 5)


def test_skill_is_what_is_gained_on_the_constant(figures):
    assert figures["brier_base"] == pytest.approx(0.4 * 0.6)
    assert figures["log_loss_base"] == pytest.approx(-0.4 * log(0.4) - 0.6 * log(0.6))
    for name in ("brier", "log_loss"):
        assert figures[f"{name}_skill"] == pytest.approx(1 - figures[name] / figures[f"{name}_base"])


@pytest.mark.parametrize("only", [0.0, 1.0])
def test_of_one_class_only_what_has_a_meaning_is_given(only):
    figures = measured([only] * 3, [0.2, 0.5, 0.9])
    both = {"roc_auc", "pr_auc", "brier_base", "log_loss_base", "brier_skill", "log_loss_skill"}
    assert {name for name, value in figures.items() if isnan(value)} == both
    errors = [0.2, 0.5, 0.9] if only == 0.0 else [0.8, 0.5, 0.1]
    assert figures["brier"] == pytest.approx(sum(error**2 for error in errors) / 3)
    assert figures["log_loss"] == pytest.approx(-sum(log(1 - error) for error in errors) / 3)
    assert figures["mean_label"] == only


def test_one_row_has_figures():
    figures = measured([1.0], [0.25])
    assert (figures["rows"], figures["calibration_error"]) == (1.0, 0.75)


def test_a_perfect_and_an_inverted_ranking():
    assert measured([0.0, 0.0, 1.0], [0.1, 0.2, 0.3])["roc_auc"] == 1.0
    assert measured([0.0, 0.0, 1.0], [0.3, 0.2, 0.1])["roc_auc"] == 0.0
    assert measured([0.0, 1.0], [0.5, 0.5])["roc_auc"] == 0.5


def test_calibration_error_is_the_gap_in_bins_of_equal_count():
    random = np.random.default_rng(5)
    prediction = random.permutation(np.linspace(0.01, 0.99, 40))
    label = (random.uniform(size=40) < np.sqrt(prediction)).astype(float)
    order = np.argsort(prediction)
    edges = np.linspace(0, 40, CALIBRATION_BINS + 1).astype(int)
    gaps = [abs(label[order[a:b]].mean() - prediction[order[a:b]].mean()) * (b - a) for a, b in pairwise(edges)]
    assert calibration_error(pd.Series(label), pd.Series(prediction)) == pytest.approx(sum(gaps) / 40)


def test_rows_of_one_prediction_are_in_one_bin():
    """Half of 20 days are wet, and 0.5 is predicted of all: that is calibrated, in whatever order they come."""
    wet_first, in_turn = [1.0] * 10 + [0.0] * 10, [1.0, 0.0] * 10
    for label in (wet_first, in_turn):
        assert calibration_error(pd.Series(label), pd.Series([0.5] * 20)) == 0.0


def test_of_a_day_a_pair_of_one_prediction_is_half_in_order():
    found = KIND.quality_of(np.array(LABEL), np.array(PREDICTION))
    assert found.value == 4.5 / 6


def test_rows_are_compared_in_their_order_and_not_by_their_index():
    prediction = pd.Series(PREDICTION, index=range(4, -1, -1))
    assert KIND.measure(pd.Series(LABEL), prediction) == measured(LABEL, PREDICTION)


def test_the_order_of_rows_changes_no_figure():
    random = np.random.default_rng(6)
    rows = pd.DataFrame({"prediction": random.choice([0.1, 0.2, 0.4, 0.7], 97)})
    rows["label"] = (random.uniform(size=97) < rows["prediction"]).astype(float)
    mixed = rows.sample(frac=1, random_state=1)
    assert measured(mixed["label"], mixed["prediction"]) == pytest.approx(
        measured(rows["label"], rows["prediction"]), abs=sqrt(1e-24)
    )
