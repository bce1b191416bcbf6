"""The model: gradient-boosted trees that predict ln(1 + pieces).

It goes with each logged model, so it imports nothing of this project.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, RegressorMixin, clone
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.model_selection import GroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OrdinalEncoder

REQUIREMENTS = ("scikit-learn", "pandas", "numpy")
FOLDS = 3
LEAST = 0.0


class Sales(RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """A regressor whose predictions are never below nothing sold."""

    def __init__(self, regressor: BaseEstimator) -> None:
        """Wraps a regressor."""
        self.regressor = regressor

    def fit(self, rows: pd.DataFrame, label: pd.Series, groups: pd.Series | None = None) -> Self:
        """Fits the regressor on all rows.

        Args:
            rows: the inputs.
            label: ln(1 + pieces).
            groups: rows of one group, such as a week, are never on both sides of a fold; without it, there is no
                `out_of_fold_`: predictions for rows that the predicting regressor has not seen.
        """
        if groups is not None:
            unseen = cross_val_predict(self.regressor, rows, label, groups=groups, cv=GroupKFold(FOLDS))
            self.out_of_fold_ = np.maximum(unseen, LEAST)
        self.regressor_ = clone(self.regressor).fit(rows, label)
        return self

    def predict(self, rows: pd.DataFrame) -> np.ndarray:
        """ln(1 + pieces), one a row."""
        return np.asarray(np.maximum(self.regressor_.predict(rows), LEAST))


def make_model(categorical: Sequence[str], parameters: Mapping[str, Any], seed: int) -> Sales:
    """What is trained and registered. An unseen or missing category counts as missing.

    Args:
        categorical: columns of strings; all others are numbers, NaN where unknown.
        parameters: hyperparameters of HistGradientBoostingRegressor.
        seed: seed of its random choices.
    """
    encoder = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=np.nan)
    columns = make_column_transformer(
        (encoder, list(categorical)), remainder="passthrough", verbose_feature_names_out=False
    )
    trees = HistGradientBoostingRegressor(
        categorical_features=list(categorical), early_stopping=False, random_state=seed, **parameters
    )
    return Sales(make_pipeline(columns.set_output(transform="pandas"), trees))


def make_candidate(categorical: Sequence[str], parameters: Mapping[str, Any], seed: int) -> Sales:
    """What a search fits, without groups, and judges: the same."""
    return make_model(categorical, parameters, seed)
