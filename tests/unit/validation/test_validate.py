"""All gates together: each group is asked, and what is missing does not pass."""

import json
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from project.config import load_config
from project.training_data import TrainingData
from validation.gates import Gate
from validation.slices import measure, slice_values
from validation.validate import judge, same_rows
from validation.version import JudgedVersion

JULY = datetime(2024, 7, 1, tzinfo=UTC)
WINDOW = (JULY, JULY + timedelta(days=31))
GROUPS = {"performance", "slices", "behaviour", "servable", "data"}
BEHAVIOUR = load_config().validation.behaviour
SHIFTED = [shift.column for worse in BEHAVIOUR.worse for shift in worse.shifts]


@pytest.fixture
def version(tmp_path, config) -> JudgedVersion:
    """One that answers here, and has no files to serve."""
    mean, trained = {"binary": (0.25, {"roc_auc": 0.75}), "regression": (15.0, {"mae": 2.5})}[config.label.kind]
    return JudgedVersion(
        folder=tmp_path,
        predict=lambda rows: np.full(len(rows), 0.3),
        inputs=(SHIFTED[0],),
        data=TrainingData(100_000, mean, {SHIFTED[0]: 0.0}, JULY.isoformat()),
        trained=trained,
    )


@pytest.fixture
def rows(month):
    others = {name: 1.0 for name in SHIFTED if name not in month}
    others |= {name: "x" for name in (*BEHAVIOUR.irrelevant, *BEHAVIOUR.unseen) if name not in month}
    return month.assign(**others)


def judged(version, rows, predictions, config) -> list[Gate]:
    slices = slice_values(rows, config.slices, config.validation.slices.bands)
    measured = measure(rows[config.label.column], predictions, slices, config.label)
    return judge(version, rows, WINDOW, predictions, measured, config)


def failed(gates: list[Gate]) -> list[str]:
    return [gate.name for gate in gates if not gate.passed]


def test_each_group_is_asked_and_one_gate_stops_a_version(version, rows, config):
    gates = judged(version, rows, {"challenger": rows["prediction"]}, config)
    assert {gate.group for gate in gates} == GROUPS
    assert failed(gates) == ["fresh process"]
    assert not any("champion" in gate.name for gate in gates)


def test_a_version_judged_while_a_week_s_labels_are_late_is_stopped_by_that_too(version, rows, config):
    known = rows[rows[config.subject.event_time] < JULY + timedelta(days=23)]
    gates = judged(version, known, {"challenger": known["prediction"]}, config)
    assert failed(gates) == ["fresh process", "judged days"]


def test_the_champion_is_compared_on_the_same_rows(version, rows, config):
    good, worse = rows["prediction"], rows["prediction"] * 0.4 + 0.2
    metric = {"binary": "log_loss", "regression": "mae"}[config.label.kind]
    behind = judged(version, rows, {"challenger": worse, "champion": good}, config)
    assert f"{metric} against champion" in failed(behind)
    ahead = judged(version, rows, {"challenger": good, "champion": worse}, config)
    assert failed(ahead) == ["fresh process"]


def test_no_rows_pass_nothing_and_raise_nothing(version, rows, config):
    none = rows.head(0)
    gates = judged(version, none, {"challenger": none["prediction"], "champion": none["prediction"]}, config)
    assert {gate.group for gate in gates if not gate.passed} >= GROUPS - {"slices", "data"}
    assert json.dumps([gate.as_dict() for gate in gates], allow_nan=False)


def test_a_champion_s_predictions_are_found_by_all_columns_of_the_key():
    rows = pd.DataFrame({"station": ["a", "a", "b", "b"], "hour": [1, 2, 1, 2], "prediction": [0.0] * 4})
    champion = pd.DataFrame({"hour": [1, 2, 2], "station": ["b", "b", "a"], "prediction": [0.3, 0.4, 0.2]})
    found = same_rows(rows, champion, ["station", "hour"])["prediction"]
    assert found.index.equals(rows.index)
    assert np.isnan(found[0])
    assert found[1:].tolist() == [0.2, 0.3, 0.4]
