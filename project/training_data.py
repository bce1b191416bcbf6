"""What a training says of its rows, for validation to judge: a file of its run."""

from dataclasses import asdict, dataclass
from typing import Any, Self

import pandas as pd

TRAINING_DATA_FILE = "training_data.json"


@dataclass(frozen=True)
class TrainingData:
    """The rows that a model was fitted on, in figures.

    Attributes:
        rows: how many.
        label_rate: mean of the label (0 to 1).
        null_rates: share of missing values (0 to 1) by input.
    """

    rows: int
    label_rate: float
    null_rates: dict[str, float]

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


def describe(rows: pd.DataFrame, label: pd.Series) -> TrainingData:
    """The figures of training rows.

    Args:
        rows: the inputs, one column each.
        label: 0.0 or 1.0, in the same order.
    """
    nulls = {str(name): float(rate) for name, rate in rows.isna().mean().items()}
    return TrainingData(len(rows), float(label.mean()), nulls)
