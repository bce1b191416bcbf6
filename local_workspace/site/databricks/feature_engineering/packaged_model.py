"""A model with its feature specification beside it, laid out as on Databricks.

    MLmodel                                a python_function; features are optional in its signature
    data/feature_store/feature_spec.yaml   where the model's inputs come from
    data/feature_store/raw_model/          the model as its own flavor saves it

So `mlflow.sklearn.load_model` on the package fails here as it does there: the model itself is in `raw_model`.
"""

import tempfile
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import mlflow
import numpy as np
import pandas as pd
from mlflow.models import Model, ModelSignature, infer_signature
from mlflow.pyfunc import PyFuncModel
from mlflow.types import ColSpec, Schema, TensorSpec
from pyspark.sql import functions as F

from . import tables
from .spec import FeatureSpec, from_yaml, to_yaml
from .training_set import TrainingSet

DATA = "data/feature_store"
RAW_MODEL = "raw_model"
SPEC = "feature_spec.yaml"


@dataclass(frozen=True)
class PackagedFlavor:
    """What MLflow asks of a flavor, `save_model`: the model's own flavor with the package around it."""

    flavor: ModuleType
    training_set: TrainingSet

    def save_model(self, path: str, mlflow_model: Model, model: Any, **options: Any) -> None:
        """Saves the model with its flavor, then the package around it."""
        spec = self.training_set.feature_spec
        with tempfile.TemporaryDirectory() as folder:
            data = Path(folder) / Path(DATA).name
            data.mkdir()
            (data / SPEC).write_text(to_yaml(spec), encoding="utf-8")
            self.flavor.save_model(model, str(data / RAW_MODEL), **options)
            signature = _signature(self.training_set)
            requirements = (data / RAW_MODEL / "requirements.txt").read_text(encoding="utf-8").splitlines()
            mlflow.pyfunc.save_model(
                path,
                loader_module=__name__,
                data_path=str(data),
                mlflow_model=mlflow_model,
                signature=signature,
                input_example=_example(options.get("input_example"), signature),
                pip_requirements=requirements,
            )


@dataclass(frozen=True)
class GivenFeatures:
    """The package as a python_function: it predicts from features that the caller gives and looks none up."""

    spec: FeatureSpec
    raw_model: PyFuncModel

    def predict(self, model_input: pd.DataFrame, params: dict[str, Any] | None = None) -> Any:
        """Predicts; a feature that is not given is an error."""
        missing = [name for name in self.spec.model_inputs if name not in model_input.columns]
        if missing:
            raise ValueError(f"The model needs {missing}: give them, or use score_batch to look them up.")
        return self.raw_model.predict(model_input[self.spec.model_inputs], params=params)


def read_spec(model_path: str) -> FeatureSpec:
    """The specification beside a model; a model that was logged without one has none."""
    spec = Path(model_path) / DATA / SPEC
    if not spec.is_file():
        raise ValueError("The model was not logged by FeatureEngineeringClient.log_model: it has no feature_spec.yaml.")
    return from_yaml(spec.read_text(encoding="utf-8"))


def _load_pyfunc(path: str) -> GivenFeatures:
    """Called by MLflow with the package's data folder."""
    spec = from_yaml((Path(path) / SPEC).read_text(encoding="utf-8"))
    return GivenFeatures(spec, mlflow.pyfunc.load_model(str(Path(path) / RAW_MODEL)))


def _example(of_model: pd.DataFrame | None, signature: ModelSignature) -> pd.DataFrame | None:
    """The model's example with the columns that the package asks for beside, such as keys: empty texts, zeros."""
    if of_model is None:
        return None
    kinds = signature.inputs.input_types_dict()
    others = {name: np.zeros(1, kind.to_numpy())[0] for name, kind in kinds.items() if name not in of_model.columns}
    complete: pd.DataFrame = of_model.assign(**others)[signature.inputs.input_names()]
    return complete


def _signature(training_set: TrainingSet) -> ModelSignature:
    spec, spark = training_set.feature_spec, training_set.df.sparkSession
    types = {item.name: item.dataType for item in training_set.df.schema}
    for item in spec.looked_up_columns:
        types[item.name] = tables.read(spark, item.table_name).schema[item.feature_name].dataType
    # From a dataframe without rows: the types alone are asked for.
    columns = [F.lit(None).cast(kind).alias(name) for name, kind in types.items()]
    known = infer_signature(spark.range(0).select(*columns)).inputs.input_dict()

    def specify(name: str, *, required: bool) -> ColSpec:
        return ColSpec(known[name].type, name, required=required)

    inputs: list[ColSpec | TensorSpec] = [specify(item.name, required=True) for item in spec.source_columns]
    inputs += [specify(item.name, required=False) for item in spec.looked_up_columns]
    labels: list[ColSpec | TensorSpec] = [specify(name, required=True) for name in training_set.labels]
    return ModelSignature(inputs=Schema(inputs), outputs=Schema(labels) if labels else None)
