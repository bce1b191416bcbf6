"""What all stages ask of a kind of label. A kind is one module beside this one, and a name in `project/config.py`."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Self

import numpy as np
import pandas as pd
from pydantic import model_validator
from pyspark.sql import Column

from project.kinds.by_day import Figure, Scored
from project.section import Section

# Digits of a custom metric that mean something: the last ones differ with the order of a sum.
DECIMALS = 9
# The outcome of what has not ended, or whose end is not known yet.
PENDING = "pending"


@dataclass(frozen=True)
class Measure:
    """How a figure is shown.

    Attributes:
        name: the figure's.
        title: what a person reads.
        meaning: what it is, in a few words.
        better: which way is better; empty where neither is.
        form: how it is written: 'figure' (three decimals), 'percent' (of a share), 'count'.
        abbreviation: of the title, where that is long.
    """

    name: str
    title: str
    meaning: str
    better: Literal["up", "down", ""] = ""
    form: Literal["figure", "percent", "count"] = "figure"
    abbreviation: str = ""

    @property
    def short_title(self) -> str:
        """The title where there is little room."""
        return self.abbreviation or self.title


@dataclass(frozen=True)
class Curve:
    """A picture of a trained model: one line, and what it is beside.

    Attributes:
        name: of the file.
        title: of the picture.
        x: the points, from left to right.
        y: as many.
        x_label: of the axis.
        y_label: of the axis.
        ideal: two points of the line that it is compared with; empty for none.
    """

    name: str
    title: str
    x: np.ndarray
    y: np.ndarray
    x_label: str
    y_label: str
    ideal: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True)
class Quality:
    """How good the predictions of one day were, and what made the day easy or hard to predict.

    Attributes:
        value: the figure `quality` of the label's kind.
        promised: what it would be if the predictions were true.
        ease: what else made the day easy, in a unit of its own; hard where it is less than on other days.
    """

    value: float
    promised: float = 0.0
    ease: float = 0.0


class Label(Section, ABC):
    """What is predicted. A column of the table `labels`, NULL where there is none (yet)."""

    column: str
    """Its column in the table `labels`."""
    outcome: str
    """The value of `outcome` in the table `labels` of what has a label."""
    other_outcomes: tuple[str, ...] = ()
    """The values of `outcome` of what has ended and will never have a label."""

    # What `measure` gives, `rows`, `mean_label` and `mean_prediction` first.
    metrics: ClassVar[tuple[str, ...]]
    # Those `aggregates` that a check of monitoring may be about, beside the figures that every kind has.
    daily: ClassVar[tuple[str, ...]]
    # The figure by which days and slices are compared, and one more that is shown of each slice.
    quality: ClassVar[str]
    second: ClassVar[str]
    # The value of `quality` that a model without any skill has; None where there is no such value.
    no_skill: ClassVar[float | None]
    # What a model answers, as a noun in the plural.
    answers: ClassVar[str]
    # The loss that a search minimizes, in a few words, and the figure of `metrics` that tells it.
    loss_name: ClassVar[str]
    loss_figure: ClassVar[str]
    # By the figure's name, what a bootstrap by day computes it from.
    by_day: ClassVar[Mapping[str, Callable[[Scored], Figure]]]
    # What kind of predictions the platform's monitor is told that it watches.
    problem_type: ClassVar[Literal["CLASSIFICATION", "REGRESSION"]]

    @model_validator(mode="after")
    def _outcomes_are_names(self) -> Self:
        for name in self.outcomes:
            if not name.isidentifier() or name == PENDING or self.outcomes.count(name) > 1:
                raise ValueError(
                    f"outcome '{name}': it names a figure of monitoring, so it must be letters, digits and _, "
                    f"stand once, and not be '{PENDING}'"
                )
        return self

    @abstractmethod
    def measure(self, label: pd.Series, prediction: pd.Series) -> dict[str, float]:
        """The figures `metrics` of predictions; NaN where one can't be had.

        Args:
            label: what happened, no nulls.
            prediction: in the same order.
        """

    @abstractmethod
    def is_answer(self, values: np.ndarray) -> np.ndarray:
        """True where a number can be a prediction."""

    @abstractmethod
    def loss(self, label: pd.Series, prediction: np.ndarray) -> float:
        """What a search minimizes."""

    @abstractmethod
    def curves(self, label: pd.Series, prediction: np.ndarray) -> tuple[Curve, ...]:
        """Pictures of predictions of rows that the predicting model had not seen."""

    @abstractmethod
    def notable_shift(self, deviation: float) -> float:
        """By how much all predictions must rise to be noticed; `deviation` is the standard deviation of predictions."""

    @abstractmethod
    def predicted(self, prediction: str) -> str:
        """The column of what the platform's monitor compares with the label, given that of the prediction."""

    @abstractmethod
    def derived(self, prediction: str) -> Mapping[str, Column]:
        """The columns that scored rows get for it, by name."""

    @abstractmethod
    def aggregates(self, label: str, prediction: str, moment: str) -> Mapping[str, str]:
        """Custom metrics of the platform's monitor by name: SQL aggregates of the rows that have a label.

        `mean_label`, `mean_prediction`, `quality`, `second` and `daily` are among them; NULL where one can't be had.

        Args:
            label: the column, quoted.
            prediction: the column, quoted.
            moment: the column that says when the prediction was asked, quoted.
        """

    @abstractmethod
    def quality_of(self, label: np.ndarray, prediction: np.ndarray, moment: np.ndarray | None = None) -> Quality | None:
        """How good the predictions of a day were; None where it can't be said.

        Args:
            label: what happened, no nulls.
            prediction: in the same order.
            moment: when each was asked, for `Quality.ease`.
        """

    @abstractmethod
    def recorded_quality(self, day: Mapping[str, Any]) -> Quality | None:
        """The same, given the day's `aggregates`."""

    @abstractmethod
    def place(self, prediction: str, period: str) -> Column:
        """The number of the bin that a prediction is in, where predictions are compared with labels by bins.

        Args:
            prediction: the column.
            period: the column by which rows are parted before they are binned.
        """

    @abstractmethod
    def measures(self, plural: str) -> tuple[Measure, ...]:
        """How the figures are shown, in a report's order; `labelled_rows` among them.

        Args:
            plural: what predictions are about, such as 'flights'.
        """

    def measure_of(self, name: str, plural: str) -> Measure:
        """How one figure is shown."""
        return next(measure for measure in self.measures(plural) if measure.name == name)

    @property
    def outcomes(self) -> tuple[str, ...]:
        """All values of `outcome`."""
        return self.outcome, *self.other_outcomes

    @property
    @abstractmethod
    def scale(self) -> str:
        """What predictions are, as the label of an axis."""

    @property
    def is_better(self) -> int:
        """1 where a greater `quality` is better, -1 where a smaller one is."""
        return 1 if self.measure_of(self.quality, "").better == "up" else -1


def rounded(aggregate: str) -> str:
    """An SQL aggregate without the digits that mean nothing."""
    return f"round({aggregate}, {DECIMALS})"
