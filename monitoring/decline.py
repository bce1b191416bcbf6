"""Whether predictions rank worse than they did in validation, by days.

A day of storms is easier to rank than a calm one, so a day's ROC AUC is compared with the one that its predictions
would have if each probability were true: what is left is the model's own. How far that strays from week to week in
validation says how far it may fall.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import rankdata
from scipy.stats import t as student

from project.config import Decline as Settings

_WEEK_DAYS = 7
_LEAST_WEEKS = 2
# A day that is so many standard deviations worse than a usual one is a bad day.
_BAD_DAY = 2.0


@dataclass(frozen=True)
class Decline:
    """How far the last days rank worse than was to be expected.

    Attributes:
        roc_auc: their mean ROC AUC.
        expected: what it was to be.
        bound: how far it may fall.
        days: of how many days it is.
        ratio: how far it has fallen, in bounds: above 1 it is unusual.
    """

    roc_auc: float
    expected: float
    bound: float
    days: int
    ratio: float

    @property
    def sentence(self) -> str:
        """The decline in words."""
        return (
            f"ROC AUC of the last {self.days} days is {self.roc_auc:.3f} where {self.expected:.3f} was expected "
            f"(at most {self.bound:.3f} less)"
        )


def ranks(rows: pd.DataFrame, day: pd.Series, label: str, prediction: str, least_rows: int) -> pd.DataFrame:
    """Of each day with enough labels of both kinds: `roc_auc`, and the `expected_roc_auc` of true probabilities."""
    found = {}
    known = rows[label].notna()
    for start, group in rows[known].groupby(day[known]):
        positive = group[label].to_numpy(float)
        if len(group) >= least_rows and 0 < positive.sum() < len(group):
            score = group[prediction].to_numpy(float)
            found[start] = _roc_auc(score, positive), expected_roc_auc(score)
    return pd.DataFrame.from_dict(found, orient="index", columns=["roc_auc", "expected_roc_auc"])


def decline(validation: pd.DataFrame, recent: pd.DataFrame, rate: float, settings: Settings) -> Decline | None:
    """How far the last days fall behind validation.

    The worst day is left out where hardly any of the baseline was as bad: one bad day is none of the model's fault.

    Args:
        validation: the `ranks` of the baseline's days.
        recent: those of the days to judge, the newest last.
        rate: how often a model that is as it was may be taken for worse, as a share.
        settings: how many days are judged.

    Returns:
        None where there are too few days of either to tell.
    """
    last = recent.tail(settings.days)
    gaps = (validation["roc_auc"] - validation["expected_roc_auc"]).to_numpy()
    weeks = len(gaps) // _WEEK_DAYS
    if weeks < _LEAST_WEEKS or len(last) < settings.days:
        return None
    means = gaps[-weeks * _WEEK_DAYS :].reshape(weeks, _WEEK_DAYS).mean(axis=1)
    spread = means.std(ddof=1) * np.sqrt(_WEEK_DAYS / settings.days) * np.sqrt(1 + 1 / weeks)
    bound = float(student.ppf(1 - rate, weeks - 1) * spread)
    kept = np.sort((last["roc_auc"] - last["expected_roc_auc"]).to_numpy())
    is_one_bad_day = kept[0] < gaps.mean() - _BAD_DAY * gaps.std()
    fallen = float(means.mean() - kept[int(is_one_bad_day) :].mean())
    roc_auc = float(last["roc_auc"].mean())
    return Decline(roc_auc, roc_auc + fallen, bound, settings.days, max(fallen, 0.0) / bound)


def expected_roc_auc(score: np.ndarray) -> float:
    """The ROC AUC of probabilities that are true: the pairs in order, each weighed by how probable it is."""
    ordered = np.sort(score)
    below = np.cumsum(1 - ordered) - (1 - ordered)
    in_order = (ordered * below).sum()
    return float(in_order / (ordered.sum() * (1 - ordered).sum() - (ordered * (1 - ordered)).sum()))


def _roc_auc(score: np.ndarray, positive: np.ndarray) -> float:
    of_positives, count = positive.sum(), len(positive)
    return float(
        (rankdata(score) @ positive - of_positives * (of_positives + 1) / 2) / (of_positives * (count - of_positives))
    )


def by_slice(rows: pd.DataFrame, slices: tuple[str, ...]) -> Mapping[tuple[str, str], pd.DataFrame]:
    """The rows of each value of each slice's column."""
    return {(key, str(value)): own for key in slices if key in rows for value, own in rows.groupby(key)}
