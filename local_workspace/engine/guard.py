"""Stands between Spark's client and Sail: each plan is refused, answered or mended before it is sent."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import grpc
from google.protobuf.message import Message
from pyspark.errors.exceptions.connect import SparkRuntimeException
from pyspark.sql.connect.proto import base_pb2, commands_pb2, expressions_pb2, relations_pb2

from local_workspace.engine import plans
from local_workspace.engine.defects import refuse_known_defects
from local_workspace.engine.statements import FILE_SIZE, Statements

_Attribute = expressions_pb2.Expression.UnresolvedAttribute

_CONFLICT = "Failed to commit transaction"

type Continuation = Callable[[Any, Message], Any]


class Guard(grpc.UnaryStreamClientInterceptor, grpc.UnaryUnaryClientInterceptor):  # type: ignore[misc]  # no types
    """Sees each call of Spark's client; its own errors reach the caller as they are."""

    def __init__(self, warehouse: Path) -> None:
        """Takes where the tables are."""
        self._statements = Statements(warehouse)

    def intercept_unary_stream(self, continuation: Continuation, details: Any, request: Message) -> Any:
        """A plan that is executed."""
        return _Answer(continuation(details, self._prepared(request)))

    def intercept_unary_unary(self, continuation: Continuation, details: Any, request: Message) -> Any:
        """A plan that is asked about, such as for its schema."""
        return continuation(details, self._prepared(request))

    def _prepared(self, request: Message) -> Message:
        if isinstance(request, base_pb2.ExecutePlanRequest | base_pb2.AnalyzePlanRequest | base_pb2.ConfigRequest):
            refuse_known_defects(request)
        if isinstance(request, base_pb2.ExecutePlanRequest):
            _mend(request.plan, self._statements)
        return request


class _Answer:
    """What the server answers; a write that met another one fails by Delta's own name for it."""

    def __init__(self, answers: Any) -> None:
        self._answers = answers

    def __getattr__(self, name: str) -> Any:
        return getattr(self._answers, name)

    def __iter__(self) -> "_Answer":
        return self

    def __next__(self) -> Any:
        try:
            return next(self._answers)
        except grpc.RpcError as error:
            if _CONFLICT in str(error):
                raise SparkRuntimeException(
                    message="[DELTA_CONCURRENT_WRITE] The table was changed while it was written: try again.",
                    errorClass="DELTA_CONCURRENT_WRITE",
                ) from None
            raise


def _mend(plan: base_pb2.Plan, statements: Statements) -> None:
    for relation in plans.nodes(plan, relations_pb2.SQL):
        relation.query = statements.portable(relation.query)
    if plan.root.catalog.HasField("create_table"):
        plan.root.catalog.create_table.options.update(FILE_SIZE)
    if plan.root.catalog.HasField("refresh_table"):
        # Sail keeps nothing of a table that could be out of date.
        plan.root.catalog.current_database.SetInParent()
    if plan.command.HasField("write_operation_v2"):
        _mend_overwrite(plan.command.write_operation_v2)


def _mend_overwrite(write: commands_pb2.WriteOperationV2) -> None:
    """Rows on which the condition is NULL stay, and a new row that it does not hold on is refused, as Delta does."""
    if write.mode != commands_pb2.WriteOperationV2.MODE_OVERWRITE:
        return
    holds = _call("<=>", write.overwrite_condition, _literal(boolean=True))
    checked = next((one.unparsed_identifier for one in plans.nodes(holds, _Attribute)), None)
    if checked is not None:
        column = plans.name_parts(checked)[0]
        reason = f"[DELTA_REPLACE_WHERE_MISMATCH] a row is outside {write.table_name}'s part"
        refusal = _call("raise_error", _literal(string=reason))
        rows = relations_pb2.Relation()
        rows.with_columns.input.CopyFrom(write.input)
        alias = rows.with_columns.aliases.add(name=[column])
        alias.expr.CopyFrom(_call("when", holds, _column(column), refusal))
        write.input.CopyFrom(rows)
    # The condition itself too: by it, and not by a comparison with it, Sail leaves out the files that it can't hold on.
    write.overwrite_condition.CopyFrom(_call("and", write.overwrite_condition, holds))


def _column(name: str) -> expressions_pb2.Expression:
    made = expressions_pb2.Expression()
    made.unresolved_attribute.unparsed_identifier = f"`{name}`"
    return made


def _call(function: str, *arguments: expressions_pb2.Expression) -> expressions_pb2.Expression:
    made = expressions_pb2.Expression()
    made.unresolved_function.function_name = function
    made.unresolved_function.arguments.extend(arguments)
    return made


def _literal(**value: Any) -> expressions_pb2.Expression:
    made = expressions_pb2.Expression()
    for kind, content in value.items():
        setattr(made.literal, kind, content)
    return made
