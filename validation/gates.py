"""What a gate says: passed or not, the figure, the bound that it was held against, and a sentence."""

import math
from dataclasses import asdict, dataclass

from project.config import Threshold

PERFORMANCE, SLICES, BEHAVIOUR, SERVABLE, DATA = "performance", "slices", "behaviour", "servable", "data"


@dataclass(frozen=True)
class Gate:
    """One gate's outcome.

    Attributes:
        group: what kind of thing was judged: one of the names above.
        name: what was judged.
        passed: True lets the model through this gate.
        value: the figure; NaN where there is none.
        threshold: the bound that it was held against.
        sentence: the outcome in words.
    """

    group: str
    name: str
    passed: bool
    value: float
    threshold: float
    sentence: str

    def as_dict(self) -> dict[str, object]:
        """For JSON, which has no NaN: a figure that is none is null."""
        numbers = {"value": self.value, "threshold": self.threshold}
        return asdict(self) | {name: number if math.isfinite(number) else None for name, number in numbers.items()}


def within(group: str, name: str, value: float, bound: Threshold, about: str) -> Gate:
    """A figure against a bound with a direction; a figure that is missing (NaN) fails.

    Args:
        group: the gate's.
        name: the gate's.
        value: the figure.
        bound: on which side it must lie.
        about: what the figure is, as the start of a sentence.
    """
    side = "at least" if bound.greater_is_better else "at most"
    sentence = f"{about} is {_written(value)}, {side} {_written(bound.threshold)} is needed"
    return Gate(group, name, bound.holds(value), value, bound.threshold, sentence)


def at_most(group: str, name: str, value: float, threshold: float, about: str) -> Gate:
    """The same where the bound is all that there is to say."""
    return within(group, name, value, Threshold(metric=name, greater_is_better=False, threshold=threshold), about)


def at_least(group: str, name: str, value: float, threshold: float, about: str) -> Gate:
    """The same, from below."""
    return within(group, name, value, Threshold(metric=name, greater_is_better=True, threshold=threshold), about)


def failed(group: str, name: str, threshold: float, sentence: str) -> Gate:
    """What could not be measured does not pass."""
    return Gate(group, name, False, math.nan, threshold, sentence)


def _written(number: float) -> str:
    return f"{number:,.0f}" if float(number).is_integer() else f"{number:,.4f}"
