"""What a model uses, and the pictures of it, for both kinds of label."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator
from sklearn.metrics import mean_absolute_error, roc_auc_score

from tests.unit.kinds import KINDS, make_config
from training.figures import importances, plot_curve, plot_importance

# How good predictions are, by a library; more is better.
QUALITY: dict[str, Callable[..., float]] = {
    "binary": roc_auc_score,
    "regression": lambda label, prediction: -mean_absolute_error(label, prediction),
}


class Sum(BaseEstimator):
    """Predicts from one number, and a little from one category; minds no other input."""

    def fit(self, rows, label):
        return self

    def predict(self, rows):
        return 0.8 * rows["much"].to_numpy() + 0.1 * rows["little"].eq("b").to_numpy()


@pytest.fixture
def rows() -> pd.DataFrame:
    random = np.random.default_rng(1)
    inputs = {"little": random.choice(["a", "b"], 900), "nothing": random.uniform(size=900)}
    return pd.DataFrame(inputs | {"much": random.uniform(size=900)})


def happened(kind: str, rows: pd.DataFrame) -> pd.Series:
    chance = Sum().predict(rows)
    random = np.random.default_rng(2).uniform(size=len(rows))
    return pd.Series((random < chance).astype(float) if kind == "binary" else chance + 0.1 * random)


@pytest.mark.parametrize("kind", KINDS)
def test_an_input_matters_as_much_as_its_shuffling_costs(rows: pd.DataFrame, kind: str) -> None:
    label, model, quality = happened(kind, rows), Sum(), QUALITY[kind]
    found = importances(model, rows, label, make_config(kind).label, seed=3)
    assert list(found.index) == ["much", "little", "nothing"]
    assert found["nothing"] == 0
    random = np.random.default_rng(5)
    costs = [
        quality(label, model.predict(rows)) - quality(label, model.predict(rows.assign(much=random.permutation(much))))
        for much in [rows["much"]] * 20
    ]
    assert found["much"] == pytest.approx(np.mean(costs), rel=0.1)


@pytest.mark.parametrize("kind", KINDS)
def test_each_curve_is_drawn_beside_what_it_is_compared_with(rows: pd.DataFrame, kind: str) -> None:
    label = happened(kind, rows)
    curves = make_config(kind).label.curves(label, Sum().predict(rows))
    assert len(curves) == 2
    for curve in curves:
        (axes,) = plot_curve(curve).axes
        ideal, line = axes.lines
        assert [tuple(point) for point in ideal.get_xydata()] == list(curve.ideal)
        assert np.array_equal(line.get_xydata(), np.column_stack([curve.x, curve.y]))
        assert axes.get_title() == f"{curve.title}, out of fold"


def test_the_most_important_inputs_are_shown_greatest_on_top() -> None:
    importance = pd.Series(np.linspace(1, 0, 30), index=[f"input {place}" for place in range(30)])
    (axes,) = plot_importance(importance, "ROC AUC").axes
    shown = [label.get_text() for label in axes.get_yticklabels()]
    assert (len(shown), shown[-1], shown[0]) == (20, "input 0", "input 19")
