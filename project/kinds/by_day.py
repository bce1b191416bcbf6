"""Figures of predictions when each day counts a number of times: what a bootstrap by day draws, without its rows.

Rows of a day share what happened on it, so they are not drawn one by one. Each figure is made of sums by day; a draw of
days is a row of counts, and many draws are one product of matrices.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

type Figure = Callable[[np.ndarray], np.ndarray]
"""Counts (draws x days) to a figure a draw."""


@dataclass(frozen=True)
class Scored:
    """Predictions beside what happened.

    Attributes:
        label: what happened, no nulls.
        prediction: what was predicted.
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

    def mean(self, values: np.ndarray) -> Figure:
        """The mean of a number of each row."""
        sums, rows = self.sums(values), self.sums(np.ones_like(values))
        return lambda counts: ratio(counts @ sums, counts @ rows)


def ratio(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    """NaN where the divisor is not above 0."""
    return np.asarray(np.divide(above, below, out=np.full(np.shape(above), np.nan), where=below > 0))
