"""The model answers with probabilities: of what is missing or new too, and out of fold in training."""

import numpy as np
import pandas as pd
import pytest

from use_case.model import Probability, make_candidate, make_model

CATEGORICAL, PARAMETERS = ("shop", "product"), {"max_iter": 10, "min_samples_leaf": 5}


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    random = np.random.default_rng(0)
    price, product = random.normal(50, 10, 300), np.where(random.random(300) < 0.2, None, "shoes")
    return pd.DataFrame({"price": price, "shop": random.choice(["Alder", "Birch"], 300), "product": product})


@pytest.fixture(scope="module")
def label(rows) -> pd.Series:
    """Certain but for one row in ten, which is the other way round."""
    is_returned = (rows["price"] > 50) & (rows["shop"] == "Birch")
    return (is_returned ^ (rows.index % 10 == 0)).astype(float)


@pytest.fixture(scope="module")
def model(rows, label) -> Probability:
    return make_model(CATEGORICAL, PARAMETERS, seed=1).fit(rows, label, rows.index.to_series() // 50)


def test_out_of_fold_a_row_is_predicted_by_what_has_not_seen_it(model, rows, label):
    assert model.out_of_fold_.shape == label.shape
    assert np.corrcoef(model.out_of_fold_, label)[0, 1] > 0.4
    assert (model.out_of_fold_ != model.predict(rows)).mean() > 0.9


def test_what_is_missing_or_new_gets_a_probability_and_none_is_nan(model, rows):
    new = rows.head(20).assign(shop="Nowhere", price=np.nan, product=None)
    predicted = model.predict(new)
    assert ((predicted > 0) & (predicted < 1)).all()
    assert (predicted == model.predict(new.assign(product=np.nan))).all()


def test_a_search_tries_what_would_be_trained(model, rows, label):
    candidate = make_candidate(CATEGORICAL, PARAMETERS, seed=1).fit(rows, label)
    assert (candidate.predict(rows) == model.predict(rows)).all()
