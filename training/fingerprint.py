"""What two trainings, or two searches, have in common when they must give the same."""

import hashlib
import importlib.metadata
from pathlib import Path

from training import model
from training.frame import TrainingFrame


def fingerprint(frame: TrainingFrame, *settings: str) -> str:
    """A digest of rows, settings, the model's code, and the library that fits it."""
    parts = [
        frame.digest,
        *settings,
        Path(model.__file__).read_text(encoding="utf-8"),
        importlib.metadata.version("scikit-learn"),
    ]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
