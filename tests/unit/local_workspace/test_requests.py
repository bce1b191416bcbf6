"""A scoring request becomes columns, or one sentence about what is wrong with it."""

import json

import pytest

from local_workspace.serving.requests import BadRequest, check, parse

KINDS = {"price": "double", "shop": "string", "items": "long", "is_gift": "boolean"}


def test_both_formats_give_the_same_columns() -> None:
    split = {"dataframe_split": {"columns": ["price", "shop"], "data": [[1.5, "Alder"], [None, "Birch"]]}}
    records = {"dataframe_records": [{"price": 1.5, "shop": "Alder"}, {"shop": "Birch", "price": None}]}
    expected = {"price": [1.5, None], "shop": ["Alder", "Birch"]}, 2
    assert parse(json.dumps(split).encode()) == expected
    assert parse(json.dumps(records).encode()) == expected


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "not valid JSON"),
        (b"\xff", "not valid JSON"),
        (b"[1]", "dataframe_split"),
        (b"{}", "dataframe_split"),
        (b'{"dataframe_split": {}, "dataframe_records": []}', "one of"),
        (b'{"dataframe_split": {"columns": ["a"]}}', "'columns' and 'data'"),
        (b'{"dataframe_split": {"columns": ["a", "a"], "data": [[1, 2]]}}', "each once"),
        (b'{"dataframe_split": {"columns": [["a"]], "data": [[1]]}}', "must be names"),
        (b'{"dataframe_split": {"columns": ["a"], "data": [[1], [1, 2]]}}', "Row 1 of 'data'"),
        (b'{"dataframe_split": {"columns": ["a"], "data": []}}', "no rows"),
        (b'{"dataframe_records": {"a": 1}}', "list of objects"),
        (b'{"dataframe_records": []}', "no rows"),
        (b'{"dataframe_records": [{"a": 1}, {"b": 1}]}', r"Row 1 .*\['a', 'b'\]"),
    ],
)
def test_what_is_no_request_is_told_by_what_is_wrong(body, message) -> None:
    with pytest.raises(BadRequest, match=message):
        parse(body)


def test_a_missing_column_is_named() -> None:
    with pytest.raises(BadRequest, match=r"lacks the columns \['shop'\]"):
        check({"price": [1.0]}, ["price", "shop"], KINDS)


@pytest.mark.parametrize(
    ("column", "value", "kind"),
    [
        ("price", "dear", "a number"),
        ("price", True, "a number"),
        ("price", [1], "a number"),
        ("shop", 1, "a string"),
        ("items", 1.5, "an integer"),
        ("is_gift", 1, "true or false"),
    ],
)
def test_a_value_of_the_wrong_type_is_named_with_its_column_and_row(column, value, kind) -> None:
    right = {"price": 2, "shop": "Alder", "items": 3, "is_gift": False}[column]
    with pytest.raises(BadRequest, match=rf"'{column}' must be {kind}, and is .* in row 1\."):
        check({column: [right, value]}, [], KINDS)


def test_null_is_unknown_and_a_column_that_the_model_does_not_know_is_left_alone() -> None:
    check({"price": [None], "shop": [None], "else": [object()]}, ["price"], KINDS)
