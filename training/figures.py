"""Pictures of a trained model, and what it uses."""

from typing import Any

import matplotlib as mpl
import pandas as pd
from matplotlib.figure import Figure
from sklearn.inspection import permutation_importance

from project.kinds.label import Curve, Label

_IMPORTANCE_ROWS = 3000
_SHOWN = 20


def plot_curve(curve: Curve) -> Figure:
    """The line of a curve, and dotted the one that it is compared with."""
    figure, axes = _new_figure()
    if curve.ideal:
        axes.plot(*zip(*curve.ideal, strict=True), ":", color="black")
    axes.plot(curve.x, curve.y)
    axes.set(title=f"{curve.title}, out of fold", xlabel=curve.x_label, ylabel=curve.y_label)
    return figure


def importances(model: Any, rows: pd.DataFrame, label: pd.Series, kind: Label, seed: int) -> pd.Series:
    """Permutation importance by input, greatest first: the loss of the label's `quality` when its values are shuffled.

    Measured on a sample of the training rows: it says what the model uses, not how well it does.
    """

    def quality(model: Any, rows: pd.DataFrame, label: pd.Series) -> float:
        measured = kind.quality_of(label.to_numpy(float), model.predict(rows))
        return float("nan") if measured is None else kind.is_better * measured.value

    # Shuffled once: which rows are in the sample matters more than how they are shuffled.
    sample = rows.sample(min(len(rows), _IMPORTANCE_ROWS), random_state=seed)
    found = permutation_importance(model, sample, label[sample.index], scoring=quality, n_repeats=1, random_state=seed)
    return pd.Series(found.importances_mean, index=sample.columns).sort_values(ascending=False)


def plot_importance(importance: pd.Series, quality: str) -> Figure:
    """Bars of the inputs that matter most.

    Args:
        importance: as `importances` gives it.
        quality: the title of what it is the loss of.
    """
    figure, axes = _new_figure()
    shown = importance.head(_SHOWN).iloc[::-1]
    axes.barh(shown.index, shown.to_numpy())
    axes.set_title(f"{quality}: how much worse when an input is shuffled")
    return figure


def _new_figure() -> tuple[Figure, mpl.axes.Axes]:
    figure = Figure(figsize=(7, 6), layout="constrained")
    return figure, figure.add_subplot()
