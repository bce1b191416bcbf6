"""How far a week of scored rows lies from what the baseline's weeks say a week looks like.

A week is compared with weeks, so that each has every weekday. A column's level is compared with what the other columns
of the same week say it should be: holidays and seasons move many columns together, and what follows from the
others is no fault of its own (regression adjustment: Hawkins, Multivariate quality control based on regression-adjusted
variables, Technometrics 33, 1991). Each bound comes from how far the baseline's own weeks lie from what its other weeks
say, so a steady column has a narrow one, and a short baseline gives wide ones.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from math import exp
from types import MappingProxyType
from typing import Self
from warnings import catch_warnings

import numpy as np
import pandas as pd
from scipy.stats import t as student

from project.config import Drift

WEEK_DAYS = 7
# A week with fewer days is none.
LEAST_DAYS = 5
LEVEL, LOW, HIGH, SPREAD = "level", "low", "high", "spread"
NULLS, SHARE, UNSEEN, STILL = "nulls", "share", "unseen", "still"
# A column that gives one day again and again is known by so many of them.
_STILL_DAYS, _STILL_COLUMNS = 4, 3
# So much calmer than the calmest days of the baseline, as a share of the logarithm, is stillness.
_CALMER = 1.2
# What the others say of a level is asked where it is so much nearer: it errs more in a season that the baseline lacks.
_STEADIER = 0.7
# The figure of a day, as profiling names it, that each kind is made of.
_STATISTIC: Mapping[str, str] = MappingProxyType({LEVEL: "avg", LOW: "min", HIGH: "max"})
# Kinds whose figure is a logarithm: they move by factors.
_FACTORS = (SHARE, STILL, SPREAD)
# More of these is nothing to tell: what makes a spread larger moves the level, and a week may be lively.
_LESS_ALONE, _MORE_ALONE = (SPREAD, STILL), (UNSEEN,)
# Keeps columns that repeat each other apart, in shares of a column's variance.
_RIDGE = 1e-3
_SOME_NULLS, _MOST_NULLS, _NO_SHARE, _NOTHING = 0.002, 0.9, 1e-4, 1e-6
_NAMES = ["kind", "column", "item"]


@dataclass(frozen=True)
class Days:
    """Figures of days, by the start of the day (UTC).

    Attributes:
        numbers: columns (statistic, column): `avg`, `stddev`, `min`, `max` in the column's unit, `percent_null` (0 to
            100).
        shares: columns (column, text): the share of the day's texts, 0 to 1.
    """

    numbers: pd.DataFrame
    shares: pd.DataFrame

    @classmethod
    def of(cls, rows: pd.DataFrame, day: pd.Series, numeric: Sequence[str], texts: Sequence[str]) -> Self:
        """Measures rows, as a monitor's profile of days does.

        Args:
            rows: the columns, NaN or None where a value is NULL.
            day: the start of each row's day (UTC).
            numeric: the columns of numbers.
            texts: the columns of texts.
        """
        values = rows[[*numeric]].astype(float)
        groups = values.groupby(day)
        measured = {"avg": groups.mean(), "stddev": groups.std(), "min": groups.min(), "max": groups.max()}
        measured["percent_null"] = 100 * values.isna().groupby(day).mean()
        counts = {name: rows.groupby([day, rows[name]]).size().unstack(fill_value=0) for name in texts}
        shares = {name: count.div(count.sum(axis=1), axis=0) for name, count in counts.items()}
        numbers = pd.concat(measured, axis=1)
        return cls(numbers, pd.concat(shares, axis=1) if shares else pd.DataFrame(index=numbers.index))

    @property
    def index(self) -> pd.DatetimeIndex:
        """The start of each day (UTC)."""
        return pd.DatetimeIndex(self.numbers.index)

    def items(self, column: str) -> tuple[str, ...]:
        """The texts of a column."""
        known = self.shares.columns
        return tuple(known.get_level_values(1)[known.get_level_values(0) == column]) if len(known) else ()

    def week_to(self, last_day: pd.Timestamp) -> Self:
        """The seven days up to one; those that have no rows are left out."""
        first = last_day - pd.Timedelta(days=WEEK_DAYS - 1)
        return type(self)(self.numbers.loc[first:last_day], self.shares.loc[first:last_day])


@dataclass(frozen=True)
class Shift:
    """How far one thing about a column lies from what is usual.

    Attributes:
        column: the column.
        kind: what has moved: 'level' (mean), 'low' and 'high' (the least and the greatest values of the days), 'spread'
            (within a day), 'nulls', 'share' (of a category), 'unseen' (categories), 'still' (from day to day).
        item: the category that a share is of; empty where it is about none.
        value: the week's figure: of a level, low, high, spread or still in the column's unit, else a share (0 to 1).
        usual: the figure that was to be expected.
        bound: how far from it the figure may lie; of a share, spread or still, by which factor.
        ratio: how far the figure lies from what was to be expected, in bounds: above 1 it is unusual.
    """

    column: str
    kind: str
    item: str
    value: float
    usual: float
    bound: float
    ratio: float

    @property
    def sentence(self) -> str:
        """The shift in words."""
        of = f"{self.column} '{self.item}'" if self.item else self.column
        value, usual, bound = (f"{number:.4g}" for number in (self.value, self.usual, self.bound))
        return {
            LEVEL: f"the mean of {of} is {value} where {usual} was expected (give or take {bound})",
            LOW: f"the least values of {of} are {value}, usually {usual} (give or take {bound})",
            HIGH: f"the greatest values of {of} are {value}, usually {usual} (give or take {bound})",
            SPREAD: f"{of} varies by {value} within a day, usually by {usual} (up to {bound} times less)",
            NULLS: f"{self.value:.1%} of {of} is NULL, usually {self.usual:.1%} (give or take {self.bound:.1%})",
            SHARE: f"{of} is {self.value:.1%} of the rows, usually {self.usual:.1%} (up to {bound} times more or less)",
            UNSEEN: f"{self.value:.1%} of {of} are categories that the baseline has not (at most {self.bound:.1%})",
            STILL: f"{of} moves by {value} from day to day, usually by {usual} (up to {bound} times less)",
        }[self.kind]

    @property
    def advice(self) -> str:
        """What it may mean, and what to do."""
        return _ADVICE[self.kind]


_ADVICE = {
    LEVEL: "Look whether its source or its unit has changed; the other columns do not explain it.",
    LOW: "Look whether its source or its unit has changed: its least values were steady.",
    HIGH: "Look whether its source or its unit has changed: its greatest values were steady.",
    SPREAD: "It may be stuck at one value: look at the newest rows of its source.",
    NULLS: "Look whether its source still delivers it, and whether the lookup still finds its rows.",
    SHARE: "Look whether rows are missing or sent twice; where the business has changed, the next training learns it.",
    UNSEEN: "They are scored as unknown until a training has seen them; look whether a code was renamed.",
    STILL: "Its feed may repeat old rows: look at the newest file.",
}


def weeks_of(days: pd.DatetimeIndex) -> int:
    """How many weeks of a baseline have enough days; what nobody asks about on Saturdays has whole weeks too.

    Args:
        days: the start of each of its days (UTC).
    """
    return len(_whole_weeks(days))


@dataclass(frozen=True)
class Usual:
    """What a week looks like, learned from the baseline.

    Attributes:
        weeks: how many whole weeks it has.
        mean: of each column of numbers, over the rows.
        deviation: the standard deviation of its rows.
        nulls: of the columns that are NULL at times, `mean` and `deviation` of being so.
        items: the texts of each column.
        relations: the inverse of the covariance of values and NULLs, in standard deviations.
        figures: by kind, column and item: `center` and `bound` of a week's figure, and whether it is compared with what
            the `others` say.
    """

    weeks: int
    mean: pd.Series
    deviation: pd.Series
    nulls: pd.DataFrame
    items: Mapping[str, Sequence[str]]
    relations: np.ndarray
    figures: pd.DataFrame

    @classmethod
    def of(
        cls,
        days: Days,
        rows: pd.DataFrame,
        day: pd.Series,
        numeric: Sequence[str],
        texts: Sequence[str],
        drift: Drift,
    ) -> Self:
        """Learns from whole weeks, counted back from the last day.

        Args:
            days: the figures of the days.
            rows: some rows of each day, which say what the columns say of each other.
            day: the start of each row's day (UTC).
            numeric: the columns of numbers.
            texts: the columns of texts.
            drift: the bounds.

        Raises:
            ValueError: there are fewer than two whole weeks.
        """
        whole, ago = _whole_weeks(days.index), (days.index.max() - day).dt.days // WEEK_DAYS
        weeks = len(whole)
        if weeks < 2:  # noqa: PLR2004 (one week has no other to be compared with)
            raise ValueError(f"A baseline of {weeks} whole weeks can't say what is usual: it takes at least 2.")
        values = rows[[*numeric]].astype(float)
        mean, deviation = values.mean().fillna(0.0), values.std().replace(0.0, 1.0).fillna(1.0)
        share = values.isna().mean().loc[lambda of: (of > _SOME_NULLS) & (of < 1)]
        nulls = pd.DataFrame({"mean": share, "deviation": np.sqrt(share * (1 - share))})
        items = {name: days.items(name) for name in texts}
        bare = cls(weeks, mean, deviation, nulls, items, np.empty((0, 0)), pd.DataFrame())
        last_days = [days.index.max() - pd.Timedelta(days=WEEK_DAYS * week) for week in whole]
        weekly = np.array([bare._week(days.week_to(last_day)) for last_day in last_days])
        by_week = pd.DataFrame(weekly, columns=bare.keys)
        standard = bare._rows(values)
        moments = [_Moments.of(standard[(ago == week).to_numpy()]) for week in whole]
        figures = pd.DataFrame({"center": by_week.mean(), "scale": _without_itself(by_week), "others": False})
        is_rare = (_kinds(figures) == SHARE) & (figures["center"] < _log(drift.least_share))
        figures = _with_relations(figures[~is_rare].copy(), bare, by_week, moments)
        rate = np.array([drift.rate_of(column) for _, column, _ in figures.index])
        quantile = student.ppf(1 - rate / 2, weeks - 1) * np.sqrt(1 + 1 / weeks)
        least = [drift.least_of(kind, column, deviation.get(column, 1.0)) for kind, column, _ in figures.index]
        figures["bound"] = np.maximum(quantile * figures["scale"], least)
        figures = _with_moves(figures, ((days.numbers["avg"][[*mean.index]] - mean) / deviation).to_numpy())
        figures = figures[_strays(figures, days, deviation) <= drift.steady_end]
        return cls(weeks, mean, deviation, nulls, items, reduce(_Moments.plus, moments).relations, figures)

    def shifts(self, days: Days, last_day: pd.Timestamp, beyond: float = 0.0) -> list[Shift]:
        """How the week up to a day differs, in each figure of each column; the furthest beyond its bound first.

        A level that has moved explains others: those are measured as if it were not known, so that one cause is
        unusual at one place.

        Args:
            days: figures of the week's days, and more.
            last_day: the start of the week's last day (UTC).
            beyond: only shifts of at least so many bounds are returned.
        """
        week = self._week(days.week_to(last_day))
        value = week[self.keys.get_indexer(self.figures.index)]
        away = value - self.figures["center"].to_numpy()
        kinds = _kinds(self.figures)
        linked = self.figures.index.get_indexer(self.linked)
        away[linked] = self._linked(week, away[linked])
        is_less, is_more = kinds.isin(_LESS_ALONE), kinds.isin(_MORE_ALONE)
        far = np.where(is_less, -away, np.where(is_more, away, np.abs(away)))
        ratio = np.nan_to_num(np.maximum(far, 0.0) / self.figures["bound"].to_numpy())
        still = np.flatnonzero(kinds == STILL)
        # A feed that repeats itself holds several columns; one alone may have calm days.
        ratio[still] = np.minimum(ratio[still], np.sort(ratio[still])[-_STILL_COLUMNS:].min(initial=np.inf))
        order = [
            place for place in np.argsort(-ratio, kind="stable") if ratio[place] >= beyond and np.isfinite(away[place])
        ]
        return [self._shift(place, float(value[place]), float(away[place]), float(ratio[place])) for place in order]

    def _shift(self, place: int, value: float, away: float, ratio: float) -> Shift:
        """In the units of the column."""
        kind, column, item = self.figures.index[place]
        bound, usual = float(self.figures["bound"].iloc[place]), value - away
        if kind in _FACTORS:
            unit = 1.0 if kind == SHARE else float(self.deviation[column])
            return Shift(column, kind, item, unit * exp(value), unit * exp(usual), exp(bound), ratio)
        unit = float(self.deviation[column]) if kind in _STATISTIC else 1.0
        start = float(self.mean[column]) if kind in _STATISTIC else 0.0
        return Shift(column, kind, item, start + unit * value, start + unit * usual, unit * bound, ratio)

    def _rows(self, values: pd.DataFrame) -> np.ndarray:
        """Values (the mean where one is NULL) and whether each is NULL, in standard deviations."""
        known = ((values - self.mean) / self.deviation).fillna(0.0)
        is_null = (values[self.nulls.index].isna() - self.nulls["mean"]) / self.nulls["deviation"]
        return np.hstack([known.to_numpy(), is_null.to_numpy()])

    def _week(self, days: Days) -> np.ndarray:
        """A week's figures in the order of the keys: standard deviations, shares, or the logarithms of factors."""
        columns, mean, deviation = list(self.mean.index), self.mean.to_numpy(), self.deviation.to_numpy()
        by_day = {kind: (days.numbers[of][columns].to_numpy() - mean) / deviation for kind, of in _STATISTIC.items()}
        null = days.numbers["percent_null"][columns].to_numpy() / 100
        spread = np.maximum(days.numbers["stddev"][columns].to_numpy() / deviation, _NOTHING)
        # Of a few values, all may be one.
        spread = np.where(null > _MOST_NULLS, np.nan, spread)
        with catch_warnings(action="ignore", category=RuntimeWarning):  # of a column that is NULL all week
            found = [
                np.nanmean(by_day[LEVEL], axis=0),
                # A rare row makes the least or the greatest value of its day: of the days, the one in the middle.
                np.nanmedian(by_day[LOW], axis=0),
                np.nanmedian(by_day[HIGH], axis=0),
                np.log(np.nanmedian(spread, axis=0)),
                np.nanmean(null, axis=0),
                _moves(by_day[LEVEL][-_STILL_DAYS - 1 :]),
            ]
        shares = days.shares.fillna(0.0).mean()
        for column, known in self.items.items():
            own = shares[column] if column in shares.index.get_level_values(0) else pd.Series(dtype=float)
            seen = own.reindex([*known], fill_value=0.0).to_numpy(float)
            found += [np.log(np.maximum(seen, _NO_SHARE)), np.array([own.sum() - seen.sum()])]
        return np.concatenate(found)

    @property
    def keys(self) -> pd.MultiIndex:
        """What the figures of a week are: kind, column, item."""
        names = [(kind, column, "") for kind in (LEVEL, LOW, HIGH, SPREAD, NULLS, STILL) for column in self.mean.index]
        for column, known in self.items.items():
            names += [*((SHARE, column, item) for item in known), (UNSEEN, column, "")]
        return pd.MultiIndex.from_tuples(names, names=_NAMES)

    @property
    def linked(self) -> pd.MultiIndex:
        """The figures that others may say something of, in the order of the relations."""
        levels = [(LEVEL, column, "") for column in self.mean.index]
        return pd.MultiIndex.from_tuples(levels + [(NULLS, column, "") for column in self.nulls.index], names=_NAMES)

    @property
    def _units(self) -> np.ndarray:
        """Of the linked figures: a share of NULLs is a number of standard deviations too."""
        return np.concatenate([np.ones(len(self.mean)), self.nulls["deviation"].to_numpy()])

    def _vector(self, week: np.ndarray) -> np.ndarray:
        """A week's linked figures as one of the rows."""
        center = np.concatenate([np.zeros(len(self.mean)), self.nulls["mean"].to_numpy()])
        return np.asarray(np.nan_to_num((week[self.keys.get_indexer(self.linked)] - center) / self._units))

    def _linked(self, week: np.ndarray, alone: np.ndarray) -> np.ndarray:
        """How far each linked figure is from what was expected."""
        figures, units = self.figures.reindex(self.linked), self._units
        bound, follows = figures["bound"].to_numpy(), figures["others"].to_numpy(bool)
        vector, relations = self._vector(week), self.relations.copy()
        found, left = np.where(follows, 0.0, alone), np.isfinite(alone)
        while left.any():
            weight = np.diag(relations)
            expected = np.divide(relations @ vector, weight, out=np.zeros(len(weight)), where=weight > 0)
            found = np.where(left & follows, expected * units, found)
            beyond = left & (np.abs(found) > bound)
            if not beyond.any():
                break
            # Of those that are beyond, the one whose own shift explains the most (a likelihood ratio).
            cause = int(np.argmax(np.where(beyond, expected**2 * weight, -1.0)))
            left[cause] = False
            relations -= np.outer(relations[cause], relations[cause]) / relations[cause, cause]
            relations[cause, :] = relations[:, cause] = 0.0
        return np.where(np.isfinite(alone), found, np.nan)


@dataclass(frozen=True)
class _Moments:
    """Of standardised rows: how many, their sum, and the sum of their products."""

    rows: int
    total: np.ndarray
    products: np.ndarray

    @classmethod
    def of(cls, rows: np.ndarray) -> Self:
        return cls(len(rows), rows.sum(axis=0), rows.T @ rows)

    def plus(self, other: Self) -> Self:
        return type(self)(self.rows + other.rows, self.total + other.total, self.products + other.products)

    def minus(self, other: Self) -> Self:
        return type(self)(self.rows - other.rows, self.total - other.total, self.products - other.products)

    @property
    def mean(self) -> np.ndarray:
        return self.total / self.rows

    @property
    def relations(self) -> np.ndarray:
        covariance = self.products / self.rows - np.outer(self.mean, self.mean)
        return np.linalg.inv(covariance + _RIDGE * np.eye(len(covariance)))


def _with_relations(
    figures: pd.DataFrame, bare: Usual, by_week: pd.DataFrame, moments: Sequence[_Moments]
) -> pd.DataFrame:
    """Has those figures compared with the others that are steadier so, by the relations of the other weeks."""
    whole = reduce(_Moments.plus, moments)
    misses = []
    for week, own in zip(by_week.to_numpy(), moments, strict=True):
        rest = whole.minus(own)
        relations = rest.relations
        misses.append(relations @ (bare._vector(week) - rest.mean) / np.diag(relations) * bare._units)
    scale = pd.Series(np.sqrt(np.mean(np.square(misses), axis=0)), bare.linked)
    steadier = scale.index[scale < _STEADIER * figures["scale"].reindex(scale.index)]
    figures.loc[steadier, "scale"] = scale[steadier]
    figures.loc[steadier, "others"] = True
    return figures


def _with_moves(figures: pd.DataFrame, level: np.ndarray) -> pd.DataFrame:
    """Has a column called still where it moves less than in the calmest days of the whole baseline."""
    windows = range(_STILL_DAYS + 1, len(level) + 1)
    moves = np.array([_moves(level[end - _STILL_DAYS - 1 : end]) for end in windows])
    still = _kinds(figures) == STILL
    figures.loc[still, "center"] = np.nanmean(moves, axis=0)
    calm = _CALMER * (np.nanmean(moves, axis=0) - np.nanmin(moves, axis=0))
    figures.loc[still, "bound"] = np.fmax(figures.loc[still, "bound"], calm)
    return figures


def _strays(figures: pd.DataFrame, days: Days, deviation: pd.Series) -> pd.Series:
    """How far least and greatest values stray, from week to week or (80 % of them) from day to day: such an end says
    nothing. Of all other figures 0; in standard deviations."""
    strays = pd.Series(0.0, figures.index)
    for kind in (LOW, HIGH):
        ends = days.numbers[_STATISTIC[kind]]
        by_day = (ends.quantile(0.9) - ends.quantile(0.1)) / deviation
        own = figures.index[_kinds(figures) == kind]
        strays[own] = np.fmax(figures["bound"][own], by_day.reindex(own.get_level_values("column")).to_numpy())
    return strays


def _whole_weeks(days: pd.DatetimeIndex) -> pd.Index:
    """The weeks, counted back from the last day, that have enough days."""
    counted = ((days.max() - days).days // WEEK_DAYS).value_counts().sort_index()
    return counted.index[counted >= LEAST_DAYS]


def _without_itself(by_week: pd.DataFrame) -> pd.Series:
    """How far a week is from the mean of the other weeks, as a root mean square."""
    weeks = len(by_week)
    return by_week.std(ddof=0) * weeks / (weeks - 1)


def _moves(level: np.ndarray) -> np.ndarray:
    """The logarithm of the mean move from day to day."""
    if len(level) <= 1:
        return np.full(level.shape[1], np.nan)
    moves: np.ndarray = np.log(np.maximum(np.abs(np.diff(level, axis=0)).mean(axis=0), _NOTHING))
    return moves


def _kinds(figures: pd.DataFrame | pd.Series) -> pd.Index:
    return figures.index.get_level_values("kind")


def _log(share: float) -> float:
    return float(np.log(max(share, _NO_SHARE)))
