"""What a model does with rows that were changed on purpose; each gate has a model that it alone stops."""

import numpy as np
import pandas as pd
import pytest

from project.config import load_config
from validation.behaviour import judge_behaviour, worsen

WORSENED = {shift.column for worse in load_config().validation.behaviour.worse for shift in worse.shifts}
OPTIONAL = sorted(WORSENED)


@pytest.fixture
def rows():
    random = np.random.default_rng(2)
    numbers = pd.DataFrame({name: random.uniform(0, 1, 200) for name in OPTIONAL})
    texts = {"flight_id": "1", "tailnum": "N1", "carrier": "UA", "origin": "EWR", "dest": "LAX"}
    return numbers.assign(visib=10.0, **texts)


def honest(rows):
    """More of everything is worse, but of visibility."""
    worse = rows[[name for name in OPTIONAL if name != "visib"]].fillna(0).sum(axis=1) - rows["visib"].fillna(10)
    return (1 / (1 + np.exp(-(worse - worse.clip(0, 60)) * 0.01 - 0.02 * worse))).to_numpy()


def judged(predict, rows, gates):
    return {gate.name: gate for gate in judge_behaviour(predict, rows, OPTIONAL, gates.behaviour)}


def failed(predict, rows, gates):
    return [name for name, gate in judged(predict, rows, gates).items() if not gate.passed]


def test_an_honest_model_passes_every_gate(rows, gates):
    found = judged(honest, rows, gates)
    assert [gate.sentence for gate in found.values() if not gate.passed] == []
    assert {
        "worse: rain",
        "worse: congestion",
        "irrelevant: flight_id",
        "irrelevant: row order",
        "missing inputs",
    } <= set(found)
    assert {"unseen carrier", "unseen origin"} <= set(found)


@pytest.mark.parametrize(
    ("name", "column", "sign"),
    [
        ("rain", "precip_3h", 1),
        ("low visibility", "visib", -1),
        ("wind", "wind_speed", 1),
        ("congestion", "waiting", 1),
    ],
)
def test_an_inverted_model_is_stopped_by_its_direction_alone(rows, gates, name, column, sign):
    def inverted(given):
        return honest(given.assign(**dict.fromkeys(OPTIONAL, 0.0))) - sign * 0.01 * given[column].fillna(0).to_numpy()

    shifted = worsen(rows, next(worse for worse in gates.behaviour.worse if worse.name == name))[column]
    assert (sign * (shifted - rows[column])).mean() > 0.29
    fall = judged(lambda given: inverted(given) + 0.2, rows, gates)[f"worse: {name}"].value
    assert fall == pytest.approx(0.01 * float((sign * (shifted - rows[column])).mean()))
    big = lambda given: 0.5 - sign * 0.02 * (given[column].fillna(0).to_numpy() - 5)  # noqa: E731
    assert failed(lambda given: np.clip(big(given), 0, 1), rows, gates) == [f"worse: {name}"]


def test_a_model_that_reads_the_flight_number_is_stopped(rows, gates):
    assert failed(lambda given: honest(given) * np.where(given["flight_id"] == "1", 1, 0.999), rows, gates) == [
        "irrelevant: flight_id"
    ]


def test_a_model_that_minds_the_order_of_rows_is_stopped(rows, gates):
    assert failed(lambda given: honest(given) * np.linspace(0.99, 1, len(given)), rows, gates) == [
        "irrelevant: row order"
    ]


def test_a_model_that_needs_every_input_is_stopped(rows, gates):
    def needy(given):
        return honest(given) + 0 * given["wind_gust"].to_numpy()

    assert failed(needy, rows, gates) == ["missing inputs"]


def test_a_model_that_breaks_on_an_unseen_carrier_is_stopped_with_the_reason(rows, gates):
    def strict(given):
        if not given["carrier"].eq("UA").all():
            raise ValueError("unknown carrier")
        return honest(given)

    assert failed(strict, rows, gates) == ["unseen carrier"]
    assert "unknown carrier" in judged(strict, rows, gates)["unseen carrier"].sentence


def test_a_shift_stays_within_its_bounds_and_leaves_what_is_missing(gates):
    rows = pd.DataFrame({"visib": [10.0, 2.0, np.nan]})
    worse = next(one for one in gates.behaviour.worse if one.name == "low visibility")
    assert worsen(rows, worse)["visib"].tolist()[:2] == [4.0, 0.0]
    assert np.isnan(worsen(rows, worse)["visib"].iloc[2])
