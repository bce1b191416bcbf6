"""A model is loaded and answers in a fresh process that has its requirements alone; real models, real processes."""

import importlib.metadata
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pytest
from mlflow.models import infer_signature

from project.config import Validation, load_config
from training.model_code import model_code
from validation.requirements import modules_of
from validation.servable import Served, judge_servable, judge_served

ROWS = pd.DataFrame({"x": np.linspace(0, 1, 50), "shop": "Alder"}).assign(prediction=lambda rows: rows["x"] / 2)
REQUIREMENTS = [f"{name}=={importlib.metadata.version(name)}" for name in ("mlflow", "pandas", "numpy")]
MODEL = """
{imports}
from mlflow.models import set_model
from mlflow.pyfunc import PythonModel

class Half(PythonModel):
    def predict(self, context, model_input, params=None):
        return model_input["x"].to_numpy() / 2

set_model(Half())
"""


CODE = """
class Half:
    def predict(self, rows):
        return rows["x"].to_numpy() / 2
"""


@pytest.fixture
def gates() -> Validation:
    """No matter of the label's kind."""
    return load_config().validation


def save(folder: Path, imports: str = "", requirements: list[str] = REQUIREMENTS) -> Path:
    code = folder / "half.py"
    code.write_text(MODEL.format(imports=imports))
    example = ROWS[["x", "shop"]].head(5)
    signature = infer_signature(example, np.zeros(5))
    mlflow.pyfunc.save_model(
        str(folder / "model"),
        python_model=str(code),
        signature=signature,
        input_example=example,
        pip_requirements=requirements,
    )
    return folder / "model"


def judged(model: Path, gates, rows=ROWS):
    return {gate.name: gate for gate in judge_servable(model, rows, "prediction", gates.servable)}


def test_a_servable_model_passes_every_gate(tmp_path, gates):
    found = judged(save(tmp_path), gates)
    assert [gate.sentence for gate in found.values() if not gate.passed] == []
    assert set(found) == {"fresh process", "input example", "signature", "latency", "skew"}


def test_a_model_s_own_code_is_found_where_it_was_logged(tmp_path, gates):
    source, folder = tmp_path / "model.py", tmp_path / "model"
    source.write_text(CODE)
    example = ROWS[["x", "shop"]].head(5)
    with model_code(source) as (code, file):
        mlflow.sklearn.save_model(
            *(code.Half(), str(folder)),
            code_paths=[str(file)],
            signature=infer_signature(example, np.zeros(5)),
            input_example=example,
            pip_requirements=[*REQUIREMENTS, f"scikit-learn=={importlib.metadata.version('scikit-learn')}"],
        )
    assert [gate.sentence for gate in judged(folder, gates).values() if not gate.passed] == []
    (copied,) = (folder / "code").glob("*.py")
    copied.unlink()
    (gate,) = judged(folder, gates).values()
    assert copied.stem in gate.sentence


def test_a_model_that_imports_what_it_does_not_require_is_stopped(tmp_path, gates, monkeypatch):
    model = save(tmp_path)
    (script,) = model.glob("half.py")
    script.write_text(MODEL.format(imports="import pytest"))
    (gate,) = judged(model, gates).values()
    assert not gate.passed
    assert "pytest" in gate.sentence


def test_a_requirement_that_is_not_there_is_named(tmp_path, gates):
    model = save(tmp_path)
    (model / "requirements.txt").write_text("numpy==0.1\n")
    (gate,) = judged(model, gates).values()
    assert (gate.passed, gate.value is not None) == (False, True)
    assert "numpy==0.1" in gate.sentence


def served(**changes) -> Served:
    good = {"example_rows": 5, "answered_rows": 5, "keeps_signature": True, "seconds": 0.1}
    return Served(**(good | {"predictions": ROWS["prediction"].to_numpy()} | changes))


@pytest.mark.parametrize(
    ("changes", "gate"),
    [
        ({"seconds": 60.0}, "latency"),
        ({"keeps_signature": False}, "signature"),
        ({"answered_rows": 4}, "input example"),
        ({"example_rows": 0}, "input example"),
        ({"predictions": ROWS["prediction"].to_numpy() + 1e-6}, "skew"),
        ({"predictions": np.full(len(ROWS), np.nan)}, "skew"),
    ],
)
def test_each_gate_stops_its_own_fault_alone(changes, gate, gates):
    assert [g.name for g in judge_served(served(), ROWS["prediction"], gates.servable) if not g.passed] == []
    failed = [g.name for g in judge_served(served(**changes), ROWS["prediction"], gates.servable) if not g.passed]
    assert failed == [gate]


def test_requirements_bring_what_they_require_in_turn_and_no_more():
    modules = modules_of(["# a comment", f"pandas=={importlib.metadata.version('pandas')}"])
    assert {"pandas", "numpy", "dateutil"} <= modules
    assert not {"mlflow", "pytest", "pyspark"} & modules
    with pytest.raises(LookupError, match="no-such-package"):
        modules_of(["no-such-package"])
