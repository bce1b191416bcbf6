"""A training refuses a configuration that is about other inputs, before it fits anything."""

from types import SimpleNamespace

import pandas as pd
import pytest

from project.config import load_config
from project.tables import Tables
from tests.unit.tables import moment
from training import train


def test_a_column_that_is_no_input_stops_a_training_before_it_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = pd.DataFrame(
        {"distance_miles": [1.0, 2.0], "origin": ["EWR", "JFK"], "late": [0.0, 1.0], "week": [1.0, 2.0]}
    )
    loaded = SimpleNamespace(load_df=lambda: SimpleNamespace(toPandas=lambda: rows))
    monkeypatch.setattr(train, "make_training_set", lambda *_: loaded)
    with pytest.raises(ValueError, match=r"^slices: there is no column 'carrier'; there are .*distance_miles, origin$"):
        train.train(None, Tables("c", "s"), "c.s.m", "none", moment("2013-08-01"), "abc", load_config())
