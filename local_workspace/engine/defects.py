"""What Sail computes wrongly without an error: refused by name before it runs, with what to say instead.

An entry can go when its test says that the defect is gone. `ENGINE=spark` runs the same code on JVM Spark, which has none of
them.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from google.protobuf.message import Message
from pyspark.sql.connect.proto import base_pb2, catalog_pb2, commands_pb2, expressions_pb2, relations_pb2

from local_workspace.engine import plans

_DESCRIBE = re.compile(r"\s*DESC(RIBE)?\s+(?!HISTORY\b|SCHEMA\b|DATABASE\b|FUNCTION\b|QUERY\b)", re.I)


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
    is_in: Callable[[Message], bool]


def refuse_known_defects(request: Message) -> None:
    """Raises for the first known defect that a request would meet.

    Raises:
        EngineDefectError: it names the defect and the portable form.
    """
    for defect in DEFECTS:
        if defect.is_in(request):
            raise EngineDefectError(
                f"{defect.name} is wrong on the local engine (Sail): {defect.wrong}. Write {defect.instead}, "
                "or run with ENGINE=spark."
            )


def _calls(name: str) -> Callable[[Message], bool]:
    return lambda request: name in plans.called_functions(request)


def _greatest_struct(request: Message) -> bool:
    """max(struct(...)) and min(struct(...)), as calls: in SQL a struct's fields can't be told."""
    return any(
        call.function_name.lower() in {"max", "min"}
        and call.arguments
        and call.arguments[0].unresolved_function.function_name.lower() in {"struct", "named_struct"}
        for call in plans.nodes(request, expressions_pb2.Expression.UnresolvedFunction)
    )


def _options(request: Message) -> Iterator[tuple[str, str]]:
    """The options of all reads and writes."""
    written = [*plans.nodes(request, commands_pb2.WriteOperation), *plans.nodes(request, commands_pb2.WriteOperationV2)]
    read = plans.nodes(request, relations_pb2.Read.DataSource)
    for part in (*written, *read):
        yield from ((key.lower(), value.lower()) for key, value in part.options.items())


def _option(key: str, value: str | None = None) -> Callable[[Message], bool]:
    return lambda request: any(key == k and value in {None, v} for k, v in _options(request))


def _asks_for_columns(request: Message) -> bool:
    """By the catalog, or DESCRIBE of a table."""
    return any(True for _ in plans.nodes(request, catalog_pb2.ListColumns)) or any(
        _DESCRIBE.match(text) for text in plans.sql_texts(request)
    )


def _asks_for_files(request: Message) -> bool:
    return isinstance(request, base_pb2.AnalyzePlanRequest) and request.HasField("input_files")


DEFECTS = (
    Defect(
        "weekday()",
        "a Sunday is -1",
        "(dayofweek(day) + 5) % 7",
        _calls("weekday"),
    ),
    Defect(
        "max() or min() of a struct",
        "a NULL field ranks highest, in Spark lowest",
        "a field that says whether the value is there before it: struct(value IS NOT NULL, value)",
        _greatest_struct,
    ),
    Defect(
        "the option replaceWhere",
        "the condition is ignored and the whole table is replaced",
        "df.writeTo(table).overwrite(condition) (project.delta.replace_rows)",
        _option("replacewhere"),
    ),
    Defect(
        "the option txnAppId",
        "it is ignored, so a second run appends the rows again",
        "a MERGE that only inserts (project.delta.append_once)",
        _option("txnappid"),
    ),
    Defect(
        "the option enforceSchema=False",
        "the headers of CSV files are not compared with the schema",
        "your own look at the first lines (feature_engineering.landing)",
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
        _asks_for_files,
    ),
)
