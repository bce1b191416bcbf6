"""A good mean does not hide a bad slice, and small slices are named."""

import pandas as pd
import pytest

from project.config import Bands
from project.metrics import binary_metrics
from validation.slices import figures_of, judge_slices, measure, slice_values


@pytest.fixture
def slices(month, gates):
    return slice_values(month, ("origin", "carrier"), gates.slices.bands)


def judged(month, slices, gates, challenger, champion=None):
    predictions = {"challenger": challenger} | ({} if champion is None else {"champion": champion})
    return list(judge_slices(measure(month["late"], predictions, slices), gates.slices))


def test_airport_carrier_hour_and_weather_are_judged(month, slices, gates):
    found = judged(month, slices, gates, month["prediction"], month["prediction"])
    assert all(gate.passed for gate in found)
    for key in ("origin", "carrier", "hour_band", "weather"):
        assert [gate.name.endswith(f"by {key}") for gate in found].count(True) == 2


@pytest.mark.parametrize(
    ("key", "value"), [("origin", "EWR"), ("hour_band", "morning"), ("weather", "poor visibility")]
)
def test_a_model_that_is_broken_in_one_slice_is_stopped_by_that_alone(month, slices, gates, key, value):
    good = month["prediction"]
    broken = good.where(slices[key] != value, 1 - good)
    found = judged(month, slices, gates, broken, good)
    stopped = {gate.name for gate in found if not gate.passed and gate.name.endswith(f"by {key}")}
    assert stopped == {f"log_loss_skill by {key}", f"log_loss behind champion by {key}"}
    assert all(f"worst in {value}" in gate.sentence for gate in found if gate.name in stopped)
    assert not any(
        gate.passed for gate in judged(month, slices, gates, broken) if gate.name == f"log_loss_skill by {key}"
    )


def test_a_small_slice_is_named_and_not_judged(month, slices, gates):
    broken = month["prediction"].where(month["carrier"] != "HA", 1 - month["prediction"])
    by_carrier = [g for g in judged(month, slices, gates, broken, month["prediction"]) if g.name.endswith("by carrier")]
    assert all(gate.passed and "HA (60)" in gate.sentence for gate in by_carrier)


def test_figures_are_those_of_the_rows(month, slices):
    measured = measure(month["late"], {"challenger": month["prediction"]}, slices)
    own = measured[(measured["slice_key"] == "origin") & (measured["slice_value"] == "EWR")].iloc[0]
    rows = month[month["origin"] == "EWR"]
    expected = binary_metrics(rows["late"], rows["prediction"])
    assert {name: own[name] for name in expected} == pytest.approx(expected)
    assert figures_of(measured, "challenger") == pytest.approx(binary_metrics(month["late"], month["prediction"]))
    assert figures_of(measured, "champion") == {}
    assert measure(month["late"].head(0), {"challenger": month["prediction"].head(0)}, slices.head(0)).empty


def test_bands_hold_their_lower_edge_and_what_is_missing_is_unknown():
    bands = Bands(name="band", column="x", edges=(0, 3, 8), labels=("low", "high"))
    found = slice_values(
        pd.DataFrame({"x": [0.0, 2.9, 3.0, 8.0, None], "c": ["a", None, "b", "b", "b"]}), ["c"], [bands]
    )
    assert list(found["band"]) == ["low", "low", "high", "unknown", "unknown"]
    assert list(found["c"]) == ["a", "unknown", "b", "b", "b"]
