"""Whether predictions are worse than in validation, on made-up days, for each kind of label."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest
from scipy.stats import t as student
from sklearn.metrics import mean_absolute_error, roc_auc_score

from monitoring.decline import by_slice, decline, qualities
from project.config import load_config
from project.kinds.binary import Binary
from project.kinds.label import Label, Quality
from project.kinds.regression import Regression

SETTINGS = load_config().monitoring.decline
BINARY = Binary(kind="binary", column="y", outcome="closed", positives="returns")
REGRESSION = Regression(kind="regression", column="y", outcome="closed", quantity="duration", unit="minutes")
KINDS = pytest.mark.parametrize("label", [BINARY, REGRESSION], ids=["binary", "regression"])
START = pd.Timestamp("2024-01-08", tz="UTC")
ROWS = 1000


def made(label: Label, days: int, seed: int) -> pd.DataFrame:
    """Days of true probabilities, or of true means of durations."""
    random = np.random.default_rng(seed)
    probability = random.beta(2, 5, days * ROWS)
    if label is BINARY:
        prediction, happened = probability, (random.random(days * ROWS) < probability).astype(float)
    else:
        prediction = 100 * probability
        # Days differ in how hard they are.
        happened = prediction + np.repeat(random.uniform(9, 11, days), ROWS) * random.standard_normal(days * ROWS)
    return pd.DataFrame(
        {
            "day": np.repeat(START + pd.to_timedelta(np.arange(days), unit="D"), ROWS),
            # Twenty moments of each day.
            "asked_at": START + pd.to_timedelta(np.arange(days * ROWS) // 50 * (24 / 20), unit="h"),
            "prediction": prediction,
            "y": happened,
            "region": random.choice(["north", "south"], days * ROWS),
        }
    )


def measured(label: Label, rows: pd.DataFrame) -> pd.DataFrame:
    return qualities(rows, rows["day"], label, "prediction", "asked_at", 100)


def worse(rows: pd.DataFrame, share: float) -> pd.DataFrame:
    """A share of the predictions changes places, so that they promise as much and keep less."""
    random = np.random.default_rng(9)
    swapped = random.random(len(rows)) < share
    prediction = rows["prediction"].to_numpy(copy=True)
    prediction[swapped] = random.permutation(prediction[swapped])
    return rows.assign(prediction=prediction)


def validation(label: Label) -> pd.DataFrame:
    return measured(label, made(label, 56, seed=1))


def test_the_ranking_of_a_day_is_scikit_learns_beside_that_of_true_probabilities() -> None:
    rows = made(BINARY, 1, seed=2)
    (found,) = measured(BINARY, rows).itertuples(index=False)
    assert found.value == pytest.approx(roc_auc_score(rows["y"], rows["prediction"]))
    outcomes = np.random.default_rng(3).random((300, ROWS)) < rows["prediction"].to_numpy()
    simulated = np.mean([roc_auc_score(outcome, rows["prediction"]) for outcome in outcomes])
    assert found.promised == pytest.approx(simulated, abs=0.003)


def test_a_day_is_easy_where_the_moment_tells_more_than_the_predictions_say() -> None:
    rows = made(BINARY, 1, seed=2)
    hour = rows["asked_at"].dt.hour.to_numpy()
    later = rows.assign(y=(np.random.default_rng(3).random(ROWS) < rows["prediction"] * hour / 12).astype(float))
    (found,) = measured(BINARY, later).itertuples(index=False)
    outcomes = np.random.default_rng(4).random((300, ROWS)) < later["prediction"].to_numpy()
    foreseen = np.mean([roc_auc_score(outcome, later["asked_at"].rank()) for outcome in outcomes])
    assert found.ease == pytest.approx(roc_auc_score(later["y"], later["asked_at"].rank()) - foreseen, abs=0.003)
    assert found.ease > 0.1


def test_the_error_of_a_day_is_scikit_learns() -> None:
    rows = made(REGRESSION, 1, seed=2)
    (found,) = measured(REGRESSION, rows).itertuples(index=False)
    assert found.value == pytest.approx(mean_absolute_error(rows["y"], rows["prediction"]))


@KINDS
def test_a_model_that_is_as_it_was_is_left_in_peace(label: Label) -> None:
    found = decline(validation(label), measured(label, made(label, 10, seed=4)), 0.01, SETTINGS, label)
    assert found is not None
    assert found.ratio < 1


@pytest.mark.parametrize(
    ("label", "title", "way"), [(BINARY, "ROC AUC", "less"), (REGRESSION, "Mean absolute error", "more")]
)
def test_a_decline_is_told_with_what_was_expected(label: Label, title: str, way: str) -> None:
    found = decline(validation(label), measured(label, worse(made(label, 10, seed=4), 0.5)), 0.01, SETTINGS, label)
    assert found is not None
    assert found.ratio > 1
    fallen = found.expected - found.value if way == "less" else found.value - found.expected
    assert fallen > found.bound
    said = f"{title} of the last 10 days is {found.value:.3f} where {found.expected:.3f} was expected"
    assert found.sentence == f"{said} (at most {found.bound:.3f} {way})"


@KINDS
def test_a_model_that_is_better_than_it_was_is_left_in_peace(label: Label) -> None:
    poor = worse(made(label, 56, seed=1), 0.5)
    found = decline(measured(label, poor), measured(label, made(label, 10, seed=4)), 0.01, SETTINGS, label)
    assert found is not None
    assert found.ratio == 0


def test_days_that_are_hard_to_rank_are_no_decline() -> None:
    """Probabilities that are all alike promise little, and keep it."""
    random = np.random.default_rng(50)
    alike = made(BINARY, 10, seed=5).assign(prediction=lambda rows: 0.25 + 0.2 * (rows["prediction"] - 0.28))
    calm = alike.assign(y=(random.random(len(alike)) < alike["prediction"]).astype(float))
    found = decline(validation(BINARY), measured(BINARY, calm), 0.01, SETTINGS, BINARY)
    assert found is not None
    assert found.value < 0.6
    assert found.ratio < 1


@KINDS
@pytest.mark.parametrize(("bad_days", "is_named"), [(1, False), (2, False), (3, True), (10, True)])
def test_a_bad_day_or_two_are_none_of_the_models_fault(label: Label, bad_days: int, is_named: bool) -> None:
    rows = made(label, 10, seed=4)
    bad = rows["day"] > rows["day"].max() - pd.Timedelta(days=bad_days)
    some = pd.concat([rows[~bad], worse(rows[bad], 1.0)])
    found = decline(validation(label), measured(label, some), 0.01, SETTINGS, label)
    assert found is not None
    assert (found.ratio > 1) is is_named


def made_days(gaps: Sequence[float] | np.ndarray, ease: np.ndarray) -> pd.DataFrame:
    """Days of a ROC AUC that is so much better than the 0.7 that was promised."""
    return pd.DataFrame({"value": 0.7 + np.asarray(gaps), "promised": 0.7, "ease": ease})


def test_the_bound_is_that_of_the_difference_of_two_means() -> None:
    before = made_days([0.04, -0.04] * 28, np.zeros(56))
    found = decline(before, made_days([-0.03] * 10, np.zeros(10)), 0.01, SETTINGS, BINARY)
    assert found is not None
    deviation = 0.04 * np.sqrt(56 / 54)
    assert found.bound == pytest.approx(student.ppf(0.99, 54) * deviation * np.sqrt(1 / 56 + 1 / 10))
    assert found.ratio == pytest.approx(0.03 / found.bound)
    assert (found.value, found.expected) == pytest.approx((0.67, 0.70))


def test_a_model_that_is_as_it_was_is_named_as_often_as_was_allowed() -> None:
    random = np.random.default_rng(11)
    named = 0
    for _ in range(600):
        ease = random.normal(0, 0.1, 70)
        days = made_days(0.5 * ease + random.normal(0, 0.04, 70), ease)
        found = decline(days.head(60), days.tail(10), 0.1, SETTINGS, BINARY)
        named += found is not None and found.ratio > 1
    assert named / 600 == pytest.approx(0.1, abs=0.035)


@pytest.mark.parametrize(("ease", "is_named"), [(0.0, True), (-0.1, False)])
def test_a_fall_on_days_that_were_hard_is_no_decline(ease: float, is_named: bool) -> None:
    random = np.random.default_rng(12)
    usual = random.normal(0, 0.1, 56)
    before = made_days(0.5 * usual + random.normal(0, 0.03, 56), usual)
    found = decline(before, made_days(random.normal(-0.05, 0.03, 10), np.full(10, ease)), 0.01, SETTINGS, BINARY)
    assert found is not None
    assert (found.ratio > 1) is is_named


def test_a_day_that_was_measured_before_there_was_the_figure_is_neither_easy_nor_hard() -> None:
    day = {"roc_auc": 0.7, "expected_roc_auc": 0.71, "time_excess": None}
    assert BINARY.recorded_quality(day) == Quality(0.7, 0.71, 0.0)


@KINDS
def test_too_few_days_of_either_say_nothing(label: Label) -> None:
    before, days = validation(label), measured(label, made(label, 10, seed=4))
    assert decline(before, days.head(9), 0.01, SETTINGS, label) is None
    assert decline(before.head(13), days, 0.01, SETTINGS, label) is None


def test_days_with_few_labels_or_one_class_are_not_measured() -> None:
    rows = made(BINARY, 3, seed=6)
    first, second = sorted(rows["day"].unique())[:2]
    rows.loc[(rows["day"] == first) & (rows.index % 20 > 0), "y"] = np.nan
    rows.loc[rows["day"] == second, "y"] = 0.0
    assert list(measured(BINARY, rows).index) == [rows["day"].max()]


def test_slices_are_the_values_of_their_columns() -> None:
    rows = made(BINARY, 1, seed=7)
    assert {key: len(own) for key, own in by_slice(rows, ("region", "none")).items()} == {
        ("region", value): number for value, number in rows["region"].value_counts().items()
    }
