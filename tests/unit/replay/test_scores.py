"""The year that is made where none was played: who scores what, and what each version is compared with."""

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from project.config import Config
from replay import scores as scores_module
from replay.days import Plan
from replay.power import Scores
from replay.scores import made_scores
from tests.unit.tables import moment
from training.frame import TrainingFrame

START, SECOND, END = (moment(f"2023-{day} 00:00") for day in ("02-15", "03-01", "03-05"))


class Numbered:
    """A model whose prediction is its number."""

    number = 0

    def __init__(self) -> None:
        Numbered.number += 1
        self._number = float(Numbered.number)

    def predict(self, rows: pd.DataFrame) -> np.ndarray:
        return np.full(len(rows), self._number)


@pytest.fixture
def scores(config: Config, tmp_path, monkeypatch) -> Scores:
    """A row each ten minutes, of two plants that count their parts by themselves."""
    asked = pd.date_range(moment("2023-01-01 00:00"), END, freq="10min")
    frame = pd.DataFrame(
        {
            "plant": np.where(np.arange(len(asked)) % 2, "north", "south"),
            "number": np.arange(len(asked)) // 2,
            "batch": "b",
            "used_at": asked,
            "asked_at": asked,
            "known_at": asked + timedelta(hours=1),
            "failed": 0.0,
            "week": 1.0,
            "wind": 1.0,
        }
    )

    def fit(learned: TrainingFrame, _: Config) -> Numbered:
        assert set(learned.rows.columns) == {"plant", "wind"}
        return Numbered()

    monkeypatch.setattr(Numbered, "number", 0)
    monkeypatch.setattr(scores_module, "read_year", lambda *_: frame)
    monkeypatch.setattr(scores_module, "fit", fit)
    return made_scores(None, None, Plan(START, END, 1, False), tmp_path, config, lambda _: None)


def test_a_row_is_scored_by_the_version_of_its_time(scores: Scores) -> None:
    rows = scores.rows
    assert (rows["version"] == np.where(rows["asked_at"] > SECOND, 2, 1)).all()
    assert (rows["prediction"] == rows["version"]).all()
    assert rows["asked_at"].min() == START + timedelta(minutes=10)
    assert (list(scores.numeric), list(scores.texts)) == (["wind", "prediction"], ["plant"])


def test_a_version_is_compared_with_what_it_was_judged_on_and_what_was_before(scores: Scores, config: Config) -> None:
    judged = timedelta(days=config.training.validation_days)
    second = scores.references[2].answers.rows
    assert not second.duplicated(["plant", "number"]).any()
    assert (second["prediction"] == np.where(second["asked_at"] >= SECOND - judged, 2, 1)).all()
    assert (second["asked_at"].min(), second["day"].max()) == (START - judged, SECOND - timedelta(days=1))
    # Each day whole: a key is both columns.
    assert (second.groupby("day").size() == 144).all()
