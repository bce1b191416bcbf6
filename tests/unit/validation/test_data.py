"""The training window's rows within bounds, and training no better than validation."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest

from project.training_data import TrainingData, describe
from validation.data import judge_data, judge_days, judge_optimism

JULY = datetime(2024, 7, 1, tzinfo=UTC)
GOOD = TrainingData(160_000, 0.25, {"price": 0.01, "customer_return_share_7d": 0.36}, known_until=JULY.isoformat())
MEAN_LABEL = {"binary": "Share of returned orders in training is 0.", "regression": "Mean duration in training is "}


@pytest.fixture
def good(gates):
    return replace(GOOD, mean_label=sum(gates.data.mean_label) / 2)


def failed(data, config, start=JULY):
    return [gate.name for gate in judge_data(data, start, config) if not gate.passed]


def test_a_bound_that_is_broken_fails_alone(good, config):
    bounds = config.validation.data
    assert failed(good, config) == []
    assert failed(replace(good, rows=bounds.min_rows - 1), config) == ["training rows"]
    low, high = bounds.mean_label
    assert failed(replace(good, mean_label=low - 0.01), config) == ["mean label at least"]
    assert failed(replace(good, mean_label=high + 0.01), config) == ["mean label at most"]
    incomplete = replace(good, null_rates=good.null_rates | {"price": 0.9})
    (gate,) = [g for g in judge_data(incomplete, JULY, config) if not g.passed]
    assert (gate.name, gate.value) == ("null rates", 0.9)
    assert "price" in gate.sentence


def test_the_mean_label_is_called_by_what_it_is(good, config):
    sentences = [gate.sentence for gate in judge_data(good, JULY, config) if gate.name.startswith("mean label")]
    assert [sentence.startswith(MEAN_LABEL[config.label.kind]) for sentence in sentences] == [True, True]


def test_a_version_that_knew_a_judged_day_is_stopped(good, config):
    assert failed(good, config, JULY + timedelta(days=17)) == []
    assert failed(good, config, JULY - timedelta(minutes=1)) == ["unseen"]


def test_no_record_does_not_pass(good, config):
    assert failed(None, config) == ["training rows"]
    assert failed(replace(good, null_rates={}), config) == ["null rates"]


def test_a_model_that_leaks_in_training_alone_is_stopped(config):
    metric, here, by_luck, leaky = {
        "binary": ("roc_auc", 0.70, 0.66, 0.97),
        "regression": ("mae", 4.0, 4.4, 0.7),
    }[config.label.kind]
    bounds = config.validation.data
    assert judge_optimism({metric: here}, {metric: by_luck}, bounds).passed
    assert not judge_optimism({metric: here}, {metric: leaky}, bounds).passed
    assert not judge_optimism({metric: here}, {}, bounds).passed


def moments_of(*by_day):
    """When (UTC) so many rows a day happen, from 1 July on, spread over each day."""
    days = enumerate(by_day)
    return pd.Series([JULY + timedelta(days=day + place / n) for day, n in days for place in range(n)], dtype="object")


@pytest.mark.parametrize(
    ("by_day", "there"),
    [
        ([10] * 14, 14),
        ([10] * 13 + [6], 14),  # the last day's evening has no labels yet
        ([10] * 7 + [0] * 7, 7),
        ([10] * 7 + [2] * 7, 7),  # some labels of each day
        ([30, 10, 10, 10, 10, 10, 10] * 2, 14),
    ],
)
def test_days_without_their_labels_are_counted_and_too_many_stop_a_version(gates, by_day, there):
    moments = pd.to_datetime(moments_of(*by_day), utc=True)
    gate = judge_days(moments, (JULY, JULY + timedelta(days=14)), gates.data)
    assert gate.value == pytest.approx(there / 14)
    assert gate.passed is (there == 14)
    assert gate.sentence.startswith(f"{there} of 14 judged days have their labels")


def test_no_row_has_no_day(gates):
    none = pd.to_datetime(pd.Series([], dtype="object"), utc=True)
    assert judge_days(none, (JULY, JULY + timedelta(days=14)), gates.data).value == 0.0


def test_training_describes_its_rows():
    rows = pd.DataFrame({"price": [1.0, np.nan, 3.0, 4.0], "shop": ["a", "b", None, None]})
    data = describe(rows, pd.Series([1.0, 0.0, 0.0, 0.0]), JULY.astimezone(ZoneInfo("America/New_York")))
    assert data == TrainingData(4, 0.25, {"price": 0.25, "shop": 0.5}, "2024-07-01T00:00:00+00:00")
    assert TrainingData.from_dict(data.as_dict()) == data
