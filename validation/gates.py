"""The gates: pure functions of figures and thresholds, each with a sentence that says how it went."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from project.config import Comparison, Threshold, Validation


@dataclass(frozen=True)
class Gate:
    """One gate's outcome.

    Attributes:
        name: what was judged.
        passed: True lets the model through this gate.
        value: the figure.
        threshold: the bound that it was held against.
        sentence: the outcome in words.
    """

    name: str
    passed: bool
    value: float
    threshold: float
    sentence: str

    def as_dict(self) -> dict[str, object]:
        """For JSON."""
        return asdict(self)


def judge(
    challenger: Mapping[str, float], champion: Mapping[str, float] | None, validation: Validation
) -> tuple[Gate, ...]:
    """All gates of a challenger; it passes when each has passed.

    Args:
        challenger: figures by name, as `project.metrics.binary_metrics` gives them.
        champion: the champion's on the same rows; None where there is no champion yet.
        validation: the thresholds.
    """
    gates = [enough_rows(challenger["rows"], validation.min_rows)]
    gates += [absolute(challenger, threshold) for threshold in validation.thresholds]
    if champion is not None:
        gates.append(not_behind(challenger, champion, validation.against_champion))
    return tuple(gates)


def enough_rows(rows: float, at_least: int) -> Gate:
    """A verdict on few rows is none."""
    passed = rows >= at_least
    return Gate("rows", passed, rows, at_least, f"{rows:,.0f} labelled flights, {at_least:,} are needed")


def absolute(figures: Mapping[str, float], threshold: Threshold) -> Gate:
    """One figure against its bound; a figure that is missing fails."""
    value = figures.get(threshold.metric, float("nan"))
    bound = "at least" if threshold.greater_is_better else "at most"
    sentence = f"{threshold.metric} is {value:.4f}, {bound} {threshold.threshold:.4f} is needed"
    return Gate(threshold.metric, threshold.holds(value), value, threshold.threshold, sentence)


def not_behind(challenger: Mapping[str, float], champion: Mapping[str, float], comparison: Comparison) -> Gate:
    """How far the challenger is behind the champion on the same rows; ahead is negative."""
    difference = challenger[comparison.metric] - champion[comparison.metric]
    decline = -difference if comparison.greater_is_better else difference
    sentence = (
        f"{comparison.metric} is {challenger[comparison.metric]:.4f}, the champion's on the same flights "
        f"{champion[comparison.metric]:.4f}: {decline:+.4f} behind, {comparison.max_decline:.4f} is allowed"
    )
    passed = decline <= comparison.max_decline
    return Gate(f"{comparison.metric} against champion", passed, decline, comparison.max_decline, sentence)
