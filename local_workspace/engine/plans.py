"""Looks into Spark Connect's plans: the nodes of a kind, and the functions that are called, in plans and in SQL."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from pyspark.sql.connect.proto import commands_pb2, expressions_pb2, relations_pb2

Expression = expressions_pb2.Expression

# What SQL is made of: a text, a quoted name, a comment, a word, anything else.
_TOKEN = re.compile(
    r"""r'[^']*'|r"[^"]*"|'(?:[^'\\]|\\.|'')*'|"(?:[^"\\]|\\.|"")*"|`(?:[^`]|``)*`|--[^\n]*|/\*.*?\*/|\w+|[^\s\w]""",
    re.IGNORECASE | re.DOTALL,
)
# A name and a bracket after one of these are no call: weekday(day) in `INSERT INTO weekday(day)`.
_NO_CALL_AFTER = {".", "AS", "EXISTS", "INTO", "TABLE", "VIEW", "WITH"}


@dataclass
class Call:
    """A function that a query calls.

    Attributes:
        name: in lower case; empty for brackets that belong to no name.
        arguments: as SQL, its tokens set apart by spaces.
        alias: the name that the query gives the result.
        is_windowed: whether it is called over a window.
    """

    name: str
    arguments: Sequence[str]
    alias: str = ""
    is_windowed: bool = False


class Query:
    """A request to the server, taken apart once."""

    def __init__(self, request: Message) -> None:
        """Takes what Spark's client sends."""
        self.request = request
        self._nodes: dict[type[Message], list[Any]] = {}
        for one in _nodes(request):
            self._nodes.setdefault(type(one), []).append(one)

    def nodes[Node: Message](self, kind: type[Node]) -> Sequence[Node]:
        """All messages of a kind within the request."""
        return self._nodes.get(kind, ())

    @cached_property
    def sql(self) -> list[list[str]]:
        """The tokens of each statement and each expression in SQL."""
        texts = [one.query for one in self.nodes(relations_pb2.SQL)]
        texts += [one.sql for one in self.nodes(commands_pb2.SqlCommand)]
        texts += [one.expression for one in self.nodes(Expression.ExpressionString)]
        return [tokens for text in texts if (tokens := tokens_of(text))]

    @cached_property
    def calls(self) -> Mapping[str, list[Call]]:
        """The functions that the query calls, by name; one with an alias or over a window is here twice."""
        found = [_call(one) for one in self.nodes(Expression)]
        found += [_call(one.expr, alias=one.name[0]) for one in self.nodes(Expression.Alias)]
        found += [_call(one.window_function, is_windowed=True) for one in self.nodes(Expression.Window)]
        in_sql = [call for tokens in self.sql for call in _calls_in_sql(tokens)]
        calls = defaultdict(list)
        for call in (*found, *in_sql):
            if call:
                calls[call.name].append(call)
        return calls


def nodes[Node: Message](message: Message, kind: type[Node]) -> Iterator[Node]:
    """All messages of a kind within a message."""
    return (one for one in _nodes(message) if isinstance(one, kind))


def _nodes(message: Message) -> Iterator[Message]:
    waiting = [message]
    while waiting:
        one = waiting.pop()
        yield one
        for part, value in one.ListFields():
            kind = _kind(part)
            if kind == "one":
                waiting.append(value)
            elif kind == "many":
                waiting += value
            elif kind == "map":
                waiting += value.values()


@cache
def _kind(part: FieldDescriptor) -> str:
    """How a field holds messages; empty if it holds none, or only where in the caller's code an expression is."""
    held = part.message_type
    if held is None or part.name == "common":
        return ""
    if not part.is_repeated:
        return "one"
    if not held.GetOptions().map_entry:
        return "many"
    return "map" if held.fields_by_name["value"].message_type else ""


def tokens_of(text: str) -> list[str]:
    """What SQL is made of, without its comments."""
    return [token for token in _TOKEN.findall(text) if not token.startswith(("--", "/*"))]


def name_parts(name: str) -> list[str]:
    """The parts of a dotted name, each of which may be quoted."""
    return [part.strip("`") for part in re.findall(r"`[^`]+`|[^.`]+", name)]


class _Arguments(Sequence[str]):
    """The arguments of a plan's call, put into words when somebody looks."""

    def __init__(self, arguments: Sequence[Expression]) -> None:
        self._arguments = arguments

    def __len__(self) -> int:
        return len(self._arguments)

    def __getitem__(self, place: int) -> str:  # type: ignore[override]
        return _text(self._arguments[place])


def _call(expression: Expression, *, alias: str = "", is_windowed: bool = False) -> Call | None:
    kind = expression.WhichOneof("expr_type")
    if kind not in {"unresolved_function", "call_function"}:
        return None
    called = getattr(expression, kind)
    return Call(called.function_name.lower(), _Arguments(called.arguments), alias, is_windowed)


def _text(expression: Expression) -> str:
    """An expression in words of SQL, as far as the defects need them."""
    kind = expression.WhichOneof("expr_type")
    if kind == "alias":
        return _text(expression.alias.expr)
    if kind == "literal":
        return f"'{expression.literal.string}'"
    if kind == "unresolved_attribute":
        return expression.unresolved_attribute.unparsed_identifier
    if kind == "expression_string":
        *_, whole = _calls_in_sql(tokens_of(f"({expression.expression_string.expression})"))
        return whole.arguments[0]
    call = _call(expression)
    return f"{call.name} ( {' , '.join(call.arguments)} )" if call else ""


def _calls_in_sql(tokens: Sequence[str]) -> list[Call]:
    """The functions that SQL calls, inner ones first."""
    found: list[Call] = []
    opened: list[tuple[str, list[str]]] = []
    for place, part in enumerate(tokens):
        last, before = (tokens[place - back] if place >= back else "" for back in (1, 2))
        if part == "(":
            is_call = re.match(r"[\w`]", last) and before.upper() not in _NO_CALL_AFTER
            opened.append((last.strip("`").lower() if is_call else "", [""]))
        elif part == ")" and opened:
            name, arguments = opened.pop()
            found.append(Call(name, arguments))
            # (a, b) is a struct, and (a) is a.
            inner = " , ".join(arguments)
            is_struct = not name and len(arguments) > 1
            _extend(opened, f"struct ( {inner} )" if is_struct else f"( {inner} )" if name else inner)
        elif part == "," and opened:
            opened[-1][1].append("")
        else:
            _extend(opened, part)
            if part.upper() == "OVER" and found:
                found[-1].is_windowed = True
            elif last.upper() == "AS" and before == ")" and found:
                found[-1].alias = part.strip("`")
    return found


def _extend(opened: Sequence[tuple[str, list[str]]], text: str) -> None:
    if opened:
        arguments = opened[-1][1]
        arguments[-1] = f"{arguments[-1]} {text}".strip()
