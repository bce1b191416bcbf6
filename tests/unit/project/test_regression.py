"""Figures of predicted numbers, against scikit-learn's."""

from math import isnan

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import mean_absolute_error, r2_score, root_mean_squared_error

from project.kinds.regression import Regression

KIND = Regression(kind="regression", column="rain", outcome="measured", quantity="rain", unit="mm", least=0.0)


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    random = np.random.default_rng(6)
    label = random.gamma(2, 3, 97)
    return pd.DataFrame({"label": label, "prediction": 0.7 * label + random.uniform(0, 3, 97)})


def test_all_figures_are_those_of_the_library(rows: pd.DataFrame) -> None:
    label, prediction = rows["label"], rows["prediction"]
    expected = {
        "rows": 97,
        "mean_label": np.mean(label),
        "mean_prediction": np.mean(prediction),
        "mae": mean_absolute_error(label, prediction),
        "rmse": root_mean_squared_error(label, prediction),
        "absolute_bias": abs(np.mean(label) - np.mean(prediction)),
        "r2": r2_score(label, prediction),
    }
    assert list(expected) == list(KIND.metrics)
    assert KIND.measure(label, prediction) == pytest.approx(expected)


def test_rows_are_compared_in_their_order_and_not_by_their_index(rows: pd.DataFrame) -> None:
    label, prediction = rows["label"], rows["prediction"]
    assert KIND.measure(label, prediction.set_axis(rows.index[::-1])) == KIND.measure(label, prediction)


def test_of_labels_that_do_not_differ_all_but_the_part_that_is_explained_is_known() -> None:
    figures = KIND.measure(pd.Series([3.0, 3.0]), pd.Series([2.0, 5.0]))
    assert (figures["mae"], figures["absolute_bias"], isnan(figures["r2"])) == (1.5, 0.5, True)


def test_an_answer_is_finite_and_not_below_the_least() -> None:
    values = np.array([0.0, 250.0, -0.1, np.inf, np.nan])
    assert KIND.is_answer(values).tolist() == [True, True, False, False, False]


def test_less_error_is_better() -> None:
    assert KIND.is_better == -1
