"""The model: gradient-boosted trees, whose answer is a probability.

This module goes with each logged model (`code_paths`), so it imports nothing of this project.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.model_selection import GroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OrdinalEncoder

REQUIREMENTS = ("scikit-learn", "pandas", "numpy")
FOLDS = 3


class Probability(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A classifier whose `predict` is the probability of the class 1."""

    def __init__(self, classifier: BaseEstimator) -> None:
        """Wraps a classifier that has `predict_proba`."""
        self.classifier = classifier

    def fit(self, rows: pd.DataFrame, label: pd.Series, groups: pd.Series | None = None) -> Self:
        """Fits the classifier on all rows.

        Args:
            rows: the inputs.
            label: 0.0 or 1.0.
            groups: rows of one group, such as a week, are never on both sides of a fold; without it, there is no
                `out_of_fold_`: predictions for rows that the predicting classifier has not seen.
        """
        if groups is not None:
            folds, how = GroupKFold(FOLDS), "predict_proba"
            unseen = cross_val_predict(self.classifier, rows, label, groups=groups, cv=folds, method=how)
            self.out_of_fold_ = unseen[:, 1]
        self.classifier_ = clone(self.classifier).fit(rows, label)
        self.classes_ = self.classifier_.classes_
        return self

    def predict(self, rows: pd.DataFrame) -> np.ndarray:
        """The probability of 1, one a row."""
        return np.asarray(self.classifier_.predict_proba(rows)[:, 1])


def make_model(categorical: Sequence[str], parameters: Mapping[str, Any], seed: int) -> Probability:
    """What is trained and registered. An unseen category counts as missing.

    Args:
        categorical: columns of strings; all others are numbers, NaN where unknown.
        parameters: hyperparameters of HistGradientBoostingClassifier.
        seed: seed of its random choices.
    """
    # None and NaN are one category.
    filled = FunctionTransformer(pd.DataFrame.fillna, kw_args={"value": "unknown"})
    encoder = make_pipeline(filled, OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=np.nan))
    columns = make_column_transformer((encoder, list(categorical)), remainder="passthrough")
    trees = HistGradientBoostingClassifier(
        categorical_features=list(range(len(categorical))), early_stopping=False, random_state=seed, **parameters
    )
    return Probability(make_pipeline(columns, trees))


def make_candidate(categorical: Sequence[str], parameters: Mapping[str, Any], seed: int) -> Probability:
    """What a search fits, without groups, and judges: the same."""
    return make_model(categorical, parameters, seed)
