"""Models that Python functions within queries score with: each is loaded once a process, whichever task asks first."""

from functools import cache
from threading import Lock

import mlflow
from mlflow.pyfunc import PyFuncModel

_ONE_AT_A_TIME = Lock()


def load_once(path: str) -> PyFuncModel:
    """The model of a folder, whose files never change."""
    with _ONE_AT_A_TIME:
        return _load(path)


@cache
def _load(path: str) -> PyFuncModel:
    loaded: PyFuncModel = mlflow.pyfunc.load_model(path)
    return loaded
