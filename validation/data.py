"""A version's rows: trained on enough, of a likely mean label, complete; judged on whole days, and no worse there."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

import pandas as pd

from project.config import Config, DataBounds
from project.times import parse_moment
from project.training_data import TrainingData
from validation.gates import DATA, Gate, at_least, at_most, failed

# Of the median day's labelled rows: a day with fewer lacks labels, or rows.
_DAY_IS_THERE = 0.5


def judge_data(data: TrainingData | None, start: datetime, config: Config) -> Iterator[Gate]:
    """The training window's figures against their bounds.

    Args:
        data: what the training said of its rows; None where it said nothing, which does not pass.
        start: the first moment of the rows that the version is judged on.
        config: the bounds.
    """
    bounds = config.validation.data
    if data is None:
        yield failed(DATA, "training rows", bounds.min_rows, "the version's run has no record of its training rows")
        return
    low, high = bounds.mean_label
    about = f"{config.label.measure_of('mean_label', config.subject.plural).title} in training"
    yield at_least(DATA, "training rows", data.rows, bounds.min_rows, "the number of training rows")
    yield at_least(DATA, "mean label at least", data.mean_label, low, about)
    yield at_most(DATA, "mean label at most", data.mean_label, high, about)
    yield _nulls(data.null_rates, bounds)
    apart = (start - parse_moment(data.known_until)) / timedelta(days=1)
    yield at_least(DATA, "unseen", apart, 0.0, "the number of days from what training knew to the first judged one")


def judge_optimism(figures: Mapping[str, float], trained: Mapping[str, float], config: DataBounds) -> Gate:
    """How much better cross-validation looked than validation: what leaks into training shows here.

    Args:
        figures: of validation, by metric.
        trained: of the training's cross-validation, by metric.
        config: what is allowed.
    """
    allowed = config.optimism
    own, then = figures.get(allowed.metric, float("nan")), trained.get(allowed.metric, float("nan"))
    decline = then - own if allowed.greater_is_better else own - then
    about = f"{allowed.metric} was {then:.4f} in cross-validation and is {own:.4f} here: the decline"
    return at_most(DATA, "optimism", decline, allowed.max_decline, about)


def judge_days(moments: pd.Series, window: tuple[datetime, datetime], config: DataBounds) -> Gate:
    """How many of the days that it is judged on have their labels: where a feed lacked some, the rest says little.

    Args:
        moments: when each judged row happens (UTC).
        window: the first moment and the end of the judged days.
        config: the bound.
    """
    start, end = window
    counts = ((moments - start) // timedelta(days=1)).value_counts()
    there = int((counts >= _DAY_IS_THERE * counts.median()).sum())
    days = (end - start) // timedelta(days=1)
    about = f"{there} of {days} judged days have their labels: the share"
    return at_least(DATA, "judged days", there / days, config.min_judged_days, about)


def _nulls(rates: Mapping[str, float], config: DataBounds) -> Gate:
    """The input that is furthest above its bound, or nearest to it."""
    excess = {name: rate - config.null_rates.get(name, config.max_null_rate) for name, rate in rates.items()}
    if not excess:
        return failed(DATA, "null rates", config.max_null_rate, "the version's run names no input")
    worst = max(excess, key=lambda name: (excess[name], name))
    above = sorted(name for name, by in excess.items() if by > 0)
    bound = config.null_rates.get(worst, config.max_null_rate)
    about = (
        f"of {len(rates)} inputs {len(above)} lack more values than they may ({', '.join(above)}); {worst}'s share"
        if above
        else f"the share of missing values nearest to its bound, of {worst},"
    )
    return at_most(DATA, "null rates", rates[worst], bound, about)
