"""The typed configuration: `config.yml`, frozen, with unknown keys refused."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

PROJECT_CONFIG = Path(__file__).with_name("config.yml")


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Source(_Section):
    """What the feed gives, and when."""

    history_start: AwareDatetime
    published_hours_ahead: Annotated[int, Field(gt=0)]

    @property
    def published_ahead(self) -> timedelta:
        """How long before departure a schedule is published."""
        return timedelta(hours=self.published_hours_ahead)


class Label(_Section):
    """What is predicted."""

    column: str
    late_minutes: int


class Prediction(_Section):
    """When a prediction is asked, and the column that holds it."""

    hours_ahead: Annotated[int, Field(gt=0)]
    column: str


class Columns(_Section):
    """Names of model inputs by kind."""

    numeric: tuple[str, ...]
    categorical: tuple[str, ...]

    @property
    def all(self) -> tuple[str, ...]:
        """Numeric first, then categorical."""
        return self.numeric + self.categorical


class ModelParameters(_Section):
    """Hyperparameters of scikit-learn's HistGradientBoostingClassifier."""

    max_iter: Annotated[int, Field(gt=0)]
    learning_rate: Annotated[float, Field(gt=0)]
    max_leaf_nodes: Annotated[int, Field(gt=1)]
    min_samples_leaf: Annotated[int, Field(gt=0)]
    l2_regularization: Annotated[float, Field(ge=0)]


class Training(_Section):
    """Time split, seed and hyperparameters."""

    validation_days: Annotated[int, Field(gt=0)]
    seed: int
    model: ModelParameters


class Threshold(_Section):
    """A bound on one metric; `greater_is_better` says on which side it lies."""

    metric: str
    greater_is_better: bool
    threshold: float

    def holds(self, value: float | None) -> bool:
        """True if the value is on the good side; a value that is missing or NaN never is."""
        if value is None or value != value:  # noqa: PLR0124 - NaN is the only value that differs from itself
            return False
        return value >= self.threshold if self.greater_is_better else value <= self.threshold


class Comparison(_Section):
    """How far a challenger may fall behind the champion on one metric."""

    metric: str
    greater_is_better: bool
    max_decline: Annotated[float, Field(ge=0)]


class Validation(_Section):
    """The gates of the first verdict."""

    thresholds: tuple[Threshold, ...]
    against_champion: Comparison
    min_rows: Annotated[int, Field(gt=0)]


class Monitoring(_Section):
    """What is watched, over how long, and the bounds."""

    window_days: Annotated[int, Field(gt=0)]
    labels_due_hours: Annotated[int, Field(gt=0)]
    min_label_share: Annotated[float, Field(ge=0, le=1)]
    thresholds: tuple[Threshold, ...]


class Config(_Section):
    """The whole use case."""

    source: Source
    label: Label
    prediction: Prediction
    schedule_features: Columns
    training: Training
    validation: Validation
    slices: tuple[str, ...]
    monitoring: Monitoring

    @property
    def history_start(self) -> datetime:
        """The first moment of the history, UTC."""
        return self.source.history_start


def load_config(path: Path = PROJECT_CONFIG, *, history_start: str = "") -> Config:
    """Reads and checks the configuration.

    Args:
        path: the file.
        history_start: takes the place of `source.history_start` for this deployment; empty leaves the file's.

    Raises:
        pydantic.ValidationError: a key is unknown, missing or of the wrong type; it names the key.
    """
    content = yaml.safe_load(path.read_text())
    if history_start:
        content["source"]["history_start"] = history_start
    return Config.model_validate(content)
