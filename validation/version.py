"""The judged version as the registry has it: the model's files, the model, and what its training said of itself."""

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import mlflow
from mlflow import MlflowClient

from project.training_data import TRAINING_DATA_FILE, TrainingData
from validation.behaviour import Predict

# Where the feature client keeps the model itself, within the package that looks features up; in both homes.
_RAW_MODEL = "data/feature_store/raw_model"
_CROSS_VALIDATED = "cv_"


@dataclass(frozen=True)
class JudgedVersion:
    """One version.

    Attributes:
        folder: the model's own files, without the package that looks features up.
        predict: the model.
        inputs: the columns that it needs, in its order.
        data: what its training said of its rows; None where it said nothing.
        trained: figures of its cross-validation, by metric.
    """

    folder: Path
    predict: Predict
    inputs: tuple[str, ...]
    data: TrainingData | None
    trained: Mapping[str, float]


@contextmanager
def read_version(model_name: str, version: str) -> Iterator[JudgedVersion]:
    """The version, with its files here as long as the block lasts."""
    with tempfile.TemporaryDirectory() as made:
        files = mlflow.artifacts.download_artifacts(artifact_uri=f"models:/{model_name}/{version}", dst_path=made)
        folder = Path(files) / _RAW_MODEL
        model = mlflow.pyfunc.load_model(str(folder))
        inputs = model.metadata.get_input_schema().input_names()
        yield JudgedVersion(folder, model.predict, tuple(inputs), *_trained(model_name, version))


def _trained(model_name: str, version: str) -> tuple[TrainingData | None, dict[str, float]]:
    client = MlflowClient()
    run = client.get_run(str(client.get_model_version(model_name, version).run_id))
    figures = {name.removeprefix(_CROSS_VALIDATED): value for name, value in run.data.metrics.items()}
    if all(file.path != TRAINING_DATA_FILE for file in client.list_artifacts(run.info.run_id)):
        return None, figures
    content = mlflow.artifacts.load_dict(f"runs:/{run.info.run_id}/{TRAINING_DATA_FILE}")
    return TrainingData.from_dict(content), figures
