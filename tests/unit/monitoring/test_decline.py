"""Whether predictions rank worse than in validation, on made-up days of known probabilities."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from monitoring.decline import by_slice, decline, expected_roc_auc, ranks
from project.config import load_config

SETTINGS = load_config().monitoring.decline
START = pd.Timestamp("2013-01-07", tz="UTC")
ROWS = 1000


def made(days: int, seed: int) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    probability = random.beta(2, 5, days * ROWS)
    return pd.DataFrame(
        {
            "day": np.repeat(START + pd.to_timedelta(np.arange(days), unit="D"), ROWS),
            "prediction": probability,
            "late": (random.random(days * ROWS) < probability).astype(float),
            "origin": random.choice(["EWR", "JFK"], days * ROWS),
        }
    )


def measured(rows: pd.DataFrame) -> pd.DataFrame:
    return ranks(rows, rows["day"], "late", "prediction", 100)


def worse(rows: pd.DataFrame, share: float) -> pd.DataFrame:
    """A share of the predictions changes places, so that they promise as much and keep less."""
    random = np.random.default_rng(9)
    swapped = random.random(len(rows)) < share
    prediction = rows["prediction"].to_numpy(copy=True)
    prediction[swapped] = random.permutation(prediction[swapped])
    return rows.assign(prediction=prediction)


@pytest.fixture(scope="module")
def validation() -> pd.DataFrame:
    return measured(made(56, seed=1))


def test_the_figures_of_a_day_are_scikit_learns_and_those_of_true_probabilities() -> None:
    rows = made(1, seed=2)
    (found,) = measured(rows).itertuples(index=False)
    assert found.roc_auc == pytest.approx(roc_auc_score(rows["late"], rows["prediction"]))
    outcomes = np.random.default_rng(3).random((300, ROWS)) < rows["prediction"].to_numpy()
    simulated = np.mean([roc_auc_score(late, rows["prediction"]) for late in outcomes])
    assert expected_roc_auc(rows["prediction"].to_numpy()) == pytest.approx(simulated, abs=0.003)


def test_a_model_that_is_as_it_was_is_left_in_peace(validation: pd.DataFrame) -> None:
    found = decline(validation, measured(made(10, seed=4)), 0.01, SETTINGS)
    assert found is not None
    assert found.ratio < 1


def test_a_decline_is_told_with_what_was_expected(validation: pd.DataFrame) -> None:
    found = decline(validation, measured(worse(made(10, seed=4), 0.5)), 0.01, SETTINGS)
    assert found is not None
    assert found.ratio > 1
    assert found.expected - found.roc_auc > found.bound
    assert f"{found.roc_auc:.3f} where {found.expected:.3f} was expected" in found.sentence


def test_days_that_are_hard_to_rank_are_no_decline(validation: pd.DataFrame) -> None:
    """Probabilities that are all alike promise little, and keep it."""
    random = np.random.default_rng(50)
    alike = made(10, seed=5).assign(prediction=lambda rows: 0.25 + 0.2 * (rows["prediction"] - 0.28))
    calm = alike.assign(late=(random.random(len(alike)) < alike["prediction"]).astype(float))
    found = decline(validation, measured(calm), 0.01, SETTINGS)
    assert found is not None
    assert found.roc_auc < 0.6
    assert found.ratio < 1


def test_one_bad_day_is_none_of_the_models_fault(validation: pd.DataFrame) -> None:
    rows = made(10, seed=4)
    bad = rows["day"] == rows["day"].max()
    one = pd.concat([rows[~bad], worse(rows[bad], 1.0)])
    found = decline(validation, measured(one), 0.01, SETTINGS)
    assert found is not None
    assert found.ratio < 1


def test_too_few_days_of_either_say_nothing(validation: pd.DataFrame) -> None:
    days = measured(made(10, seed=4))
    assert decline(validation, days.head(9), 0.01, SETTINGS) is None
    assert decline(validation.head(13), days, 0.01, SETTINGS) is None


def test_days_with_few_labels_or_one_outcome_are_not_measured() -> None:
    rows = made(3, seed=6)
    first, second = sorted(rows["day"].unique())[:2]
    rows.loc[(rows["day"] == first) & (rows.index % 20 > 0), "late"] = np.nan
    rows.loc[rows["day"] == second, "late"] = 0.0
    assert list(measured(rows).index) == [rows["day"].max()]


def test_slices_are_the_values_of_their_columns() -> None:
    rows = made(1, seed=7)
    assert {key: len(own) for key, own in by_slice(rows, ("origin", "none")).items()} == {
        ("origin", value): number for value, number in rows["origin"].value_counts().items()
    }
