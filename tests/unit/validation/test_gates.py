import pytest

from project.config import load_config
from validation.gates import judge

VALIDATION = load_config().validation
GOOD = {"rows": 28_000.0, "roc_auc": 0.78, "brier_skill": 0.2, "log_loss_skill": 0.18, "log_loss": 0.52}


def failed(challenger: dict[str, float], champion: dict[str, float] | None = None) -> list[str]:
    return [gate.name for gate in judge(challenger, champion, VALIDATION) if not gate.passed]


def test_a_good_model_passes_without_a_champion() -> None:
    assert failed(GOOD) == []


@pytest.mark.parametrize("name", ["roc_auc", "brier_skill", "log_loss_skill"])
def test_each_threshold_alone_fails_a_model(name: str) -> None:
    bound = next(t.threshold for t in VALIDATION.thresholds if t.metric == name)
    assert failed(GOOD | {name: bound}) == []
    assert failed(GOOD | {name: bound - 1e-6}) == [name]
    assert failed(GOOD | {name: float("nan")}) == [name]


def test_a_figure_that_is_missing_fails() -> None:
    assert failed({name: value for name, value in GOOD.items() if name != "roc_auc"}) == ["roc_auc"]


def test_few_rows_fail() -> None:
    assert failed(GOOD | {"rows": VALIDATION.min_rows - 1}) == ["rows"]


def test_a_challenger_may_be_behind_the_champion_only_by_what_is_allowed() -> None:
    allowed = VALIDATION.against_champion.max_decline
    assert failed(GOOD, GOOD | {"log_loss": 0.52 - allowed / 2}) == []
    assert failed(GOOD, GOOD | {"log_loss": 0.52 - allowed * 2}) == ["log_loss against champion"]
    assert failed(GOOD, GOOD | {"log_loss": 0.60}) == []
