"""Pictures of a trained model, from predictions of rows that the predicting model had not seen."""

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from sklearn.base import BaseEstimator
from sklearn.calibration import CalibrationDisplay
from sklearn.inspection import permutation_importance
from sklearn.metrics import RocCurveDisplay

_IMPORTANCE_ROWS = 3000
_SHOWN = 20


def plot_roc(label: pd.Series, prediction: np.ndarray) -> Figure:
    """The ROC curve beside chance."""
    figure, axes = _new_figure()
    RocCurveDisplay.from_predictions(label, prediction, ax=axes, plot_chance_level=True, name="out of fold")
    axes.set_title("ROC, out of fold")
    return figure


def plot_calibration(label: pd.Series, prediction: np.ndarray) -> Figure:
    """Share of late flights by predicted probability, in ten bins of equal count."""
    figure, axes = _new_figure()
    CalibrationDisplay.from_predictions(label, prediction, n_bins=10, strategy="quantile", ax=axes, name="out of fold")
    axes.set_title("Calibration, out of fold")
    return figure


def importances(model: BaseEstimator, rows: pd.DataFrame, label: pd.Series, seed: int) -> pd.Series:
    """Permutation importance by input, greatest first: the loss of ROC AUC when its values are shuffled.

    Measured on a sample of the training rows: it says what the model uses, not how well it does.
    """
    sample = rows.sample(min(len(rows), _IMPORTANCE_ROWS), random_state=seed)
    encoder, trees = model.classifier_[:-1], model.classifier_[-1]
    encoded = encoder.transform(sample)  # once, not for each shuffled column
    found = permutation_importance(
        trees, encoded, label[sample.index], scoring="roc_auc", n_repeats=2, random_state=seed
    )
    return pd.Series(found.importances_mean, index=encoded.columns).sort_values(ascending=False)


def plot_importance(importance: pd.Series) -> Figure:
    """Bars of the inputs that matter most."""
    figure, axes = _new_figure()
    shown = importance.head(_SHOWN).iloc[::-1]
    axes.barh(shown.index, shown.to_numpy())
    axes.set_title("Loss of ROC AUC when an input is shuffled")
    return figure


def _new_figure() -> tuple[Figure, mpl.axes.Axes]:
    figure = Figure(figsize=(7, 6), layout="constrained")
    return figure, figure.add_subplot()
