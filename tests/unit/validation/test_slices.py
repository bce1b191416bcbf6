"""A good mean does not hide a bad slice, and small slices are named."""

import pandas as pd
import pytest

from project.config import Bands
from validation.slices import figures_of, judge_slices, measure, slice_values


@pytest.fixture
def slices(month, config):
    return slice_values(month, config.slices, config.validation.slices.bands)


def judged(month, slices, config, challenger, champion=None):
    predictions = {"challenger": challenger} | ({} if champion is None else {"champion": champion})
    measured = measure(month[config.label.column], predictions, slices, config.label)
    return list(judge_slices(measured, config))


def inverted(prediction):
    """The same predictions in the opposite order."""
    return prediction.min() + prediction.max() - prediction


def test_each_kind_of_slice_is_judged(month, slices, config):
    found = judged(month, slices, config, month["prediction"], month["prediction"])
    assert all(gate.passed for gate in found)
    assert len(config.slice_keys) == 4
    for key in config.slice_keys:
        assert [gate.name.endswith(f"by {key}") for gate in found].count(True) == 2


@pytest.mark.parametrize("place", [0, 2, 3])  # a column, and two of bands
def test_a_model_that_is_broken_in_one_slice_is_stopped_by_that_alone(month, slices, config, place):
    key, good = config.slice_keys[place], month["prediction"]
    value = slices[key].iloc[0]
    broken = good.where(slices[key] != value, inverted(good))
    found = judged(month, slices, config, broken, good)
    floor, behind = config.validation.slices.floor.metric, config.validation.slices.against_champion.metric
    stopped = {gate.name for gate in found if not gate.passed and gate.name.endswith(f"by {key}")}
    assert stopped == {f"{floor} by {key}", f"{behind} behind champion by {key}"}
    assert all(f"worst in {value}" in gate.sentence for gate in found if gate.name in stopped)
    assert not any(gate.passed for gate in judged(month, slices, config, broken) if gate.name == f"{floor} by {key}")


def test_a_small_slice_is_named_and_not_judged(month, slices, config):
    key = config.slices[1]
    broken = month["prediction"].where(month[key] != "rare", inverted(month["prediction"]))
    of_key = [g for g in judged(month, slices, config, broken, month["prediction"]) if g.name.endswith(f"by {key}")]
    assert all(gate.passed and f"under 300 {config.subject.plural}: rare (60)" in gate.sentence for gate in of_key)


def test_figures_are_those_of_the_rows(month, slices, config):
    label, prediction, key = month[config.label.column], month["prediction"], config.slices[0]
    measured = measure(label, {"challenger": prediction}, slices, config.label)
    own = measured[(measured["slice_key"] == key) & (measured["slice_value"] == "one")].iloc[0]
    expected = config.label.measure(label[::3], prediction[::3])
    assert (own["rows"], {name: own[name] for name in expected}) == (2000, pytest.approx(expected))
    assert figures_of(measured, "challenger") == pytest.approx(config.label.measure(label, prediction))
    assert figures_of(measured, "champion") == {}
    assert measure(label.head(0), {"challenger": prediction.head(0)}, slices.head(0), config.label).empty


def test_bands_hold_their_lower_edge_and_what_is_missing_is_unknown():
    bands = Bands(name="band", column="x", edges=(0, 3, 8), labels=("low", "high"))
    found = slice_values(
        pd.DataFrame({"x": [0.0, 2.9, 3.0, 8.0, None], "c": ["a", None, "b", "b", "b"]}), ["c"], [bands]
    )
    assert list(found["band"]) == ["low", "low", "high", "unknown", "unknown"]
    assert list(found["c"]) == ["a", "unknown", "b", "b", "b"]
