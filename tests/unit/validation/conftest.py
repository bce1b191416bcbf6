"""A month of scored flights, made once, and the shipped thresholds."""

import numpy as np
import pandas as pd
import pytest

from project.config import Validation, load_config

ROWS = 6000


@pytest.fixture(scope="session")
def gates() -> Validation:
    return load_config().validation


@pytest.fixture
def month() -> pd.DataFrame:
    """Flights of 30 days: calibrated predictions, and the label; some flights have unusual airports."""
    random = np.random.default_rng(7)
    prediction = random.beta(0.8, 1.8, ROWS)
    moments = pd.Timestamp("2013-07-01", tz="UTC") + pd.to_timedelta(np.arange(ROWS) * 30 / ROWS, unit="D")
    return pd.DataFrame(
        {
            "flight_id": [f"f{place}" for place in range(ROWS)],
            "sched_dep_at": moments,
            "origin": np.where(np.arange(ROWS) % 3 == 0, "EWR", "JFK"),
            "carrier": np.where(np.arange(ROWS) % 100 == 0, "HA", "UA"),
            "departure_minute_of_day": (np.arange(ROWS) * 7 % 1440).astype(float),
            "visib": np.where(np.arange(ROWS) % 5 == 0, 2.0, 10.0),
            "late": (random.uniform(size=ROWS) < prediction).astype(float),
            "prediction": prediction,
        }
    )
