"""If/else conditions: `==` and `!=` compare texts, the other operators compare numbers."""

import operator

from local_workspace.errors import RunError

_NUMERIC = {
    "GREATER_THAN": operator.gt,
    "GREATER_THAN_OR_EQUAL": operator.ge,
    "LESS_THAN": operator.lt,
    "LESS_THAN_OR_EQUAL": operator.le,
}


def evaluate(op: str, left: str, right: str) -> str:
    """The outcome of a condition task, `"true"` or `"false"`."""
    if op == "EQUAL_TO":
        outcome = left == right
    elif op == "NOT_EQUAL":
        outcome = left != right
    else:
        outcome = _NUMERIC[op](_number(left), _number(right))
    return str(outcome).lower()


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise RunError(f"the condition compares numbers, and '{text}' is not a number.") from None
