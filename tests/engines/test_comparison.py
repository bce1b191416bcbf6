"""The comparison finds and names each kind of difference, and passes what the rules let pass."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.engines.comparison import ALL_FLOATS, Difference, Rule, Rules, compare
from tests.engines.rules import MAY_DIFFER
from tests.engines.workspaces import find_tables, read_table

KEYED = Rules(keys=("id",))
ONE = {"id": [1, 2, 3], "x": [1.0, 2.0, None]}


def differences(a: Any, b: Any, rules: Rules = KEYED) -> list[Difference]:
    tables = (rows if isinstance(rows, pa.Table) else pa.table(rows) for rows in (a, b))
    return compare("t", dict(zip(("sail", "spark"), tables, strict=True)), rules)


def texts(a: Any, b: Any, rules: Rules = KEYED) -> list[str]:
    return [str(one) for one in differences(a, b, rules)]


def test_the_same_rows_in_another_order_are_no_difference() -> None:
    assert texts(ONE, {name: values[::-1] for name, values in ONE.items()}) == []


def test_a_value_is_shown_with_its_key_on_both_sides() -> None:
    """A Sunday's weekday, as Sail and as Spark have it."""
    days = ["2024-01-06", "2024-01-07", "2024-01-08"]
    sail, spark = ({"day": days, "weekday": [5.0, sunday, 0.0]} for sunday in (-1.0, 6.0))
    assert texts(sail, spark, Rules()) == [
        "t.weekday: the values differ in 1 row\n    day='2024-01-07': sail -1.0, spark 6.0"
    ]


def test_all_rows_are_counted_and_the_first_are_shown() -> None:
    (found,) = differences({"id": range(10), "x": [0] * 10}, {"id": range(10), "x": [0, 0, *[1] * 8]})
    assert (found.table, found.column, found.rows) == ("t", "x", 8)
    assert found.examples == tuple(f"id={key}: sail 0, spark 1" for key in (2, 3, 4))


@pytest.mark.parametrize("value", [0.0, float("nan")], ids=["value", "nan"])
def test_a_null_on_one_side_is_a_difference(value: float) -> None:
    (text,) = texts(ONE, ONE | {"x": [1.0, 2.0, value]})
    assert text.endswith(f"id=3: sail NULL, spark {value}")


def test_nan_equals_nan() -> None:
    rows = {"id": [1], "x": [float("nan")], "xs": [[float("nan")]]}
    assert texts(rows, rows) == []


def test_a_column_of_one_side_is_a_difference() -> None:
    assert texts(ONE, ONE | {"y": [1, 2, 3]}) == ["t.y: only spark has the column"]


def test_types_are_compared() -> None:
    double = pa.table(ONE)
    single = double.cast(pa.schema([("id", pa.int64()), ("x", pa.float32())]))
    assert texts(double, single) == ["t.x: the types differ: sail double, spark float"]


def test_a_column_that_may_not_be_null_is_of_another_type() -> None:
    sides = [
        pa.table({"id": [1], "x": [1]}, pa.schema([("id", pa.int64()), pa.field("x", pa.int64(), nullable)]))
        for nullable in (True, False)
    ]
    (found,) = differences(*sides)
    assert (found.column, "not null" in found.what) == ("x", True)


def test_a_text_column_of_one_side_names_no_row() -> None:
    a = {"name": ["a", "b"], "x": [1.0, 2.0]}
    b = {"name": ["a", "b"], "x": [1.0, 3.0], "note": ["", ""]}
    assert [one.column for one in differences(a, b, Rules())] == ["note", "x"]


def test_rows_of_one_side_are_differences() -> None:
    assert texts({"id": [1, 2]}, {"id": [2, 3, 4]}) == [
        "t: only sail has the key in 1 row\n    id=1",
        "t: only spark has the key in 2 rows\n    id=3\n    id=4",
    ]


def test_an_empty_side_lacks_all_rows() -> None:
    table = pa.table(ONE)
    assert [one.what for one in differences(table, table.slice(0, 0))] == ["only sail has the key"]
    assert texts(table.slice(0, 0), table.slice(0, 0)) == []


def test_a_repeated_key_is_a_difference_also_if_both_sides_repeat_it() -> None:
    rows = {"id": [1, 1, 2], "x": [1, 1, 1]}
    assert texts(rows, rows) == [f"t: {side} repeats the key in 2 rows\n    id=1" for side in ("sail", "spark")]


def test_keys_may_be_null_or_nested() -> None:
    rules = Rules(keys=("window", "slice"))
    a = {"window": [{"start": 1}, {"start": 2}, None], "slice": ["x", None, None], "n": [1, 2, 3]}
    assert texts(a, a, rules) == []
    assert texts(a, a | {"n": [1, 5, 3]}, rules) == [
        "t.n: the values differ in 1 row\n    window={'start': 2}, slice=NULL: sail 2, spark 5"
    ]


def test_without_keys_what_is_no_float_names_a_row() -> None:
    rules = Rules(columns={"at": Rule("a clock", ignored=True)})
    a = {"name": ["a", "a"], "version": [1, 2], "value": [0.5, 0.7], "test": [{"p": 0.1}] * 2, "at": [3, 4]}
    assert texts(a, a | {"at": [8, 9]}, rules) == []
    assert texts(a, a | {"value": [0.5, 0.8]}, rules) == [
        "t.value: the values differ in 1 row\n    name='a', version=2: sail 0.7, spark 0.8"
    ]


@pytest.mark.parametrize("rows", [{"x": [1.0]}, {"other": [1], "x": [1.0]}], ids=["none", "another"])
def test_rows_without_the_keys_are_not_passed_over(rows: dict[str, list[Any]]) -> None:
    rules = Rules(keys=("id",)) if "other" in rows else Rules()
    (found,) = differences(rows, rows, rules)
    assert found.what.startswith("rows are not compared")


@pytest.mark.parametrize(("apart", "equal"), [(1e-13, True), (1e-11, False)])
def test_floats_are_equal_but_for_rounding(apart: float, equal: bool) -> None:
    a, b = ({"id": [1], "x": [value], "xs": [[{"p": value}]]} for value in (1e6, 1e6 * (1 + apart)))
    assert [one.column for one in differences(a, b)] == ([] if equal else ["x", "xs"])


def test_nothing_is_near_0_but_0() -> None:
    a, b = {"id": [1], "x": [0.0]}, {"id": [1], "x": [1e-30]}
    assert [one.column for one in differences(a, b)] == ["x"]
    assert texts(a, {"id": [1], "x": [-0.0]}) == []


def test_a_rule_for_all_floats_is_for_floats_alone() -> None:
    rules = Rules(("id",), {ALL_FLOATS: Rule("scores", relative=1e-3)})
    a = {"id": [1], "x": [1.0], "test": [{"p": 1.0}], "count": [100_000]}
    b = {"id": [1], "x": [1.0001], "test": [{"p": 1.0001}], "count": [100_001]}
    assert [one.column for one in differences(a, b, rules)] == ["count"]


def test_counts_are_equal_but_by_a_rule_of_their_own() -> None:
    a, b = {"id": [1], "n": [2**60]}, {"id": [1], "n": [2**60 + 1]}
    assert [one.column for one in differences(a, b)] == ["n"]
    assert texts(a, b, Rules(("id",), {"n": Rule("approximate", relative=0.1)})) == []


def test_an_ignored_column_may_differ_but_not_lack() -> None:
    rules = Rules(("id",), {"token": Rule("random", ignored=True)})
    a, b = {"id": [1, 2], "token": ["x", None]}, {"id": [1, 2], "token": ["y", "z"]}
    assert texts(a, b, rules) == []
    assert texts(a, {"id": [1, 2]}, rules) == ["t.token: only sail has the column"]


def test_arrays_are_compared_in_their_order_unless_a_rule_reads_them_otherwise() -> None:
    a, b = {"id": [1], "xs": [[1, 2]]}, {"id": [1], "xs": [[2, 1]]}
    assert texts(a, b) == ["t.xs: the values differ in 1 row\n    id=1: sail [1, 2], spark [2, 1]"]
    assert texts(a, b, Rules(("id",), {"xs": Rule("a set", read=sorted)})) == []


def test_what_a_rule_reads_of_a_text_is_compared_as_values() -> None:
    rules = Rules(("id",), {"text": Rule("figures in JSON", relative=1e-9, read=json.loads)})
    a, near, far = ({"id": [1], "text": [json.dumps({"p": 0.5 + apart})]} for apart in (0, 1e-12, 1e-6))
    assert texts(a, near, rules) == []
    assert [one.column for one in differences(a, far, rules)] == ["text"]


@pytest.mark.parametrize(
    ("a", "b"),
    [([1.0, None], [1.0]), ([None], [0.0]), ([0.5], [0.7]), (None, [])],
    ids=["length", "null", "value", "null array"],
)
def test_what_is_within_arrays_is_compared(a: Any, b: Any) -> None:
    of_floats = pa.list_(pa.float64())
    sides = [pa.table({"id": [1], "xs": pa.array([xs], of_floats)}) for xs in (a, b)]
    assert [one.column for one in differences(*sides)] == ["xs"]


def write_table(
    folder: Path, schema: dict[str, str], partitions: list[str], *commits: dict[str, pa.Table | None]
) -> Path:
    """A Delta table; a commit names the files that it adds, with their rows, and without rows those that it removes."""
    fields = [{"name": name, "type": kind, "nullable": True, "metadata": {}} for name, kind in schema.items()]
    described = {"schemaString": json.dumps({"type": "struct", "fields": fields}), "partitionColumns": partitions}
    (folder / "_delta_log").mkdir(parents=True)
    for version, files in enumerate(commits):
        actions = [{"metaData": described}] * (version == 0)
        for name, rows in files.items():
            actions.append({"remove": {"path": name}} if rows is None else {"add": {"path": name}})
            if rows is not None:
                pq.write_table(rows, folder / name, use_deprecated_int96_timestamps=True)
        text = "\n".join(json.dumps(action) for action in actions)
        (folder / "_delta_log" / f"{version:020}.json").write_text(text)
    return folder


def test_a_table_is_read_as_its_log_describes_it(tmp_path: Path) -> None:
    """JVM Spark writes moments in a type of its own; a column is NULL in the files from before it."""
    at = pa.array([datetime(2024, 1, 7, tzinfo=UTC)], pa.timestamp("us", "UTC"))
    first, second = pa.table({"id": [1], "at": at}), pa.table({"id": [2], "at": at, "x": [0.5]})
    schema = {"id": "long", "at": "timestamp", "x": "double"}
    commits = {"old": first, "1": first}, {"old": None, "2": second}
    rows = read_table(write_table(tmp_path / "warehouse" / "a.db" / "t", schema, [], *commits))
    assert rows.schema.field("at").type == at.type
    assert rows.to_pylist() == [
        {"id": 1, "at": at[0].as_py(), "x": None},
        {"id": 2, "at": at[0].as_py(), "x": 0.5},
    ]
    assert list(find_tables(tmp_path)) == ["t"]


def test_a_table_without_files_has_its_columns(tmp_path: Path) -> None:
    rows = read_table(write_table(tmp_path / "t", {"id": "long", "at": "timestamp"}, [], {}))
    assert (rows.num_rows, rows.column_names) == (0, ["id", "at"])


def test_a_partitioned_table_is_refused(tmp_path: Path) -> None:
    folder = write_table(tmp_path / "t", {"id": "long", "day": "string"}, ["day"], {})
    with pytest.raises(NotImplementedError, match="partitioned"):
        read_table(folder)


def test_whatever_may_differ_has_a_reason() -> None:
    assert all(rule.reason for columns in MAY_DIFFER.values() for rule in columns.values())


def test_of_the_gate_on_latency_only_the_time_may_differ() -> None:
    rule = MAY_DIFFER["validation_verdicts"]["gates"]

    def verdict(name: str, value: float, passed: bool) -> dict[str, Any]:
        gate = {"name": name, "passed": passed, "value": value, "sentence": f"it is {value}"}
        return {"id": [1], "gates": [json.dumps([gate])]}

    rules = Rules(("id",), {"gates": rule})
    assert texts(verdict("latency", 0.5, True), verdict("latency", 1.0, True), rules) == []
    assert texts(verdict("latency", 0.5, True), verdict("latency", 3.0, False), rules) != []
    assert texts(verdict("skew", 0.5, True), verdict("skew", 1.0, True), rules) != []
