"""Expressions mean what both systems' documents say, and what is not known is an error by its name."""

from typing import Any

import pytest

from tests.cicd.expressions import Function, contains, equal, evaluate, truth
from tests.cicd.workflow import UnknownPartError

NAMES: dict[str, Any] = {
    "needs": {"lint": {"result": "success"}, "unit": {"result": "failure"}},
    "github": {"event": {"number": 7}, "repository": "a/b"},
    "variables": {"System.PullRequest.IsFork": "False", "Empty": ""},
    "nothing": None,
}
FUNCTIONS: dict[str, Function] = {
    "always": lambda: True,
    "success": lambda: False,
    "contains": contains,
    "and": lambda *values: all(map(truth, values)),
    "ne": lambda left, right: not equal(left, right),
}


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("'it''s'", "it's"),
        ("github.event.number", 7),
        ("github.repository == 'A/B'", True),
        ("github.repository != 'a/c'", True),
        ("nothing == ''", True),
        ("github.event.number == '7'", True),
        ("always() && github.repository == 'a/b'", True),
        ("success() || always()", True),
        ("success() && always() || always()", True),
        ("success() && (always() || always())", False),
        ("!success()", True),
        ("!(success() || always())", False),
        ("'' || 'other'", "other"),
        ("'one' && 'other'", "other"),
        ("needs.*.result", ["success", "failure"]),
        ("contains(needs.*.result, 'failure')", True),
        ("contains(needs.*.result, 'cancelled')", False),
        ("contains(github.repository, '/b')", True),
        ("and(always(), ne(variables['System.PullRequest.IsFork'], 'True'))", True),
        ("and(always(), ne(variables['System.PullRequest.IsFork'], 'false'))", False),
    ],
)
def test_values(expression: str, expected: object) -> None:
    assert evaluate(expression, NAMES, FUNCTIONS) == expected


@pytest.mark.parametrize(
    ("expression", "unknown"),
    [
        ("secrets.TOKEN == ''", "secrets"),
        ("github.event.pull_request", "pull_request"),
        ("variables['Other']", "Other"),
        ("startsWith(github.repository, 'a')", "startsWith"),
        ("github.event.number > 3", "> 3"),
        ("always() always()", "always"),
        ("always(", "ends too early"),
        ("(always()", "')' is missing"),
        ("", "ends too early"),
    ],
)
def test_the_unknown_is_named(expression: str, unknown: str) -> None:
    with pytest.raises(UnknownPartError) as raised:
        evaluate(expression, NAMES, FUNCTIONS)
    assert unknown in str(raised.value)
