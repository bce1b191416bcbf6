"""A scoring request: from JSON to columns that a model can take, or what is wrong with it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_FORMATS = ("dataframe_split", "dataframe_records")


class BadRequest(Exception):  # noqa: N818 (the API's name for it)
    """The caller sent what can't be answered; the text says what."""


@dataclass(frozen=True)
class Kind:
    """A type of values: what the signature calls it, and which Python types JSON may bring for it."""

    name: str
    accepted: tuple[type, ...]


_NUMBER = (int, float)
KINDS = {
    "double": Kind("a number", _NUMBER),
    "float": Kind("a number", _NUMBER),
    "long": Kind("an integer", (int,)),
    "integer": Kind("an integer", (int,)),
    "boolean": Kind("true or false", (bool,)),
    "string": Kind("a string", (str,)),
}

Columns = dict[str, list[Any]]


def parse(body: bytes) -> tuple[Columns, int]:
    """The columns of a request, and its number of rows.

    Raises:
        BadRequest: it is no JSON, or not in one of the formats.
    """
    try:
        request = json.loads(body)
    except ValueError as error:
        raise BadRequest(f"The request is not valid JSON: {error}.") from None
    given = [name for name in _FORMATS if isinstance(request, dict) and name in request]
    if len(given) != 1:
        raise BadRequest(f"The request must be a JSON object with one of {list(_FORMATS)}.")
    content = request[given[0]]
    return _from_split(content) if given[0] == "dataframe_split" else _from_records(content)


def _from_split(content: Any) -> tuple[Columns, int]:
    match content:
        case {"columns": list(names), "data": list(rows)}:
            pass
        case _:
            raise BadRequest("'dataframe_split' must be an object with the lists 'columns' and 'data'.")
    if not all(isinstance(name, str) for name in names) or len(set(names)) < len(names):
        raise BadRequest("'columns' must be names, each once.")
    for number, row in enumerate(rows):
        if not isinstance(row, list) or len(row) != len(names):
            raise BadRequest(f"Row {number} of 'data' is not a list of {len(names)} values, one per column.")
    _check_any(rows)
    return dict(zip(names, map(list, zip(*rows, strict=True)), strict=True)), len(rows)


def _from_records(content: Any) -> tuple[Columns, int]:
    if not isinstance(content, list) or not all(isinstance(row, dict) for row in content):
        raise BadRequest("'dataframe_records' must be a list of objects, one a row.")
    _check_any(content)
    names = content[0].keys()
    for number, row in enumerate(content):
        if row.keys() != names:
            raise BadRequest(f"Row {number} does not have the columns of row 0: {sorted(row.keys() ^ names)}.")
    return {name: [row[name] for row in content] for name in names}, len(content)


def _check_any(rows: Sequence[Any]) -> None:
    if not rows:
        raise BadRequest("The request has no rows.")


def check(columns: Columns, required: Sequence[str], kinds: Mapping[str, str]) -> None:
    """Checks the columns against what a model takes; columns that it does not know are left alone.

    Args:
        columns: the request's.
        required: the columns that must be there.
        kinds: the signature's type of each column that may be.

    Raises:
        BadRequest: a column is missing, or a value is of another type; null counts as unknown and is of any type.
    """
    missing = [name for name in required if name not in columns]
    if missing:
        raise BadRequest(f"The request lacks the columns {missing}.")
    for name, values in columns.items():
        kind = KINDS.get(kinds.get(name, ""))
        if kind is not None:
            _check_values(name, values, kind)


def _check_values(name: str, values: Sequence[Any], kind: Kind) -> None:
    for number, value in enumerate(values):
        is_right = value is None or type(value) in kind.accepted
        if not is_right:
            raise BadRequest(f"Column '{name}' must be {kind.name}, and is {json.dumps(value)} in row {number}.")
