"""What two trainings, or two searches, have in common when they must give the same."""

import hashlib
import importlib.metadata
from pathlib import Path

from training.frame import TrainingFrame
from use_case import model


def fingerprint(frame: TrainingFrame, *settings: str) -> str:
    """A digest of rows, settings, the model's code, and the libraries that it needs."""
    parts = [
        frame.digest,
        *settings,
        Path(model.__file__).read_text(encoding="utf-8"),
        *map(importlib.metadata.version, model.REQUIREMENTS),
    ]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
