"""A model version in memory: checks a request against its signature, and predicts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import mlflow
import numpy as np
import pandas as pd
from databricks.feature_engineering.packaged_model import DATA, RAW_MODEL, read_spec
from databricks.feature_engineering.spec import FeatureSpec
from mlflow.pyfunc import PyFuncModel

from local_workspace.serving.features import OnlineTable
from local_workspace.serving.requests import BadRequest, Columns, check

_DTYPES = {"double": "float64", "float": "float32", "long": "int64", "integer": "int32", "boolean": "bool"}
_WITHOUT_NULL = ("long", "integer", "boolean")


@dataclass(frozen=True)
class ServedModel:
    """A version that `FeatureEngineeringClient.log_model` logged.

    Attributes:
        spec: where each input comes from.
        kinds: the signature's type of each column that a caller may send.
        model: the model itself, which takes `spec.model_inputs`.
    """

    spec: FeatureSpec
    kinds: Mapping[str, str]
    model: PyFuncModel

    def complete(self, columns: Columns, store: Mapping[str, OnlineTable]) -> Columns:
        """The model's inputs for a request: what the caller sent, and features that are looked up where it sent none.

        Raises:
            BadRequest: a column is missing or of the wrong type.
        """
        lacking = [column for column in self.spec.looked_up_columns if column.name not in columns]
        wanted = [column for column in lacking if column.table_name in store]
        unpublished = [column.name for column in lacking if column.table_name not in store]
        required = [column.name for column in self.spec.source_columns if column.include] + unpublished
        required += [key for column in wanted for key, _ in column.on.keys]
        check(columns, list(dict.fromkeys(required)), self.kinds)
        found = {column.name: store[column.table_name].find(columns, column) for column in wanted}
        everything = columns | found
        inputs = {name: everything[name] for name in self.spec.model_inputs}
        unknown = [name for name, values in inputs.items() if self.kinds[name] in _WITHOUT_NULL and None in values]
        if unknown:
            raise BadRequest(f"The columns {unknown} have no value for unknown: null can't be.")
        return inputs

    def predict(self, columns: Columns) -> list[Any]:
        """One prediction a row of the model's inputs."""
        frame = pd.DataFrame({name: _typed(values, self.kinds[name]) for name, values in columns.items()})
        return np.asarray(self.model.predict(frame)).tolist()  # type: ignore[no-any-return]


def load_version(name: str, version: str) -> ServedModel:
    """Loads a registered version.

    Raises:
        mlflow.exceptions.MlflowException: there is no such version.
    """
    path = mlflow.artifacts.download_artifacts(artifact_uri=f"models:/{name}/{version}")
    signature = mlflow.models.get_model_info(path).signature
    kinds = {column.name: column.type.name for column in signature.inputs.inputs}
    return ServedModel(read_spec(path), kinds, mlflow.pyfunc.load_model(f"{path}/{DATA}/{RAW_MODEL}"))


def _typed(values: Sequence[Any], kind: str) -> Any:
    return np.array(values, dtype=_DTYPES.get(kind, "object"))
