"""How good the predictions are over the validation window: in themselves, and beside the champion's."""

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd
from scipy.stats import bootstrap

from project.config import Comparison, Config, Performance
from project.kinds.by_day import Figure, Scored
from validation.gates import PERFORMANCE, Gate, at_least, within

_DRAWS_AT_ONCE = 25  # of 28,000 rows: some megabytes


def absolute(figures: Mapping[str, float], config: Config) -> list[Gate]:
    """Each figure against its bound; one that is missing fails. A verdict on few rows is none.

    Args:
        figures: by name, as the label's `measure` gives them.
        config: the bounds.
    """
    bounds, about = config.validation.performance, f"the number of labelled {config.subject.plural}"
    gates = [at_least(PERFORMANCE, "rows", figures.get("rows", 0.0), bounds.min_rows, about)]
    for bound in bounds.thresholds:
        value = figures.get(bound.metric, float("nan"))
        name = f"{bound.metric} {'at least' if bound.greater_is_better else 'at most'}"
        gates.append(within(PERFORMANCE, name, value, bound, bound.metric))
    return gates


def against_champion(
    label: pd.Series, challenger: pd.Series, champion: pd.Series, moments: pd.Series, config: Config
) -> Iterator[Gate]:
    """How far the challenger may be behind the champion on the same rows; a lucky difference does not pass.

    Args:
        label: what happened, row by row.
        challenger: its predictions.
        champion: the champion's.
        moments: when each row happens, as datetimes in UTC.
        config: what is allowed, and with what confidence.
    """
    day, days = pd.factorize(moments.dt.floor("D"), sort=True)
    values = label.to_numpy(float)
    scored = [Scored(values, one.to_numpy(float), day, len(days)) for one in (challenger, champion)]
    for comparison in config.validation.performance.against_champion:
        make = config.label.by_day[comparison.metric]
        yield _not_behind(comparison, make(scored[0]), make(scored[1]), len(days), config)


def _not_behind(comparison: Comparison, challenger: Figure, champion: Figure, days: int, config: Config) -> Gate:
    """The decline's upper bound against what is allowed; ahead is negative."""
    once = np.ones((1, days))
    own, other = float(challenger(once)[0]), float(champion(once)[0])
    sign = -1 if comparison.greater_is_better else 1

    def decline(counts: np.ndarray) -> np.ndarray:
        return sign * (challenger(counts) - champion(counts))

    performance = config.validation.performance
    bound = upper_bound(decline, days, performance)
    name, confidence = f"{comparison.metric} against champion", f"{performance.confidence:.0%}"
    behind = sign * (own - other)
    sentence = (
        f"{comparison.metric} is {own:.4f}, the champion's on the same {config.subject.plural} {other:.4f}: "
        f"{behind:+.4f} behind, with {confidence} confidence at most {bound:+.4f}, "
        f"and {comparison.max_decline:.4f} is allowed"
    )
    return Gate(PERFORMANCE, name, bound <= comparison.max_decline, bound, comparison.max_decline, sentence)


def upper_bound(figure: Figure, days: int, config: Performance) -> float:
    """The one-sided bound of a figure over draws of whole days: Efron's percentile bootstrap (1979), by clusters.

    Returns:
        NaN where it can't be had: fewer than two days, or a draw without a figure.
    """
    if days < 2 or np.isnan(figure(np.ones((1, days)))[0]):  # noqa: PLR2004 - one day has no other to be drawn
        return float("nan")

    def draw(chosen: np.ndarray, axis: int) -> np.ndarray:
        flat = np.moveaxis(chosen, axis, -1).reshape(-1, days)
        counts = np.apply_along_axis(np.bincount, 1, flat, minlength=days).astype(float)
        return figure(counts).reshape(chosen.shape[:-1])

    found = bootstrap(
        (np.arange(days),),
        draw,
        n_resamples=config.resamples,
        batch=_DRAWS_AT_ONCE,
        vectorized=True,
        confidence_level=config.confidence,
        alternative="less",
        method="percentile",
        rng=np.random.default_rng(config.seed),
    )
    return float(found.confidence_interval.high)
