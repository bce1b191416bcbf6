"""What a model does with rows that were changed on purpose: in the right direction, not at all, or still an answer."""

from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd

from project.config import Config, Worse
from project.kinds.label import Label
from validation.gates import BEHAVIOUR, Gate, at_least, at_most

type Predict = Callable[[pd.DataFrame], np.ndarray]
"""Rows with the model's inputs, and maybe more columns, to one prediction a row."""

_NEVER_SEEN = "never seen"


def judge_behaviour(predict: Predict, rows: pd.DataFrame, optional: list[str], config: Config) -> Iterator[Gate]:
    """All gates of behaviour.

    Args:
        predict: the model.
        rows: validation rows with features and keys; one at least.
        optional: the inputs that may be missing.
        config: what is changed, how far the mean prediction may fall, and what an answer is.
    """
    behaviour, label, before = config.validation.behaviour, config.label, predict(rows)
    for worse in behaviour.worse:
        fall = float(np.mean(before) - np.mean(predict(worsen(rows, worse))))
        about = f"the fall of the mean prediction under {worse.name}"
        yield at_most(BEHAVIOUR, f"worse: {worse.name}", fall, behaviour.max_fall, about)
    for name in behaviour.irrelevant:
        moved = _greatest(predict(rows.assign(**{name: _NEVER_SEEN})) - before)
        yield at_most(BEHAVIOUR, f"irrelevant: {name}", moved, 0.0, f"the greatest effect of another {name}")
    order = np.random.default_rng(behaviour.seed).permutation(len(rows))
    moved = _greatest(predict(rows.iloc[order].reset_index(drop=True)) - before[order])
    yield at_most(BEHAVIOUR, "irrelevant: row order", moved, 0.0, "the greatest effect of another order of rows")
    yield _answers("missing inputs", label, predict, without_each(rows, optional))
    for name in behaviour.unseen:
        yield _answers(f"unseen {name}", label, predict, rows.assign(**{name: _NEVER_SEEN}))


def worsen(rows: pd.DataFrame, worse: Worse) -> pd.DataFrame:
    """The rows with the shifts added, each within its bounds; what is missing stays so.

    Raises:
        KeyError: there is no such column.
    """
    shifted = {one.column: (rows[one.column] + one.by).clip(one.low, one.high) for one in worse.shifts}
    return rows.assign(**shifted)


def without_each(rows: pd.DataFrame, optional: list[str]) -> pd.DataFrame:
    """Some rows once without each optional input, and once without all."""
    some = rows.head(50)
    each = [some.assign(**{name: np.nan}) for name in optional]
    return pd.concat([*each, some.assign(**dict.fromkeys(optional, np.nan))], ignore_index=True)


def _answers(name: str, label: Label, predict: Predict, rows: pd.DataFrame) -> Gate:
    """The share of answers that can be predictions; a model that raises gives none."""
    try:
        share, reason = float(np.mean(label.is_answer(predict(rows)))), ""
    except Exception as error:  # whatever a model raises here, it does not answer
        share, reason = 0.0, f" ({type(error).__name__}: {str(error)[:200]})"
    return at_least(BEHAVIOUR, name, share, 1.0, f"the share of answers that are {label.answers}{reason}")


def _greatest(differences: np.ndarray) -> float:
    return float(np.max(np.abs(differences)))
