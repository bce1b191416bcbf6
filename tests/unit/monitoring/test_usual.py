"""What a week looks like, and how far another is from it: made-up weeks with known faults."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import t as student

from monitoring.drift import Days, Shift, Usual, weeks_of
from project.config import Drift, load_config

DRIFT = load_config().monitoring.drift.model_copy(update={"ignored": (), "least_low": {}, "false_alarm_rate_of": {}})
NUMERIC, TEXTS = ["heat", "warmth", "glow", "noise", "gaps"], ["place"]
START = pd.Timestamp("2024-01-08", tz="UTC")
ROWS = 200


def made(days: int, start: int = 0, seed: int = 1) -> pd.DataFrame:
    """Days in which `heat` wanders, `warmth` and `glow` follow it; `gaps` is NULL in a fifth of the rows."""
    random = np.random.default_rng(seed)
    day = np.repeat(np.arange(start, start + days), ROWS)
    heat = np.repeat(10 * np.sin(np.arange(start, start + days) / 3), ROWS) + random.normal(0, 3, len(day))
    return pd.DataFrame(
        {
            "day": START + pd.to_timedelta(day, unit="D"),
            "heat": heat,
            "warmth": 2 * heat + random.normal(0, 1, len(day)),
            "glow": -heat + random.normal(0, 1, len(day)),
            "noise": random.normal(0, 1, len(day)),
            "gaps": np.where(random.random(len(day)) < 0.2, np.nan, random.normal(0, 1, len(day))),
            "place": random.choice(["a", "b", "c"], len(day), p=[0.6, 0.3, 0.1]),
        }
    )


@pytest.fixture(scope="module")
def usual() -> Usual:
    return learned(made(70))


def learned(rows: pd.DataFrame, drift: Drift = DRIFT) -> Usual:
    return Usual.of(Days.of(rows, rows["day"], NUMERIC, TEXTS), rows, rows["day"], NUMERIC, TEXTS, drift)


@pytest.fixture
def week() -> pd.DataFrame:
    return made(7, start=70, seed=2)


def unusual(usual: Usual, rows: pd.DataFrame) -> list[Shift]:
    days = Days.of(rows, rows["day"], NUMERIC, TEXTS)
    return usual.shifts(days, rows["day"].max(), beyond=1.0)


def test_a_week_as_the_others_is_left_in_peace(usual: Usual, week: pd.DataFrame) -> None:
    assert unusual(usual, week) == []


@pytest.mark.parametrize("column", ["heat", "warmth", "glow", "noise"])
@pytest.mark.parametrize("sign", [1, -1])
def test_a_shift_of_one_standard_deviation_is_named_with_its_column_alone(
    usual: Usual, week: pd.DataFrame, column: str, sign: int
) -> None:
    by = sign * made(70)[column].std()
    found = unusual(usual, week.assign(**{column: week[column] + by}))
    assert {shift.column for shift in found} == {column}
    level = next(shift for shift in found if shift.kind == "level")
    assert level.value - level.usual == pytest.approx(by, rel=0.2)


def test_what_moves_together_as_it_always_did_is_no_shift(usual: Usual, week: pd.DataFrame) -> None:
    """A heat wave: no week of the baseline was as hot, yet warmth says the same of it."""
    by = 1.5 * made(70)["heat"].std()
    wave = week.assign(heat=week["heat"] + by, warmth=week["warmth"] + 2 * by, glow=week["glow"] - by)
    assert "level" not in {shift.kind for shift in unusual(usual, wave)}


def test_nulls_are_told_in_points(usual: Usual, week: pd.DataFrame) -> None:
    random = np.random.default_rng(3)
    (found,) = unusual(usual, week.assign(noise=week["noise"].mask(random.random(len(week)) < 0.1)))
    assert (found.column, found.kind) == ("noise", "nulls")
    assert (found.value, found.usual) == pytest.approx((0.1, 0.0), abs=0.02)
    assert "of noise is NULL" in found.sentence


def test_a_share_that_is_halved_or_doubled_and_a_new_category_are_told_by_their_names(
    usual: Usual, week: pd.DataFrame
) -> None:
    halved = week.assign(place=week["place"].mask((week["place"] == "c") & (week.index % 2 == 0), "a"))
    (found,) = unusual(usual, halved)
    assert (found.column, found.kind, found.item) == ("place", "share", "c")
    new = week.assign(place=week["place"].mask(week.index % 50 == 0, "z"))
    assert [(shift.kind, shift.value) for shift in unusual(usual, new)] == [("unseen", pytest.approx(0.02, abs=0.001))]


def test_a_column_that_is_stuck_at_one_value_is_told(usual: Usual, week: pd.DataFrame) -> None:
    found = unusual(usual, week.assign(noise=0.0))
    assert [(shift.column, shift.kind) for shift in found] == [("noise", "spread")]


def test_a_feed_that_gives_one_day_again_and_again_is_told_by_its_columns(usual: Usual, week: pd.DataFrame) -> None:
    first = week[week["day"] == week["day"].min()]
    frozen = pd.concat([first.assign(day=day) for day in week["day"].unique()])
    still = {shift.column for shift in unusual(usual, frozen) if shift.kind == "still"}
    assert still >= {"heat", "warmth", "noise"}
    alone = week.assign(noise=frozen["noise"].to_numpy())
    assert unusual(usual, alone) == []


def test_the_shorter_the_baseline_the_wider_its_bounds() -> None:
    exact = DRIFT.model_copy(update={"least": dict.fromkeys(DRIFT.least, 1e-9)})
    widths = {}
    for weeks in (3, 10):
        usual = learned(made(7 * weeks), exact)
        figure = usual.figures.loc[("nulls", "gaps", "")]
        widths[usual.weeks] = figure["bound"] / figure["scale"]
    assert widths[3] > 3 * widths[10]
    with pytest.raises(ValueError, match="it takes at least 2"):
        learned(made(8))


def test_days_here_and_there_are_no_weeks() -> None:
    whole, scattered = (pd.date_range(START, periods=days) for days in (28, 60))
    assert weeks_of(whole) == 4
    assert weeks_of(whole[whole.dayofweek != 5]) == 4, "without Saturdays too"
    assert weeks_of(scattered[scattered.dayofyear % 2 == 0]) == 0
    assert weeks_of(whole[:0]) == 0


def test_a_bound_is_the_distance_of_a_week_from_the_other_weeks() -> None:
    """Worked out anew, for the share of a category: Student's t over the weeks, each beside the mean of the others."""
    exact = DRIFT.model_copy(update={"least": dict.fromkeys(DRIFT.least, 1.0 + 1e-9)})
    rows = made(70)
    of_weeks = (rows["place"].to_numpy() == "b").reshape(10, 7 * ROWS).mean(axis=1)
    misses = [np.log(share) - np.log(np.delete(of_weeks, place)).mean() for place, share in enumerate(of_weeks)]
    expected = student.ppf(1 - DRIFT.false_alarm_rate / 2, 9) * np.sqrt(1.1) * np.sqrt(np.mean(np.square(misses)))
    assert learned(rows, exact).figures.loc[("share", "place", "b"), "bound"] == pytest.approx(expected)


def test_days_without_rows_are_left_out_and_a_day_may_lack_a_column(usual: Usual, week: pd.DataFrame) -> None:
    five = week[week["day"] > week["day"].min() + pd.Timedelta(days=1)]
    assert unusual(usual, five) == []
    found = unusual(usual, week.assign(gaps=np.nan))
    assert [(shift.column, shift.kind, shift.value) for shift in found] == [("gaps", "nulls", 1.0)]
