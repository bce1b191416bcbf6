"""All gates together: each group is asked, and what is missing does not pass."""

import json
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from project.config import load_config
from project.training_data import TrainingData
from validation.gates import Gate
from validation.slices import measure, slice_values
from validation.validate import judge
from validation.version import JudgedVersion

CONFIG = load_config().model_copy(update={"slices": ("origin", "carrier")})
JULY = datetime(2013, 7, 1, tzinfo=UTC)
WINDOW = (JULY, JULY + timedelta(days=31))
GROUPS = {"performance", "slices", "behaviour", "servable", "data"}


@pytest.fixture
def version(tmp_path) -> JudgedVersion:
    """One that answers here, and has no files to serve."""
    return JudgedVersion(
        folder=tmp_path,
        predict=lambda rows: np.full(len(rows), 0.3),
        inputs=("visib",),
        data=TrainingData(100_000, 0.25, {"visib": 0.0}, JULY.isoformat()),
        trained={"roc_auc": 0.75},
    )


@pytest.fixture
def rows(month):
    shifted = {shift.column for worse in CONFIG.validation.behaviour.worse for shift in worse.shifts}
    return month.assign(**{name: 1.0 for name in shifted if name not in month}, dest="LAX", tailnum="N1")


def judged(version, rows, predictions) -> list[Gate]:
    slices = slice_values(rows, CONFIG.slices, CONFIG.validation.slices.bands)
    return judge(version, rows, WINDOW, predictions, measure(rows["late"], predictions, slices), CONFIG)


def failed(gates: list[Gate]) -> list[str]:
    return [gate.name for gate in gates if not gate.passed]


def test_each_group_is_asked_and_one_gate_stops_a_version(version, rows):
    gates = judged(version, rows, {"challenger": rows["prediction"]})
    assert {gate.group for gate in gates} == GROUPS
    assert failed(gates) == ["fresh process"]
    assert not any("champion" in gate.name for gate in gates)


def test_a_version_judged_while_a_week_s_labels_are_late_is_stopped_by_that_too(version, rows):
    known = rows[rows["sched_dep_at"] < JULY + timedelta(days=23)]
    assert failed(judged(version, known, {"challenger": known["prediction"]})) == ["fresh process", "judged days"]


def test_the_champion_is_compared_on_the_same_rows(version, rows):
    good, worse = rows["prediction"], rows["prediction"] * 0.4 + 0.2
    assert "log_loss against champion" in failed(judged(version, rows, {"challenger": worse, "champion": good}))
    assert failed(judged(version, rows, {"challenger": good, "champion": worse})) == ["fresh process"]


def test_no_rows_pass_nothing_and_raise_nothing(version, rows):
    none = rows.head(0)
    gates = judged(version, none, {"challenger": none["prediction"], "champion": none["prediction"]})
    assert {gate.group for gate in gates if not gate.passed} >= GROUPS - {"slices", "data"}
    assert json.dumps([gate.as_dict() for gate in gates], allow_nan=False)
