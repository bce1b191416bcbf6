"""The model: gradient-boosted trees with real categoricals, and a calibrated probability as its prediction.

Training asks this module for three things, whatever the use case is:

- `make_model(categorical, parameters, seed)`: an estimator with `fit(rows, label, groups)`, which returns it,
  `predict(rows)`, an array of one number a row (what scores batches and serves requests calls it), and once it is
  fitted `out_of_fold_`: predictions of the rows it was fitted on, each by a model that has not seen the row's group.
- `make_candidate(categorical, parameters, seed)`: what a search fits and judges in its place, with `fit(rows, label)`
  and `predict(rows)`. It may be cheaper.
- `REQUIREMENTS`: the packages that a logged model needs, beside MLflow.

Its code goes with each logged model, so it imports nothing of this project.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, cross_val_predict
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OrdinalEncoder

REQUIREMENTS = ("scikit-learn", "pandas", "numpy")
FOLDS = 3


def make_model(categorical: Sequence[str], parameters: Mapping[str, Any], seed: int) -> "CalibratedProbability":
    """The model that is logged.

    Args:
        categorical: columns of strings; all others are numbers, NaN where unknown.
        parameters: the hyperparameters, `training.model` of the configuration.
        seed: seed of its random choices.
    """
    return CalibratedProbability(make_classifier(categorical, parameters, seed))


def make_candidate(categorical: Sequence[str], parameters: Mapping[str, Any], seed: int) -> "TreesAlone":
    """The trees without the calibration, which takes three more fits."""
    return TreesAlone(make_classifier(categorical, parameters, seed))


def make_classifier(categorical: Sequence[str], parameters: Mapping[str, Any], seed: int) -> Pipeline:
    """Trees that take categories as categories; an unseen or missing one counts as missing.

    Args:
        categorical: columns of strings; all others are numbers, NaN where unknown.
        parameters: hyperparameters of HistGradientBoostingClassifier.
        seed: seed of its random choices.
    """
    encoder = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=np.nan)
    columns = make_column_transformer(
        (encoder, list(categorical)), remainder="passthrough", verbose_feature_names_out=False
    )
    trees = HistGradientBoostingClassifier(
        categorical_features=list(categorical), early_stopping=False, random_state=seed, **parameters
    )
    return make_pipeline(columns.set_output(transform="pandas"), trees)


class CalibratedProbability(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A classifier whose `predict` is the calibrated probability of the class 1.

    The calibration is Platt's (1999): a logistic regression on the log-odds of predictions for rows that the predicting
    classifier has not seen, by cross-validation over groups. What scores batches and serves requests calls `predict`,
    and gets a probability there.
    """

    def __init__(self, classifier: BaseEstimator) -> None:
        """Wraps a classifier that has `predict_proba`."""
        self.classifier = classifier

    def fit(self, rows: pd.DataFrame, label: pd.Series, groups: pd.Series) -> Self:
        """Fits the calibration on folds of whole groups, and the classifier on all rows.

        Args:
            rows: the inputs.
            label: 0.0 or 1.0.
            groups: rows of one group, such as a week, are never on both sides of a fold.
        """
        folds = GroupKFold(FOLDS)
        unseen = cross_val_predict(self.classifier, rows, label, groups=groups, cv=folds, method="predict_proba")[:, 1]
        self.calibration_ = LogisticRegression(C=np.inf).fit(_log_odds(unseen), label)
        self.out_of_fold_ = self.calibration_.predict_proba(_log_odds(unseen))[:, 1]
        self.classifier_ = clone(self.classifier).fit(rows, label)
        self.classes_ = self.classifier_.classes_
        return self

    def predict_proba(self, rows: pd.DataFrame) -> np.ndarray:
        """Calibrated probabilities of 0 and 1, one row an input row."""
        return np.asarray(self.calibration_.predict_proba(_log_odds(self.classifier_.predict_proba(rows)[:, 1])))

    def predict(self, rows: pd.DataFrame) -> np.ndarray:
        """The calibrated probability of 1, one a row."""
        return np.asarray(self.predict_proba(rows)[:, 1])


class TreesAlone(BaseEstimator):  # type: ignore[misc]
    """A classifier whose `predict` is the probability of the class 1, as it says it."""

    def __init__(self, classifier: BaseEstimator) -> None:
        """Wraps a classifier that has `predict_proba`."""
        self.classifier = classifier

    def fit(self, rows: pd.DataFrame, label: pd.Series) -> Self:
        """Fits the classifier."""
        self.classifier_ = clone(self.classifier).fit(rows, label)
        return self

    def predict(self, rows: pd.DataFrame) -> np.ndarray:
        """The probability of 1, one a row."""
        return np.asarray(self.classifier_.predict_proba(rows)[:, 1])


def _log_odds(probability: np.ndarray) -> np.ndarray:
    bounded = np.clip(probability, 1e-6, 1 - 1e-6)
    return np.asarray(np.log(bounded / (1 - bounded))).reshape(-1, 1)
