"""What a search minimizes is the loss that the label's kind names, on weeks after those that were fitted on."""

from typing import Any, Self

import numpy as np
import optuna
import pandas as pd
import pytest
from sklearn.metrics import log_loss, mean_squared_error

from tests.unit.kinds import KINDS, make_config
from training import objective
from training.frame import make_frame
from training.objective import mean_loss

LOSSES = {"binary": lambda label, p: log_loss(label, p, labels=[0, 1]), "regression": mean_squared_error}
SPLITS = [(np.arange(4), np.arange(4, 6)), (np.arange(6), np.arange(6, 9))]


class MeanTimes:
    """Predicts the mean of what it is fitted on, less as much as it is told."""

    def __init__(self, categorical: Any, parameters: dict[str, Any], seed: int) -> None:
        self.shrink = parameters["learning_rate"]
        self.fixed = parameters["max_iter"]

    def fit(self, rows: pd.DataFrame, label: pd.Series) -> Self:
        self.mean = label.mean() * (1 - self.shrink)
        return self

    def predict(self, rows: pd.DataFrame) -> np.ndarray:
        return np.full(len(rows), self.mean) + self.fixed


@pytest.mark.parametrize("kind", KINDS)
def test_a_trial_is_worth_its_mean_loss_over_the_folds(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    content = make_config(kind).model_dump()
    content["training"]["model"] = {"learning_rate": 0.1, "max_iter": 0}
    content["training"]["search"]["space"] = {"learning_rate": {"low": 0.0, "high": 0.5}}
    config = type(make_config(kind)).model_validate(content)
    monkeypatch.setattr(objective, "make_candidate", MeanTimes)
    label = [0.0, 1.0, 1.0, 0.0, 1.0, 1.0, 0.0, 1.0, 0.0]
    loaded = pd.DataFrame({"x": np.arange(9.0), "label": label, "week": np.arange(9.0)})
    frame = make_frame(loaded, "label", "week")
    trial = optuna.trial.FixedTrial({"learning_rate": 0.2})
    expected = []
    for fit, judge in SPLITS:
        predicted = np.full(len(judge), 0.8 * frame.label.iloc[fit].mean())
        expected.append(LOSSES[kind](frame.label.iloc[judge], predicted))
    assert mean_loss(trial, frame, SPLITS, config) == pytest.approx(np.mean(expected))
