"""The training window's rows within bounds, and training no better than validation."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest

from project.training_data import TrainingData, describe
from validation.data import judge_data, judge_days, judge_optimism

JULY = datetime(2013, 7, 1, tzinfo=UTC)
GOOD = TrainingData(160_000, 0.25, {"temp": 0.01, "wind_gust": 0.76}, known_until=JULY.isoformat())


def failed(data, gates, start=JULY):
    return [gate.name for gate in judge_data(data, start, gates.data) if not gate.passed]


def test_a_bound_that_is_broken_fails_alone(gates):
    assert failed(GOOD, gates) == []
    assert failed(replace(GOOD, rows=gates.data.min_rows - 1), gates) == ["training rows"]
    assert failed(replace(GOOD, label_rate=0.01), gates) == ["label rate at least"]
    assert failed(replace(GOOD, label_rate=0.99), gates) == ["label rate at most"]
    incomplete = replace(GOOD, null_rates=GOOD.null_rates | {"temp": 0.9})
    (gate,) = [g for g in judge_data(incomplete, JULY, gates.data) if not g.passed]
    assert (gate.name, gate.value) == ("null rates", 0.9)
    assert "temp" in gate.sentence


def test_a_version_that_knew_a_judged_day_is_stopped(gates):
    assert failed(GOOD, gates, JULY + timedelta(days=17)) == []
    assert failed(GOOD, gates, JULY - timedelta(minutes=1)) == ["unseen"]


def test_no_record_does_not_pass(gates):
    assert failed(None, gates) == ["training rows"]
    assert failed(replace(GOOD, null_rates={}), gates) == ["null rates"]


def test_a_model_that_leaks_in_training_alone_is_stopped(gates):
    assert judge_optimism({"roc_auc": 0.78}, {"roc_auc": 0.74}, gates.data).passed
    assert not judge_optimism({"roc_auc": 0.70}, {"roc_auc": 0.97}, gates.data).passed
    assert not judge_optimism({"roc_auc": 0.70}, {}, gates.data).passed


def flights_of(*by_day):
    """Scheduled departures (UTC) of so many flights a day, from 1 July on, spread over each day."""
    days = enumerate(by_day)
    return pd.Series([JULY + timedelta(days=day + place / n) for day, n in days for place in range(n)], dtype="object")


@pytest.mark.parametrize(
    ("by_day", "there"),
    [
        ([10] * 14, 14),
        ([10] * 13 + [6], 14),  # the last day's evening is still in the air
        ([10] * 7 + [0] * 7, 7),
        ([10] * 7 + [2] * 7, 7),  # some labels of each day
        ([30, 10, 10, 10, 10, 10, 10] * 2, 14),
    ],
)
def test_days_without_their_labels_are_counted_and_too_many_stop_a_version(gates, by_day, there):
    moments = pd.to_datetime(flights_of(*by_day), utc=True)
    gate = judge_days(moments, (JULY, JULY + timedelta(days=14)), gates.data)
    assert gate.value == pytest.approx(there / 14)
    assert gate.passed is (there == 14)
    assert gate.sentence.startswith(f"{there} of 14 judged days have their labels")


def test_no_row_has_no_day(gates):
    none = pd.to_datetime(pd.Series([], dtype="object"), utc=True)
    assert judge_days(none, (JULY, JULY + timedelta(days=14)), gates.data).value == 0.0


def test_training_describes_its_rows():
    rows = pd.DataFrame({"temp": [1.0, np.nan, 3.0, 4.0], "carrier": ["a", "b", None, None]})
    data = describe(rows, pd.Series([1.0, 0.0, 0.0, 0.0]), JULY.astimezone(ZoneInfo("America/New_York")))
    assert data == TrainingData(4, 0.25, {"temp": 0.25, "carrier": 0.5}, "2013-07-01T00:00:00+00:00")
    assert TrainingData.from_dict(data.as_dict()) == data
