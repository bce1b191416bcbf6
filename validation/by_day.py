"""Figures of predictions when each day counts a number of times: what a bootstrap by day draws, without its rows.

Flights of a day share its weather and its jams, so rows are not drawn one by one. Each figure is made of sums by day;
a draw of days is a row of counts, and many draws are one product of matrices.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from project.metrics import calibration_bins

type Figure = Callable[[np.ndarray], np.ndarray]
"""Counts (draws x days) to a figure a draw."""

_EDGE = 1e-15


@dataclass(frozen=True)
class Scored:
    """Predictions beside what happened.

    Attributes:
        label: 0.0 or 1.0.
        prediction: probability of 1.
        day: the row's day, as a number from 0.
        days: how many days there are.
    """

    label: np.ndarray
    prediction: np.ndarray
    day: np.ndarray
    days: int

    def sums(self, values: np.ndarray) -> np.ndarray:
        """The sum of a number of each row, by day."""
        return np.bincount(self.day, values, self.days)


def brier(scored: Scored) -> Figure:
    """Mean squared error."""
    return _mean(scored, (scored.prediction - scored.label) ** 2)


def log_loss(scored: Scored) -> Figure:
    """Mean negative log likelihood, nats."""
    given = np.clip(np.where(scored.label == 1, scored.prediction, 1 - scored.prediction), _EDGE, 1)
    return _mean(scored, -np.log(given))


def roc_auc(scored: Scored) -> Figure:
    """Share of pairs (a 1, a 0) that are in order, ties by half, from the pairs between each two days."""
    positive, day = scored.label == 1, scored.day
    ranked, ranked_day = scored.prediction[positive], day[positive]
    wins = np.empty((scored.days, scored.days))
    for other in range(scored.days):
        lower = np.sort(scored.prediction[~positive & (day == other)])
        above = (np.searchsorted(lower, ranked, "left") + np.searchsorted(lower, ranked, "right")) / 2
        wins[:, other] = np.bincount(ranked_day, above, scored.days)
    ones, zeros = scored.sums(scored.label), scored.sums(1 - scored.label)
    return lambda counts: _ratio(((counts @ wins) * counts).sum(axis=-1), (counts @ ones) * (counts @ zeros))


def pr_auc(scored: Scored) -> Figure:
    """Average precision: the mean of the precision at each 1, where equal predictions come at once."""
    order = np.argsort(-scored.prediction, kind="stable")
    label, day, prediction = scored.label[order], scored.day[order], scored.prediction[order]
    last = np.flatnonzero(np.append(np.diff(prediction) != 0, True))

    def figure(counts: np.ndarray) -> np.ndarray:
        weights = counts[:, day]
        found = np.cumsum(weights * label, axis=1)[:, last]
        seen = np.cumsum(weights, axis=1)[:, last]
        gained = np.diff(found, axis=1, prepend=0)
        precision = np.divide(found, seen, out=np.zeros_like(found), where=seen > 0)
        return _ratio((precision * gained).sum(axis=1), found[:, -1])

    return figure


def calibration_error(scored: Scored) -> Figure:
    """As in `project.metrics`, in the bins of all rows."""
    bins = calibration_bins(scored.prediction)
    gaps = np.column_stack([scored.sums((scored.label - scored.prediction) * (bins == one)) for one in np.unique(bins)])
    rows = scored.sums(np.ones_like(scored.label))
    return lambda counts: _ratio(np.abs(counts @ gaps).sum(axis=-1), counts @ rows)


FIGURES: Mapping[str, Callable[[Scored], Figure]] = {
    "roc_auc": roc_auc,
    "pr_auc": pr_auc,
    "brier": brier,
    "log_loss": log_loss,
    "calibration_error": calibration_error,
}


def _mean(scored: Scored, values: np.ndarray) -> Figure:
    sums, rows = scored.sums(values), scored.sums(np.ones_like(values))
    return lambda counts: _ratio(counts @ sums, counts @ rows)


def _ratio(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    return np.asarray(np.divide(above, below, out=np.full(np.shape(above), np.nan), where=below > 0))
