"""A month of scored rows and the bounds, for both kinds of label."""

import numpy as np
import pandas as pd
import pytest

from project.config import Config, Validation
from tests.unit.kinds import KINDS, make_config

ROWS = 6000
_SIZE = {"name": "size", "column": "items", "edges": (1, 2, 4, 100), "labels": ("one", "some", "many")}


@pytest.fixture(scope="session", params=KINDS)
def config(request: pytest.FixtureRequest) -> Config:
    """With two slices of each sort: by a column, and by a number."""
    content = make_config(request.param).model_dump()
    content["slices"] = ("shop", "product")
    content["validation"]["slices"]["bands"] += (_SIZE,)
    return Config.model_validate(content)


@pytest.fixture
def gates(config: Config) -> Validation:
    return config.validation


@pytest.fixture
def month(config: Config) -> pd.DataFrame:
    """Rows of 30 days: predictions that are right on average, and the label; 'rare' is a small slice."""
    random, place = np.random.default_rng(7), np.arange(ROWS)
    if config.label.kind == "binary":
        prediction = random.beta(0.8, 1.8, ROWS)
        label = (random.uniform(size=ROWS) < prediction).astype(float)
    else:
        prediction = random.uniform(9, 21, ROWS)
        label = prediction + random.normal(scale=3, size=ROWS)
    bands = config.validation.slices.bands
    first, second = config.slices
    return pd.DataFrame(
        {band.column: np.array(band.edges[:-1], float)[place // 7 % len(band.labels)] for band in bands}
        | {name: [f"{name} {row}" for row in place] for name in config.subject.key}
        | {
            config.subject.event_time: pd.Timestamp("2024-07-01", tz="UTC")
            + pd.to_timedelta(place * 30 / ROWS, unit="D"),
            first: np.where(place % 3 == 0, "one", "two"),
            second: np.where(place % 100 == 0, "rare", "common"),
            config.label.column: label,
            config.prediction.column: prediction,
        }
    )
