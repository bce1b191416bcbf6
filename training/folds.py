"""Folds in order of time: each is judged on weeks that come after all that it is fitted on."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from project.config import Folds


@dataclass(frozen=True)
class Fold:
    """Positions of rows, to fit on and to judge on."""

    fit: np.ndarray
    judge: np.ndarray


def expanding_folds(weeks: pd.Series, folds: Folds) -> tuple[Fold, ...]:
    """Folds that end with the last week: the earliest first, each fitted on more weeks than the one before.

    A gap stays unused before the weeks that judge, as outcomes take time to become known.

    Args:
        weeks: the number of each row's week.
        folds: how many, how long, and the gap.

    Raises:
        ValueError: the first fold would have no rows to fit on, or one would have none to judge on.
    """
    end = weeks.max() + 1
    starts = [end - folds.weeks * back for back in range(folds.number, 0, -1)]
    found = tuple(
        Fold(
            np.flatnonzero(weeks < start - folds.gap_weeks),
            np.flatnonzero((weeks >= start) & (weeks < start + folds.weeks)),
        )
        for start in starts
    )
    if not all(len(fold.fit) and len(fold.judge) for fold in found):
        needed = folds.number * folds.weeks + folds.gap_weeks + 1
        raise ValueError(f"the search's folds need {needed} weeks with labelled flights in the training window")
    return found
