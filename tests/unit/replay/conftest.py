"""What is predicted where a replay is tested: parts of two plants, by either kind of label, a key of two columns."""

import pytest

from project.config import Columns, Config, Subject, load_config
from project.kinds.binary import Binary
from project.kinds.label import Label
from project.kinds.regression import Regression

SUBJECT = Subject(
    noun="part",
    plural="parts",
    table="parts",
    key=("plant", "number"),
    event_time="used_at",
    prediction_time="asked_at",
    lookup_keys=("batch",),
)
LABELS: tuple[Label, ...] = (
    Binary(kind="binary", column="failed", positives="failed parts", outcome="used"),
    Regression(kind="regression", column="wear", quantity="wear", unit="mm", outcome="used"),
)


def config_of(label: Label) -> Config:
    config = load_config()
    changed = {
        "training": config.training.model_copy(update={"validation_days": 31, "gap_hours": 36}),
        "subject": SUBJECT,
        "label": label,
        "request_features": Columns(numeric=("wind",), categorical=("plant",)),
        "slices": ("plant",),
    }
    return config.model_copy(update=changed)


@pytest.fixture(scope="session")
def config() -> Config:
    """Where the kind of label makes no difference."""
    return config_of(LABELS[0])


@pytest.fixture(scope="session", params=LABELS, ids=lambda label: label.kind)
def any_config(request: pytest.FixtureRequest) -> Config:
    return config_of(request.param)
