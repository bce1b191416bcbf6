"""Folds in order of time: each is judged on weeks that come after all that it is fitted on."""

import numpy as np
import pandas as pd

from project.config import Folds


def expanding_folds(weeks: pd.Series, folds: Folds) -> list[tuple[np.ndarray, np.ndarray]]:
    """Positions of the rows to fit on and to judge on; the last fold ends with the last week.

    A gap stays unused before the weeks that judge, as outcomes take time to become known. (TimeSeriesSplit of
    scikit-learn counts rows, not weeks, and refuses a single fold.)

    Args:
        weeks: the number of each row's week, in any order.
        folds: how many, how long, and the gap.

    Raises:
        ValueError: the first fold would have no rows to fit on, or one would have none to judge on.
    """
    end = weeks.max() + 1
    starts = [end - folds.weeks * back for back in range(folds.number, 0, -1)]
    masks = [(weeks < start - folds.gap_weeks, weeks.between(start, start + folds.weeks - 1)) for start in starts]
    if not all(fit.any() and judge.any() for fit, judge in masks):
        needed = folds.number * folds.weeks + folds.gap_weeks + 1
        raise ValueError(f"the search's folds need {needed} weeks with labelled rows in the training window")
    return [(np.flatnonzero(fit), np.flatnonzero(judge)) for fit, judge in masks]
