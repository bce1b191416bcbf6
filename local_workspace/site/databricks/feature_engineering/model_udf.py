"""A model as a function of Spark.

`mlflow.pyfunc.spark_udf` keeps its models by process, and is not safe where tasks are threads of one, as the local
engine's are.
"""

from collections.abc import Callable, Iterator
from typing import Any

import pandas as pd
from pyspark.sql.pandas.functions import pandas_udf

from local_workspace.loaded_models import load_once


def model_udf(path: str, result_type: str, params: dict[str, Any] | None) -> Callable[..., Any]:
    """The model of a folder as a function from a struct of its inputs to a prediction of a type."""

    @pandas_udf(result_type)  # type: ignore[call-overload, untyped-decorator]
    def predict(batches: Iterator[pd.DataFrame]) -> Iterator[pd.Series]:
        model = load_once(path)
        for batch in batches:
            predictions = pd.Series(model.predict(batch, params=params))
            yield predictions.astype(str) if result_type == "string" else predictions

    made: Callable[..., Any] = predict
    return made
