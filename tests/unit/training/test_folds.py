"""Nothing is judged by what was fitted on its own time, or on later."""

import numpy as np
import pandas as pd
import pytest

from project.config import Folds
from training.folds import expanding_folds

WEEKS = pd.Series([7, 3, 9, 5, 8, 4, 6, 9], dtype="float64")  # in no order, as in a frame


def weeks_of(rows: np.ndarray) -> list[float]:
    return sorted(WEEKS.iloc[rows])


def test_each_fold_is_judged_on_the_weeks_after_its_gap_and_the_last_ends_with_the_window() -> None:
    first, second = expanding_folds(WEEKS, Folds(number=2, weeks=2, gap_weeks=1))
    assert [weeks_of(rows) for rows in first] == [[3, 4], [6, 7]]
    assert [weeks_of(rows) for rows in second] == [[3, 4, 5, 6], [8, 9, 9]]


def test_without_a_gap_all_weeks_before_are_fitted_on() -> None:
    (only,) = expanding_folds(WEEKS, Folds(number=1, weeks=1, gap_weeks=0))
    assert [weeks_of(rows) for rows in only] == [[3, 4, 5, 6, 7, 8], [9, 9]]


@pytest.mark.parametrize("folds", [Folds(number=3, weeks=2, gap_weeks=1), Folds(number=1, weeks=2, gap_weeks=5)])
def test_a_window_that_is_too_short_is_refused_with_what_it_needs(folds: Folds) -> None:
    needed = folds.number * folds.weeks + folds.gap_weeks + 1
    with pytest.raises(ValueError, match=f"need {needed} weeks"):
        expanding_folds(WEEKS, folds)


def test_a_gap_in_the_middle_of_the_window_is_no_fold() -> None:
    with pytest.raises(ValueError, match="need 4 weeks"):
        expanding_folds(pd.Series([1.0, 2.0, 9.0]), Folds(number=2, weeks=1, gap_weeks=1))
