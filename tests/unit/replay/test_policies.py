"""The alternatives: when they train, on what was known then alone, and that a second call fits nothing."""

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from project.config import Config
from replay import policies as played_policies
from replay.policies import Policy, on_the_same_rows, play, policies
from tests.unit.tables import moment
from training.frame import TrainingFrame

START, END = moment("2023-02-15 00:00"), moment("2023-04-05 00:00")
HOUR = timedelta(hours=1)


class Shares:
    """A model in the place of the recipe's, whose fit takes seconds: the mean label in calm and in wind."""

    def __init__(self, frame: TrainingFrame, _: Config) -> None:
        self._shares = frame.label.groupby(frame.rows["wind"] > 10).mean()

    def predict(self, rows: pd.DataFrame) -> np.ndarray:
        return (rows["wind"] > 10).map(self._shares).to_numpy()


@pytest.fixture(autouse=True)
def fitted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The rows of each fit."""
    rows: list[int] = []

    def fit(frame: TrainingFrame, config: Config) -> Shares:
        rows.append(len(frame.rows))
        return Shares(frame, config)

    monkeypatch.setattr(played_policies, "fit", fit)
    return rows


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    """A part an hour from January on; from 1 March on it fails where it did not before."""
    asked = pd.date_range(moment("2023-01-01 00:00"), END, freq="h")
    wind = np.random.default_rng(1).uniform(0, 20, len(asked))
    failed = np.where(asked < moment("2023-03-01 00:00"), wind > 10, wind <= 10)
    return pd.DataFrame(
        {
            "plant": np.where(np.arange(len(asked)) % 2, "north", "south"),
            "number": np.arange(len(asked)) // 2,
            "batch": "b",
            "used_at": asked + 2 * HOUR,
            "asked_at": asked,
            "known_at": asked + 5 * HOUR,
            "failed": failed.astype(float),
            "week": np.floor(asked.astype("int64") / (7 * 24 * 3600e9)),
            "wind": wind,
        }
    )


def test_the_alternatives_train_never_monthly_and_weekly():
    never, monthly, weekly, unjudged = policies(START, END)
    assert never.moments == (START,)
    assert [f"{m:%d %b}" for m in monthly.moments] == ["15 Feb", "01 Mar", "01 Apr"]
    assert [f"{m:%d %b}" for m in weekly.moments] == [
        "15 Feb",
        "22 Feb",
        "01 Mar",
        "08 Mar",
        "15 Mar",
        "22 Mar",
        "29 Mar",
    ]
    assert unjudged.moments == monthly.moments
    assert [policy.on_all_labels for policy in (never, monthly, weekly, unjudged)] == [False, False, False, True]


def test_each_row_after_the_start_is_scored_once_by_the_model_of_its_time(frame, config, tmp_path):
    policy = Policy("two", (START, moment("2023-03-20 00:00")), on_all_labels=True)
    outcome = play(policy, frame, END, config, tmp_path)
    asked = frame[(frame["asked_at"] > START) & (frame["asked_at"] <= END)]
    names = ["plant", "number", "asked_at", "failed"]
    pd.testing.assert_frame_equal(outcome.scores[names], asked[names].reset_index(drop=True))
    assert outcome.trainings == 2
    assert outcome.fit_seconds > 0
    is_second = outcome.scores["asked_at"] > policy.moments[1]
    calm = asked["wind"].to_numpy() <= 10
    # The second model has seen parts fail in calm by now, the first could not.
    assert (outcome.scores["prediction"][~is_second & calm] == 0).all()
    assert outcome.scores["prediction"][is_second & calm].between(0.1, 0.5).all()


def test_a_model_knows_what_was_known_when_it_was_trained_and_nothing_later(frame, config, tmp_path):
    changed = frame.copy()
    later = changed["known_at"] > START
    changed.loc[later, "failed"] = 1 - changed.loc[later, "failed"]
    policy = Policy("never", (START,), on_all_labels=True)
    first = play(policy, frame, END, config, tmp_path / "a").scores
    second = play(policy, changed, END, config, tmp_path / "b").scores
    assert (first["prediction"] == second["prediction"]).all()
    assert (first["failed"] != second["failed"]).mean() > 0.9


def test_it_learns_from_what_the_training_job_would_and_leaves_out_what_that_judges_on(frame, config, tmp_path, fitted):
    # 31 days before 15 February, and 36 hours before these: used before 13 January, noon; asked two hours earlier.
    play(Policy("judged", (START,)), frame, END, config, tmp_path)
    assert fitted == [12 * 24 + 10]
    week = config.model_copy(update={"training": config.training.model_copy(update={"validation_days": 7})})
    play(Policy("judged", (START,)), frame, END, week, tmp_path)
    play(Policy("all", (START,), on_all_labels=True), frame, END, week, tmp_path)
    # 24 days more; and all that was known by midnight, five hours after it was asked.
    assert fitted[1:] == [(12 + 24) * 24 + 10, 45 * 24 - 4]


def test_a_label_that_came_after_the_judged_days_began_is_not_learned(frame, config, tmp_path, fitted):
    late = frame.copy()
    late.loc[0, "known_at"] = moment("2023-01-15 00:01")
    play(Policy("judged", (START,)), late, END, config, tmp_path)
    assert fitted == [12 * 24 + 10 - 1]


def test_what_was_fitted_is_not_fitted_again_after_a_kill(frame, config, tmp_path, fitted):
    policy = Policy("two", (START, moment("2023-03-20 00:00")), on_all_labels=True)
    whole = play(policy, frame, END, config, tmp_path)
    lost = max(tmp_path.rglob("*.parquet"))
    lost.unlink()
    again = play(policy, frame, END, config, tmp_path)
    assert len(fitted) == 2 + 1
    pd.testing.assert_frame_equal(again.scores, whole.scores)
    play(policy, frame.assign(wind=frame["wind"] + 1), END, config, tmp_path)
    assert len(fitted) == 2 + 1 + 2  # another frame is another matter


def test_ways_are_compared_on_the_rows_that_all_have_scored(config):
    keys = (["n1", "n2", "s1", "s3"], ["n2", "s1", "s2"], ["s1", "n2", "n3"])
    scores = [pd.DataFrame({"plant": [key[0] for key in of], "number": [key[1] for key in of]}) for of in keys]
    found = on_the_same_rows(scores, config)
    assert [list(one["plant"] + one["number"]) for one in found] == [["n2", "s1"], ["n2", "s1"], ["s1", "n2"]]
