"""Walks over Spark Connect's plans: the nodes of a kind, and the functions that are called."""

import re
from collections.abc import Iterator

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from pyspark.sql.connect.proto import commands_pb2, expressions_pb2, relations_pb2

# A text, a quoted name, a comment; or a name that a bracket follows.
_IN_SQL = re.compile(r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|`[^`]*`|--[^\n]*|/\*.*?\*/|\b([a-z_]\w*)\s*\(""", re.I | re.S)


def nodes[Node: Message](message: Message, kind: type[Node]) -> Iterator[Node]:
    """All messages of a kind within a message."""
    waiting = [message]
    while waiting:
        one = waiting.pop()
        if isinstance(one, kind):
            yield one
        for field, value in one.ListFields():
            if field.type == FieldDescriptor.TYPE_MESSAGE:
                if not field.is_repeated:
                    waiting.append(value)
                elif field.message_type.GetOptions().map_entry:
                    waiting += (item for item in value.values() if isinstance(item, Message))
                else:
                    waiting += value


def sql_texts(message: Message) -> Iterator[str]:
    """All SQL within a message: statements and expressions."""
    for statement in nodes(message, relations_pb2.SQL):
        yield statement.query
    for command in nodes(message, commands_pb2.SqlCommand):
        yield command.sql
    for expression in nodes(message, expressions_pb2.Expression.ExpressionString):
        yield expression.expression


def called_functions(message: Message) -> set[str]:
    """The names, in lower case, of the functions that plan or SQL call."""
    called = (call.function_name.lower() for call in nodes(message, expressions_pb2.Expression.UnresolvedFunction))
    named = (name.lower() for text in sql_texts(message) for name in _IN_SQL.findall(text) if name)
    return {*called, *named}


def name_parts(name: str) -> list[str]:
    """The parts of a dotted name, each of which may be quoted."""
    return [part.strip("`") for part in re.findall(r"`[^`]+`|[^.`]+", name)]
