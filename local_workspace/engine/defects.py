"""What Sail computes wrongly without an error: refused by name before it runs, with what to write instead.

An entry can go when its test says that the defect is gone. `ENGINE=spark` runs the same code on JVM Spark, which has
none of them. docs/engines.md has the differences that a plan doesn't show.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from google.protobuf.message import Message
from pyspark.sql.connect.proto import base_pb2, catalog_pb2, commands_pb2, relations_pb2

from local_workspace.engine.plans import Call, Query

_STRUCT = re.compile(r"(named_)?struct \(", re.IGNORECASE)
# struct(value IS NOT NULL, value): no NULL is compared but with a NULL.
_RANKED = re.compile(r"struct \( (isnotnull \(|[^,()]+ IS NOT NULL ,)", re.IGNORECASE)
_COMPARED = {
    **dict.fromkeys(("max", "min"), slice(0, 1)),
    **dict.fromkeys(("max_by", "min_by"), slice(1, 2)),
    "least": slice(None),
}
_ANY_STRUCT = re.compile(r"\bstruct \(", re.IGNORECASE)
_DESCRIBE = re.compile(r"DESC(RIBE)? (?!HISTORY|SCHEMA|DATABASE|FUNCTION|QUERY)")
_IGNORED_WHEN_READING = {
    *("nullvalue", "emptyvalue", "ignoreleadingwhitespace", "ignoretrailingwhitespace", "encoding"),
    *("timestampformat", "dateformat", "primitivesasstring", "modifiedbefore", "modifiedafter"),
}


_WITH_A_UNIT = 3  # timestampdiff(DAY, a, b); datediff(a, b) is another function
_FILE_FORMATS = {"csv", "json", "parquet", "orc", "text"}
_SETTING = "spark.sql.sources."
# As Spark 4 reads them, a text with a doubled quote is one text.
_DOUBLED_QUOTE = re.compile(r"""'.*(?<!\\)''.*'|".*(?<!\\)"".*\"""", re.DOTALL)
_Source = relations_pb2.Read.DataSource
_WITH_OPTIONS: tuple[type[Any], ...] = (
    commands_pb2.WriteOperation,
    commands_pb2.WriteOperationV2,
    _Source,
    relations_pb2.Read.NamedTable,
)


class EngineDefectError(Exception):
    """The local engine is known to compute this wrongly; the text says what to write instead."""


@dataclass(frozen=True)
class Defect:
    """One way in which a query would go wrong.

    Attributes:
        name: what it is called in the sentence.
        wrong: what would happen.
        instead: the portable form, which is right on Sail, on JVM Spark and on Databricks.
        is_in: whether a request to the server has it.
    """

    name: str
    wrong: str
    instead: str
    is_in: Callable[[Query], bool]


def refuse_known_defects(request: Message) -> None:
    """Raises for the first known defect that a request would meet.

    Raises:
        EngineDefectError: it names the defect and the portable form.
    """
    query = Query(request)
    for defect in DEFECTS:
        if defect.is_in(query):
            raise EngineDefectError(
                f"{defect.name} is wrong on the local engine (Sail): {defect.wrong}. Write {defect.instead}, "
                "or run with ENGINE=spark."
            )


def _calls(*names: str, where: Callable[[Call], bool] = lambda _: True) -> Callable[[Query], bool]:
    """Whether a function of these names is called, in a way that a condition holds on."""
    return lambda query: any(where(call) for name in names for call in query.calls.get(name, ()))


def _unit(call: Call) -> str:
    """The first argument, where it names a part of time: DAY in timestampdiff(DAY, a, b), 'DAY' in a plan."""
    return call.arguments[0].partition(" ")[0].strip("'\"").lower() if call.arguments else ""


def _compares_structs(query: Query) -> bool:
    """max(struct(...)) and its like; the struct may have got a name in the same query."""
    named = {call.alias for name in ("struct", "named_struct") for call in query.calls.get(name, ()) if call.alias}

    def is_struct(text: str) -> bool:
        return text.strip("`") in named or bool(_STRUCT.match(text) and not _RANKED.match(text))

    return any(
        any(map(is_struct, list(call.arguments)[places]))
        for name, places in _COMPARED.items()
        for call in query.calls.get(name, ())
    )


def _sorts_structs(call: Call) -> bool:
    return len(call.arguments) == 1 and bool(_ANY_STRUCT.search(call.arguments[0]))


def _says(words: str) -> Callable[[Query], bool]:
    return lambda query: any(words in " ".join(tokens).upper() for tokens in query.sql)


def _intersects_all(query: Query) -> bool:
    in_plan = any(
        one.is_all and one.set_op_type == relations_pb2.SetOperation.SET_OP_TYPE_INTERSECT
        for one in query.nodes(relations_pb2.SetOperation)
    )
    return in_plan or _says("INTERSECT ALL")(query)


def _doubles_quotes(query: Query) -> bool:
    return any(_DOUBLED_QUOTE.match(token) for tokens in query.sql for token in tokens)


def _options(query: Query) -> Iterator[tuple[str, str]]:
    """The options of all reads and writes, and the settings that are made."""
    for kind in _WITH_OPTIONS:
        for part in query.nodes(kind):
            yield from ((key.lower(), value.lower()) for key, value in part.options.items())
    yield from ((one.key.lower(), one.value.lower()) for one in query.nodes(base_pb2.KeyValue))


def _option(key: str, value: str | None = None) -> Callable[[Query], bool]:
    return lambda query: any(key == k.removeprefix(_SETTING) and value in {None, v} for k, v in _options(query))


def _reads_with_ignored_option(query: Query) -> bool:
    return any(key.lower() in _IGNORED_WHEN_READING for one in query.nodes(_Source) for key in one.options)


def _partitions_files(query: Query) -> bool:
    writes = query.nodes(commands_pb2.WriteOperation)
    return any(one.partitioning_columns and one.source.lower() in _FILE_FORMATS for one in writes)


def _merges_schema_of_path(query: Query) -> bool:
    writes = (one for one in query.nodes(commands_pb2.WriteOperation) if one.path)
    return any("mergeschema" in map(str.lower, one.options) for one in writes)


def _has(kind: type[Message]) -> Callable[[Query], bool]:
    return lambda query: any(True for _ in query.nodes(kind))


def _asks_for_columns(query: Query) -> bool:
    """By the catalog, or DESCRIBE of a table."""
    words = (" ".join(tokens[:2]).upper() for tokens in query.sql)
    return _has(catalog_pb2.ListColumns)(query) or any(map(_DESCRIBE.match, words))


DEFECTS = (
    Defect(
        "weekday()",
        "a Sunday is -1",
        "(dayofweek(day) + 5) % 7",
        _calls("weekday"),
    ),
    Defect(
        "the part DOW of a date",
        "a Sunday is 0, in Spark 1",
        "dayofweek(day)",
        _calls("extract", "date_part", "datepart", where=lambda call: _unit(call) == "dow"),
    ),
    Defect(
        "timestampdiff() in days",
        "midnights are counted, not days of 24 hours",
        "(unix_micros(later) - unix_micros(earlier)) div 86400000000",
        _calls(
            "timestampdiff",
            "datediff",
            "date_diff",
            where=lambda call: len(call.arguments) == _WITH_A_UNIT and _unit(call) == "day",
        ),
    ),
    Defect(
        "isnan()",
        "of NULL it is NULL, in Spark false",
        "value IS NOT NULL AND nanvl(value, NULL) IS NULL",
        _calls("isnan"),
    ),
    Defect(
        "rint()",
        "halves are rounded up, in Spark to the even number",
        "bround(value)",
        _calls("rint"),
    ),
    Defect(
        "floor() or ceil() with a number of digits",
        "the value is rounded to the nearest",
        "floor(value * 10) / 10",
        _calls("floor", "ceil", "ceiling", where=lambda call: len(call.arguments) > 1),
    ),
    Defect(
        "approx_percentile()",
        "the result lies between the values and is a DOUBLE, in Spark it is one of the values",
        "percentile_disc(0.5) WITHIN GROUP (ORDER BY value), or percentile(value, 0.5)",
        _calls("approx_percentile", "percentile_approx"),
    ),
    Defect(
        "summary()",
        "its percentiles lie between the values, and its rows come in any order",
        "the aggregates that you need",
        _has(relations_pb2.StatSummary),
    ),
    Defect(
        "crosstab()",
        "there is no column for NULL",
        "groupBy(row).pivot(column).count()",
        _has(relations_pb2.StatCrosstab),
    ),
    Defect(
        "max(), min(), max_by(), min_by() or least() of structs",
        "a NULL field ranks highest, in Spark lowest",
        "a field that says whether the value is there before it, struct(value IS NOT NULL, value)",
        _compares_structs,
    ),
    Defect(
        "array_sort(), array_max() or array_min() of structs",
        "a NULL field ranks highest, in Spark lowest",
        "sort_array(items), and of it the first or the last",
        _calls("array_sort", "array_max", "array_min", where=_sorts_structs),
    ),
    Defect(
        "collect_list() over a window",
        "it keeps NULLs, and is NULL for no rows",
        "coalesce(array_agg(value) OVER (...), array())",
        _calls("collect_list", where=lambda call: call.is_windowed),
    ),
    Defect(
        "array_contains()",
        "it is false where Spark says NULL: the array has a NULL and not the value",
        "exists(items, item -> item = value)",
        _calls("array_contains"),
    ),
    Defect(
        "get()",
        "a place below -1 counts from the end, in Spark it is NULL",
        "CASE WHEN place >= 0 THEN try_element_at(items, place + 1) END",
        _calls("get"),
    ),
    Defect(
        "initcap()",
        "a letter after any sign becomes a capital, in Spark only one after a space",
        "array_join(transform(split(lower(text), ' '), w -> concat(upper(left(w, 1)), substring(w, 2))), ' ')",
        _calls("initcap"),
    ),
    Defect(
        "split() by an empty text",
        "there is an empty text at each end",
        "regexp_extract_all(text, '(?s).', 0)",
        _calls("split", where=lambda call: len(call.arguments) > 1 and call.arguments[1] in {"''", '""'}),
    ),
    Defect(
        "a doubled quote in a text of SQL",
        "the quote is lost: 'it''s' is its",
        "'it\\'s'",
        _doubles_quotes,
    ),
    Defect(
        "intersectAll()",
        "a row that is twice on the left and once on the right comes twice",
        "intersect(), or a join of both sides' counts",
        _intersects_all,
    ),
    Defect(
        "the option replaceWhere",
        "the condition is ignored and the whole table is replaced",
        "df.writeTo(table).overwrite(condition) (project.delta.replace_rows)",
        _option("replacewhere"),
    ),
    Defect(
        "INSERT INTO ... REPLACE WHERE",
        "rows on which the condition is NULL are deleted",
        "df.writeTo(table).overwrite(condition) (project.delta.replace_rows)",
        _says("REPLACE WHERE"),
    ),
    Defect(
        "partitionOverwriteMode=dynamic",
        "it is ignored and all partitions are replaced",
        "df.writeTo(table).overwrite(condition) (project.delta.replace_rows)",
        _option("partitionoverwritemode", "dynamic"),
    ),
    Defect(
        "the option txnAppId",
        "it is ignored, so a second run appends the rows again",
        "a MERGE that only inserts (project.delta.append_once)",
        _option("txnappid"),
    ),
    Defect(
        "the option mergeSchema when a path is written",
        "the new columns are left out",
        "saveAsTable(name), with the option",
        _merges_schema_of_path,
    ),
    Defect(
        "the option readChangeFeed",
        "it is ignored: the table's rows come, not its changes",
        "a comparison of two tables",
        _option("readchangefeed", "true"),
    ),
    Defect(
        "writing files (no Delta table) with partitionBy()",
        "the partitions' columns are read as text, and NULL as an empty one",
        "a Delta table",
        _partitions_files,
    ),
    Defect(
        "the option inferSchema",
        "whole numbers become BIGINT and moments TIMESTAMP_NTZ",
        "spark.read.schema(columns)",
        _option("inferschema", "true"),
    ),
    Defect(
        f"reading with one of the options {', '.join(sorted(_IGNORED_WHEN_READING))}",
        "it is ignored",
        "columns of texts, and in the query nullif(), trim(), to_timestamp() or try_cast()",
        _reads_with_ignored_option,
    ),
    Defect(
        "the option enforceSchema=False",
        "the headers of CSV files are not compared with the schema",
        "a comparison of your own with spark.read.option('header', True).csv(path).columns",
        _option("enforceschema", "false"),
    ),
    Defect(
        "DESCRIBE TABLE or catalog.listColumns()",
        "the columns are those of the table when it was made, and none if an earlier process made it",
        "spark.table(name).schema",
        _asks_for_columns,
    ),
    Defect(
        "inputFiles()",
        "it is empty for a Delta table",
        "a query that needs no file names",
        _has(base_pb2.AnalyzePlanRequest.InputFiles),
    ),
)
