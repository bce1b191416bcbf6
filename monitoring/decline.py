"""Whether predictions are worse than they were in validation, by days.

Some days are easier to predict than others (those of storms are easier to rank than calm ones), so the quality of a day
is compared with the one that its predictions promise, and with what else made the day easy, where the kind of the label
knows that: what is left is the model's own. How far that strays from day to day in validation says how far it may fall.
"""

from collections.abc import Mapping
from dataclasses import astuple, dataclass, fields
from datetime import datetime

import numpy as np
import pandas as pd
from scipy.stats import t as student

from project.config import Decline as Settings
from project.kinds.label import Label, Quality

_LEAST_DAYS = 14
# So much of what `Quality.ease` explains from day to day is taken off. Not all: where what is predicted gets harder for
# good, days are hard too, and that is a decline.
_EXPLAINED = 0.7
# A day that is so many standard deviations worse than a usual one is a bad day. Where no more than this share of the
# days are bad they do not count, and no other day counts for more than so many standard deviations (Huber, 1964,
# "Robust Estimation of a Location Parameter").
_BAD_DAY, _BAD_SHARE, _MOST = 3.0, 0.2, 1.5


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


def qualities(
    rows: pd.DataFrame, day: pd.Series, label: Label, prediction: str, moment: str, least_rows: int
) -> pd.DataFrame:
    """The figures of `Quality`, of each day whose labels are enough to tell.

    Args:
        rows: the label, the prediction and the moment.
        day: the start of each row's day.
        label: says what quality is.
        prediction: the column.
        moment: the column that says when the prediction was asked.
        least_rows: labels that a day needs.
    """
    known = rows[label.column].notna()
    of_days = {
        start: label.quality_of(
            group[label.column].to_numpy(float),
            group[prediction].to_numpy(float),
            group[moment].to_numpy("datetime64[us]"),
        )
        for start, group in rows[known].groupby(day[known])
        if len(group) >= least_rows
    }
    return as_frame({start: quality for start, quality in of_days.items() if quality is not None})


def as_frame(of_days: Mapping[datetime, Quality]) -> pd.DataFrame:
    """`value`, `promised` and `ease` by day, in the order of the days."""
    rows = {day: astuple(quality) for day, quality in of_days.items()}
    names = [field.name for field in fields(Quality)]
    return pd.DataFrame.from_dict(rows, orient="index", columns=names).sort_index()


def decline(
    validation: pd.DataFrame, recent: pd.DataFrame, rate: float, settings: Settings, label: Label
) -> Decline | None:
    """How far the last days fall behind validation.

    What `ease` explains of the days' quality is taken off by a straight line, as an analysis of covariance does. The
    bound is that of the difference of two means whose days have the same spread (Student's t). A bad day or two are
    none of the model's fault.

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
    days, freedom = len(validation), len(validation) - 2
    if days < _LEAST_DAYS or len(last) < settings.days:
        return None
    slope = _EXPLAINED * _slope(validation, label)
    before, after = (_gaps(of, label) - slope * of["ease"].to_numpy(float) for of in (validation, last))
    before, after = before - before.mean(), after - before.mean()
    spread = np.sqrt((before**2).sum() / freedom)
    usual, is_bad = before.clip(-_MOST * spread, _MOST * spread), after < -_BAD_DAY * spread
    counted = after
    if is_bad.mean() <= _BAD_SHARE:
        counted = np.where(is_bad, usual.mean(), after.clip(-_MOST * spread, _MOST * spread))
    error = np.sqrt(((usual - usual.mean()) ** 2).sum() / freedom * (1 / days + 1 / settings.days))
    bound = float(student.ppf(1 - rate, freedom) * error)
    fallen = float(usual.mean() - counted.mean())
    value, title = float(last["value"].mean()), label.measure_of(label.quality, "").title
    expected = value - label.is_better * float(after.mean())
    return Decline(title, value, expected, bound, label.is_better, settings.days, max(fallen, 0.0) / bound)


def _gaps(days: pd.DataFrame, label: Label) -> np.ndarray:
    """How much better each day was than promised."""
    return np.asarray(label.is_better * (days["value"] - days["promised"]))


def _slope(days: pd.DataFrame, label: Label) -> float:
    """How much better an easy day is, by least squares; 0 where no day was easier than another."""
    ease = days["ease"].to_numpy(float) - days["ease"].mean()
    squares = float(ease @ ease)
    return float(ease @ _gaps(days, label)) / squares if squares else 0.0


def by_slice(rows: pd.DataFrame, slices: tuple[str, ...]) -> Mapping[tuple[str, str], pd.DataFrame]:
    """The rows of each value of each slice's column."""
    return {(key, str(value)): own for key in slices if key in rows for value, own in rows.groupby(key)}
