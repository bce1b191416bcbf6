"""What a training says of its rows, for validation to judge: a file of its run."""

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Self

import pandas as pd

TRAINING_DATA_FILE = "training_data.json"


@dataclass(frozen=True)
class TrainingData:
    """The rows that a model was fitted on, in figures.

    Attributes:
        rows: how many.
        mean_label: mean of the label.
        null_rates: share of missing values (0 to 1) by input.
        known_until: nothing later was known to the training (UTC, ISO 8601).
    """

    rows: int
    mean_label: float
    null_rates: dict[str, float]
    known_until: str

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, content: dict[str, Any]) -> Self:
        """The inverse.

        Raises:
            TypeError: a figure is missing, or one is not known.
        """
        return cls(**content)


def describe(rows: pd.DataFrame, label: pd.Series, known_until: datetime) -> TrainingData:
    """The figures of training rows.

    Args:
        rows: the inputs, one column each.
        label: in the same order.
        known_until: the moment after which nothing was known.
    """
    nulls = {str(name): float(rate) for name, rate in rows.isna().mean().items()}
    return TrainingData(len(rows), float(label.mean()), nulls, known_until.astimezone(UTC).isoformat())
