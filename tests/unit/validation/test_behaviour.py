"""What a model does with rows that were changed on purpose; each gate has a model that it alone stops."""

import numpy as np
import pandas as pd
import pytest

from project.config import Shift, Worse, load_config
from validation.behaviour import judge_behaviour, worsen

BEHAVIOUR = load_config().validation.behaviour
SHIFTS = {shift.column: shift for worse in BEHAVIOUR.worse for shift in worse.shifts}
OPTIONAL = sorted(SHIFTS)


@pytest.fixture
def rows():
    random = np.random.default_rng(2)
    numbers = {name: random.uniform(0, by, 200) if (by := SHIFTS[name].by) > 0 else 10.0 for name in OPTIONAL}
    return pd.DataFrame(numbers).assign(**dict.fromkeys((*BEHAVIOUR.irrelevant, *BEHAVIOUR.unseen), "seen"))


def honest(rows):
    """What is worse in the configuration is worse to it."""
    return 0.5 + 0.001 * sum(np.sign(SHIFTS[name].by) * rows[name].fillna(1).to_numpy() for name in OPTIONAL)


def judged(predict, rows, config):
    return {gate.name: gate for gate in judge_behaviour(predict, rows, OPTIONAL, config)}


def failed(predict, rows, config):
    return [name for name, gate in judged(predict, rows, config).items() if not gate.passed]


def test_an_honest_model_passes_every_gate(rows, config):
    found = judged(honest, rows, config)
    assert [gate.sentence for gate in found.values() if not gate.passed] == []
    expected = {f"worse: {worse.name}" for worse in BEHAVIOUR.worse} | {"missing inputs", "irrelevant: row order"}
    expected |= {f"irrelevant: {name}" for name in BEHAVIOUR.irrelevant}
    assert set(found) == expected | {f"unseen {name}" for name in BEHAVIOUR.unseen}


@pytest.mark.parametrize("worse", BEHAVIOUR.worse, ids=lambda worse: worse.name)
def test_an_inverted_model_is_stopped_by_its_direction_alone(rows, config, worse):
    shift = worse.shifts[0]

    def inverted(given):
        return 0.5 - 0.1 * given[shift.column].fillna(0).to_numpy() / shift.by

    moved = ((worsen(rows, worse)[shift.column] - rows[shift.column]) / shift.by).mean()
    assert moved > 0.5
    gate = judged(inverted, rows, config)[f"worse: {worse.name}"]
    assert gate.value == pytest.approx(0.1 * moved)
    assert gate.sentence.startswith(f"the fall of the mean prediction under {worse.name} is ")
    assert failed(inverted, rows, config) == [f"worse: {worse.name}"]


def test_a_model_that_reads_the_key_is_stopped(rows, config):
    name = config.subject.key[0]
    assert failed(lambda given: honest(given) * np.where(given[name] == "seen", 1, 0.999), rows, config) == [
        f"irrelevant: {name}"
    ]


def test_a_model_that_minds_the_order_of_rows_is_stopped(rows, config):
    assert failed(lambda given: honest(given) * np.linspace(0.99, 1, len(given)), rows, config) == [
        "irrelevant: row order"
    ]


def test_a_model_that_needs_every_input_is_stopped(rows, config):
    def needy(given):
        return honest(given) + 0 * given[OPTIONAL[0]].to_numpy()

    assert failed(needy, rows, config) == ["missing inputs"]


def test_a_model_that_breaks_on_an_unseen_category_is_stopped_with_the_reason(rows, config):
    name = BEHAVIOUR.unseen[0]

    def strict(given):
        if not given[name].eq("seen").all():
            raise ValueError("unknown category")
        return honest(given)

    assert failed(strict, rows, config) == [f"unseen {name}"]
    assert "unknown category" in judged(strict, rows, config)[f"unseen {name}"].sentence


@pytest.mark.parametrize(("answer", "stopped_by"), [(1.5, "binary"), (-0.5, "both"), (np.inf, "both"), (0.5, "none")])
def test_what_an_answer_is_the_kind_of_label_says(rows, config, answer, stopped_by):
    """Of inputs that are missing; the regression's least value is 0."""
    gate = judged(lambda given: np.where(given[OPTIONAL[0]].isna(), answer, 0.5), rows, config)["missing inputs"]
    assert gate.passed is (stopped_by not in {config.label.kind, "both"})
    kind = {"binary": "probabilities", "regression": "numbers in range"}[config.label.kind]
    assert gate.sentence.startswith(f"the share of answers that are {kind} is ")


def test_a_shift_stays_within_its_bounds_and_leaves_what_is_missing():
    worse = Worse(name="fog", shifts=(Shift(column="sight", by=-6, low=0),))
    shifted = worsen(pd.DataFrame({"sight": [10.0, 2.0, np.nan]}), worse)["sight"]
    assert shifted.tolist()[:2] == [4.0, 0.0]
    assert np.isnan(shifted.iloc[2])
