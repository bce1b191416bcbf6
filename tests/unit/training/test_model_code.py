"""Two versions whose code differs are loaded in one process, and each answers by its own."""

import json
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import mlflow
import pandas as pd
import pytest

from training.model_code import model_code

CODE = """
import numpy as np


class Model:
    def predict(self, rows):
        return np.full(len(rows), {answer})


def make_model():
    return Model()
"""
ANSWERS = (0.25, 0.75)
LOAD = """
import importlib.util, json, sys
import mlflow, pandas
assert importlib.util.find_spec("use_case") is None
models = [mlflow.pyfunc.load_model(folder) for folder in sys.argv[1:]]
print(json.dumps([model.predict(pandas.DataFrame({"x": [1.0]})).tolist() for model in models]))
"""


@pytest.fixture
def versions(tmp_path: Path) -> list[str]:
    """Saved models, one of each code."""
    folders = []
    for answer in ANSWERS:
        source = tmp_path / "model.py"
        source.write_text(CODE.format(answer=answer))
        with model_code(source) as (code, file):
            folders.append(str(tmp_path / str(answer)))
            requirements = [f"mlflow=={version('mlflow')}"]
            mlflow.sklearn.save_model(
                code.make_model(), folders[-1], code_paths=[str(file)], pip_requirements=requirements
            )
    return folders


def test_in_this_process_each_version_answers_by_its_own_code(versions: list[str]) -> None:
    models = [mlflow.pyfunc.load_model(folder) for folder in versions]
    assert [model.predict(pd.DataFrame({"x": [1.0]})).tolist() for model in models] == [[0.25], [0.75]]


def test_in_a_process_without_the_repository_too(versions: list[str]) -> None:
    command = [sys.executable, "-I", "-c", LOAD, *versions]
    said = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603 - our own script
    assert json.loads(said.stdout) == [[0.25], [0.75]]


def test_the_same_code_is_one_module_and_its_file_is_the_code(tmp_path: Path) -> None:
    source = tmp_path / "model.py"
    source.write_text(CODE.format(answer=0.5))
    with model_code(source) as (first, file):
        assert file.read_text() == source.read_text()
        assert file.stem == first.__name__
    with model_code(source) as (again, file):
        assert again is first, "what it has made can be pickled: its class is still the module's"
        assert file.exists()
