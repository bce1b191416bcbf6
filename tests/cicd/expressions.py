"""The expressions of both systems: GitHub's `a.b == 'c' && always()`, Azure's `and(succeeded(), ne(a['b'], 'c'))`.

One grammar holds both, for Azure's has no operators and calls functions instead. A name or function that is not given
is an error by its name.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tests.cicd.workflow import UnknownPartError

_TOKEN = re.compile(r"\s*(?:(?P<text>'(?:[^']|'')*')|(?P<name>[A-Za-z_][\w-]*)|(?P<sign>==|!=|&&|\|\||[!().,*\[\]]))")

type Function = Callable[..., Any]


def evaluate(expression: str, names: Mapping[str, Any], functions: Mapping[str, Function]) -> Any:
    """The value of an expression.

    Args:
        expression: Without `${{ }}`.
        names: The contexts that it may name, such as `github` or `variables`.
        functions: The functions that it may call.
    """
    parser = _Parser(_tokens(expression), expression, names, functions)
    value = parser.any_of()
    if parser.position < len(parser.tokens):
        raise UnknownPartError(f"'{expression}': the rehearsal does not know '{parser.tokens[parser.position]}' here.")
    return value


def truth(value: Any) -> bool:
    """Whether a value holds; both systems take an empty text for false."""
    return bool(value)


def equal(left: Any, right: Any) -> bool:
    """Both systems compare texts without regard to case, and nothing equals the empty text."""
    return as_text(left).lower() == as_text(right).lower()


def contains(where: Any, what: Any) -> bool:
    """Whether a list has the element, or a text the part."""
    return any(equal(item, what) for item in where) if isinstance(where, list) else as_text(what) in as_text(where)


def as_text(value: Any) -> str:
    """A value as it appears in a text."""
    words = {True: "true", False: "false", None: ""}
    return words[value] if isinstance(value, bool | None) else str(value)


def _tokens(expression: str) -> list[str]:
    tokens, position, text = [], 0, expression.rstrip()
    while position < len(text):
        found = _TOKEN.match(text, position)
        if not found:
            raise UnknownPartError(f"'{expression}': the rehearsal does not know '{text[position:].strip()}'.")
        tokens.append(found.group().strip())
        position = found.end()
    return tokens


@dataclass
class _Parser:
    """Reads by falling precedence: || over && over == over ! over what is named."""

    tokens: list[str]
    expression: str
    names: Mapping[str, Any]
    functions: Mapping[str, Function]
    position: int = 0

    def any_of(self) -> Any:
        value = self.all_of()
        while self.take("||"):
            other = self.all_of()
            value = value if truth(value) else other
        return value

    def all_of(self) -> Any:
        value = self.compared()
        while self.take("&&"):
            other = self.compared()
            value = other if truth(value) else value
        return value

    def compared(self) -> Any:
        value = self.single()
        while self.peek() in ("==", "!="):
            same = self.next() == "=="
            value = equal(value, self.single()) == same
        return value

    def single(self) -> Any:
        if self.take("!"):
            return not truth(self.single())
        if self.take("("):
            value = self.any_of()
            self.expect(")")
            return value
        token = self.next()
        if token.startswith("'"):
            return token[1:-1].replace("''", "'")
        if token in ("true", "false"):
            return token == "true"  # noqa: S105 (no password)
        if self.take("("):
            return self.call(token)
        return self.part_of(self.known(self.names, token))

    def call(self, name: str) -> Any:
        function: Function = self.known(self.functions, name)
        arguments = []
        while not self.take(")"):
            arguments.append(self.any_of())
            self.take(",")
        return function(*arguments)

    def part_of(self, value: Any) -> Any:
        while self.peek() in (".", "["):
            if self.next() == "[":
                value = self.known(value, self.any_of())
                self.expect("]")
            elif self.take("*"):
                # `needs.*.result`: of each, the part that follows.
                self.expect(".")
                name = self.next()
                value = [self.known(item, name) for item in value.values()]
            else:
                value = self.known(value, self.next())
        return value

    def known(self, mapping: Mapping[str, Any], name: str) -> Any:
        try:
            return mapping[name]
        except KeyError:
            raise UnknownPartError(f"'{self.expression}': the rehearsal does not know '{name}'.") from None

    def peek(self) -> str:
        return self.tokens[self.position] if self.position < len(self.tokens) else ""

    def next(self) -> str:
        if self.position == len(self.tokens):
            raise UnknownPartError(f"'{self.expression}' ends too early.")
        self.position += 1
        return self.tokens[self.position - 1]

    def take(self, token: str) -> bool:
        if self.peek() != token:
            return False
        self.position += 1
        return True

    def expect(self, token: str) -> None:
        if not self.take(token):
            raise UnknownPartError(f"'{self.expression}': '{token}' is missing.")
