"""Whether predictions are worse than they were in validation, by days.

Some days are easier to predict than others (those of storms are easier to rank than calm ones), so the quality of a day
is compared with the one that its predictions promise, where the kind of the label knows that: what is left is the
model's own. How far that strays from week to week in validation says how far it may fall.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pandas as pd
from scipy.stats import t as student

from project.config import Decline as Settings
from project.kinds.label import Label, Quality

_WEEK_DAYS = 7
_LEAST_WEEKS = 2
# A day that is so many standard deviations worse than a usual one is a bad day.
_BAD_DAY = 2.0


@dataclass(frozen=True)
class Decline:
    """How much worse the last days are than was to be expected.

    Attributes:
        title: of the figure, as a person reads it.
        value: its mean of these days.
        expected: what it was to be.
        bound: how far it may fall behind that.
        is_better: 1 where a greater figure is better, -1 where a smaller one is.
        days: of how many days it is.
        ratio: how far it has fallen behind, in bounds: above 1 it is unusual.
    """

    title: str
    value: float
    expected: float
    bound: float
    is_better: int
    days: int
    ratio: float

    @property
    def sentence(self) -> str:
        """The decline in words."""
        return (
            f"{self.title} of the last {self.days} days is {self.value:.3f} where {self.expected:.3f} was expected "
            f"(at most {self.bound:.3f} {'less' if self.is_better > 0 else 'more'})"
        )


def qualities(rows: pd.DataFrame, day: pd.Series, label: Label, prediction: str, least_rows: int) -> pd.DataFrame:
    """The `value` of the label's quality and what was `promised`, of each day whose labels are enough to tell."""
    known, column = rows[label.column].notna(), label.column
    of_days = {
        start: label.quality_of(group[column].to_numpy(float), group[prediction].to_numpy(float))
        for start, group in rows[known].groupby(day[known])
        if len(group) >= least_rows
    }
    return as_frame({start: quality for start, quality in of_days.items() if quality is not None})


def as_frame(of_days: Mapping[datetime, Quality]) -> pd.DataFrame:
    """`value` and `promised` by day, in the order of the days."""
    rows = {day: (quality.value, quality.promised) for day, quality in of_days.items()}
    return pd.DataFrame.from_dict(rows, orient="index", columns=["value", "promised"]).sort_index()


def decline(
    validation: pd.DataFrame, recent: pd.DataFrame, rate: float, settings: Settings, label: Label
) -> Decline | None:
    """How far the last days fall behind validation.

    The worst day is left out where hardly any of the baseline was as bad: one bad day is none of the model's fault.

    Args:
        validation: the `qualities` of the baseline's days.
        recent: those of the days to judge, the newest last.
        rate: how often a model that is as it was may be taken for worse, as a share.
        settings: how many days are judged.
        label: says which way is better.

    Returns:
        None where there are too few days of either to tell.
    """
    last = recent.tail(settings.days)
    gaps = _gaps(validation, label)
    weeks = len(gaps) // _WEEK_DAYS
    if weeks < _LEAST_WEEKS or len(last) < settings.days:
        return None
    means = gaps[-weeks * _WEEK_DAYS :].reshape(weeks, _WEEK_DAYS).mean(axis=1)
    spread = means.std(ddof=1) * np.sqrt(_WEEK_DAYS / settings.days) * np.sqrt(1 + 1 / weeks)
    bound = float(student.ppf(1 - rate, weeks - 1) * spread)
    kept = np.sort(_gaps(last, label))
    is_one_bad_day = kept[0] < gaps.mean() - _BAD_DAY * gaps.std()
    fallen = float(means.mean() - kept[int(is_one_bad_day) :].mean())
    value, title = float(last["value"].mean()), label.measure_of(label.quality, "").title
    expected = value + label.is_better * fallen
    return Decline(title, value, expected, bound, label.is_better, settings.days, max(fallen, 0.0) / bound)


def _gaps(days: pd.DataFrame, label: Label) -> np.ndarray:
    """How much better each day was than promised."""
    return np.asarray(label.is_better * (days["value"] - days["promised"]))


def by_slice(rows: pd.DataFrame, slices: tuple[str, ...]) -> Mapping[tuple[str, str], pd.DataFrame]:
    """The rows of each value of each slice's column."""
    return {(key, str(value)): own for key in slices if key in rows for value, own in rows.groupby(key)}
