"""A model as a function of Spark.

`mlflow.pyfunc.spark_udf` keeps its models by process, and is not safe where tasks are threads of one, as the local
engine's are.
"""

from collections.abc import Callable, Iterator
from functools import cache
from threading import Lock
from typing import Any

import mlflow
import pandas as pd
from mlflow.pyfunc import PyFuncModel
from pyspark.sql.pandas.functions import pandas_udf

_ONE_AT_A_TIME = Lock()


def model_udf(path: str, result_type: str, params: dict[str, Any] | None) -> Callable[..., Any]:
    """The model of a folder as a function from a struct of its inputs to a prediction of a type."""

    @pandas_udf(result_type)  # type: ignore[call-overload, untyped-decorator]
    def predict(batches: Iterator[pd.DataFrame]) -> Iterator[pd.Series]:
        model = load_once(path)
        for batch in batches:
            yield pd.Series(model.predict(batch, params=params))

    made: Callable[..., Any] = predict
    return made


def load_once(path: str) -> PyFuncModel:
    """The model of a folder, which never changes, so a process loads it once."""
    with _ONE_AT_A_TIME:
        return _load(path)


@cache
def _load(path: str) -> PyFuncModel:
    loaded: PyFuncModel = mlflow.pyfunc.load_model(path)
    return loaded
