"""A model as a function of Spark.

`mlflow.pyfunc.spark_udf` keeps its models by process and is not safe where several tasks share one, as the local engine's do.
"""

from collections.abc import Callable, Iterator
from functools import cache
from threading import Lock
from typing import Any

import mlflow
import pandas as pd
from mlflow.pyfunc import PyFuncModel
from pyspark.sql import functions as F

_ONE_AT_A_TIME = Lock()


def model_udf(path: str, result_type: str, params: dict[str, Any] | None) -> Callable[..., Any]:
    """The model of a folder as a function from a struct of its inputs to a prediction of a type."""

    @F.pandas_udf(result_type)  # type: ignore[call-overload]
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


_load = cache(mlflow.pyfunc.load_model)
