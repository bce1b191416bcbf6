"""A label that is a number, and its predicted mean."""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Literal

import numpy as np
import pandas as pd
from pyspark.sql import Column, Window
from pyspark.sql import functions as F

from project.kinds.by_day import Figure, Scored, ratio
from project.kinds.label import Curve, Label, Measure, Quality, rounded

BINS = 10
_QUANTILES = np.linspace(0, 1, 101)


def mae(scored: Scored) -> Figure:
    """Mean absolute error."""
    return scored.mean(np.abs(scored.prediction - scored.label))


def rmse(scored: Scored) -> Figure:
    """Root of the mean squared error."""
    squared = scored.mean((scored.prediction - scored.label) ** 2)
    return lambda counts: np.sqrt(squared(counts))


def absolute_bias(scored: Scored) -> Figure:
    """How far the mean prediction is from the mean label."""
    error = scored.mean(scored.prediction - scored.label)
    return lambda counts: np.abs(error(counts))


def r2(scored: Scored) -> Figure:
    """The part of the label's variance that the model removes; the mean is that of the days that are drawn."""
    squared, mean = scored.mean((scored.prediction - scored.label) ** 2), scored.mean(scored.label)
    # About the mean of all rows, so that large labels lose no digits.
    centre = float(scored.label.mean())
    about = scored.mean((scored.label - centre) ** 2)
    return lambda counts: 1 - ratio(squared(counts), about(counts) - (mean(counts) - centre) ** 2)


class Regression(Label):
    """A label that is a number; a prediction is its mean."""

    kind: Literal["regression"]
    """A number is predicted."""
    quantity: str
    """What is predicted, as a noun in the plural or without a number, such as "trips" or "rainfall"."""
    unit: str = ""
    """Its unit, such as 'minutes'; empty where the quantity is a count."""
    least: float = float("-inf")
    """The least value that a prediction can have, such as 0."""

    metrics: ClassVar = ("rows", "mean_label", "mean_prediction", "mae", "rmse", "absolute_bias", "r2")
    daily: ClassVar = ("mae", "rmse", "r2")
    quality: ClassVar = "mae"
    second: ClassVar = "r2"
    no_skill: ClassVar = None
    answers: ClassVar = "numbers in range"
    loss_name: ClassVar = "mean squared error"
    loss_figure: ClassVar = "rmse"
    problem_type: ClassVar = "REGRESSION"
    by_day: ClassVar[Mapping[str, Callable[[Scored], Figure]]] = {
        "mae": mae,
        "rmse": rmse,
        "absolute_bias": absolute_bias,
        "r2": r2,
    }

    def measure(self, label: pd.Series, prediction: pd.Series) -> dict[str, float]:
        """Quality of predicted numbers.

        Returns:
            `rows`, `mean_label`, `mean_prediction`; in the label's unit `mae` (mean absolute error), `rmse` (root of
            the mean squared error) and `absolute_bias` (how far the mean prediction is from the mean label); `r2`, the
            part of the label's variance that the model removes (NaN where labels do not differ).
        """
        error = prediction.to_numpy(float) - label.to_numpy(float)
        variance = float(np.var(label.to_numpy(float)))
        return {
            "rows": float(len(label)),
            "mean_label": float(label.mean()),
            "mean_prediction": float(prediction.mean()),
            "mae": float(np.mean(np.abs(error))),
            "rmse": float(np.sqrt(np.mean(error**2))),
            "absolute_bias": float(abs(np.mean(error))),
            "r2": float(1 - np.mean(error**2) / variance) if variance > 0 else float("nan"),
        }

    def is_answer(self, values: np.ndarray) -> np.ndarray:
        """True where a number is finite, and not below the least one."""
        return np.asarray(np.isfinite(values) & (values >= self.least))

    def loss(self, label: pd.Series, prediction: np.ndarray) -> float:
        """The mean squared error."""
        return float(np.mean((prediction - label.to_numpy(float)) ** 2))

    def curves(self, label: pd.Series, prediction: np.ndarray) -> tuple[Curve, ...]:
        """The mean label by prediction, in bins of equal count, and the quantiles of the error."""
        values = label.to_numpy(float)
        bins = pd.qcut(prediction, BINS, labels=False, duplicates="drop")
        means = pd.DataFrame({"predicted": prediction, "happened": values}).groupby(bins).mean()
        ends = float(means["predicted"].min()), float(means["predicted"].max())
        ideal = tuple((end, end) for end in ends)
        predicted, happened = means["predicted"].to_numpy(), means["happened"].to_numpy()
        errors = np.quantile(prediction - values, _QUANTILES)
        none = ((0.0, 0.0), (1.0, 0.0))
        return (
            Curve("calibration", "Mean label by prediction", predicted, happened, self.scale, "mean label", ideal),
            Curve("errors", "Quantiles of the error", _QUANTILES, errors, "share of the rows", "error", none),
        )

    def notable_shift(self, deviation: float) -> float:
        """A quarter of the standard deviation."""
        return deviation / 4

    def predicted(self, prediction: str) -> str:
        """The prediction itself."""
        return prediction

    def derived(self, prediction: str) -> Mapping[str, Column]:
        """None."""
        return {}

    def aggregates(self, label: str, prediction: str, moment: str) -> Mapping[str, str]:
        """`mean_label`, `mean_prediction`, `mae`, `rmse` and `r2` (NULL where labels do not differ)."""
        squared = f"avg(power({prediction} - {label}, 2))"
        return {
            "mean_label": rounded(f"avg({label})"),
            "mean_prediction": rounded(f"avg(CASE WHEN {label} IS NOT NULL THEN {prediction} END)"),
            "mae": rounded(f"avg(abs({prediction} - {label}))"),
            "rmse": rounded(f"sqrt({squared})"),
            "r2": rounded(f"1 - {squared} / nullif(var_pop({label}), 0)"),
        }

    def quality_of(self, label: np.ndarray, prediction: np.ndarray, moment: np.ndarray | None = None) -> Quality | None:
        """The mean absolute error; a prediction promises nothing about it."""
        return Quality(float(np.mean(np.abs(prediction - label)))) if len(label) else None

    def recorded_quality(self, day: Mapping[str, Any]) -> Quality | None:
        """The same, as the monitor has measured it."""
        return None if day["mae"] is None else Quality(day["mae"])

    def place(self, prediction: str, period: str) -> Column:
        """Ten bins of equal count; equal predictions are in one."""
        share = F.percent_rank().over(Window.partitionBy(period).orderBy(prediction))
        return F.least(F.floor(share * BINS), F.lit(BINS - 1))

    def measures(self, plural: str) -> tuple[Measure, ...]:
        """The errors first."""
        unit = f", in {self.unit}" if self.unit else ""
        removed = "part of the label's variance that the model removes"
        return (
            Measure(
                *("mae", "Mean absolute error", f"how far a prediction is from what happened{unit}", "down"),
                abbreviation="MAE",
            ),
            Measure(
                *("rmse", "Root mean squared error", f"the same, where large errors count more{unit}", "down"),
                abbreviation="RMSE",
            ),
            Measure("r2", "R²", removed, "up", "percent"),
            Measure("absolute_bias", "Bias", f"how far the mean prediction is from the mean label{unit}", "down"),
            Measure("mean_prediction", f"Mean predicted {self.quantity}", f"of those whose label is known{unit}"),
            Measure("mean_label", f"Mean {self.quantity}", f"of those whose label is known{unit}"),
            Measure("labelled_rows", f"Labelled {plural}", "what the figures rest on", form="count"),
        )

    @property
    def scale(self) -> str:
        """The quantity and its unit."""
        return f"predicted {self.quantity}" + (f" ({self.unit})" if self.unit else "")
