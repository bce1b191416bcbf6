"""The record of `champion`: the table `promotions`, to which each move adds a row as it starts and one as it ends."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import uuid4

from pyspark.sql import Column, SparkSession
from pyspark.sql import functions as F

from project.delta import append_once, has
from project.rows import one_row
from project.tables import Tables

COLUMNS = {
    "model_name": "string",
    "move": "bigint",
    "action": "string",
    "status": "string",
    "model_version": "string",
    "former_champion": "string",
    "reason": "string",
    "as_of": "timestamp",
    "git_commit": "string",
    "verdict_digest": "string",
    "job_id": "string",
    "run_id": "string",
    "token": "string",
}


class Action(StrEnum):
    """What was asked for; `found` is a move that was made without this code."""

    PROMOTION = "promotion"
    ROLLBACK = "rollback"
    FOUND = "found"


class Status(StrEnum):
    """How far it came: only `done` has moved champion for certain, `refused` and `interrupted` have not."""

    STARTED = "started"
    DONE = "done"
    REFUSED = "refused"
    INTERRUPTED = "interrupted"


class OvertakenError(RuntimeError):
    """Another move of champion came first."""


@dataclass(frozen=True)
class Entry:
    """A move, as far as it came: one row.

    Attributes:
        model_name: full name of the registered model.
        action: what was asked for.
        model_version: the version that should become champion; None where it was found that there is none any more.
        former_champion: the champion before; None where there was none.
        status: how far it came.
        reason: why it was asked for, or refused.
        as_of: the moment of the run (UTC); None where champion was moved without a run.
        git_commit: the code that ran.
        verdict_digest: of the verdict that decided.
        job_id: the job, empty outside of one.
        run_id: its run.
        move: place among the model's moves, from 1; 0 before it is in the table.
        token: tells this move from another run's at the same place.
    """

    model_name: str
    action: Action
    model_version: str | None
    former_champion: str | None
    status: Status
    reason: str
    as_of: datetime | None = None
    git_commit: str | None = None
    verdict_digest: str | None = None
    job_id: str = ""
    run_id: str = ""
    move: int = 0
    token: str = ""


def read_entries(spark: SparkSession, tables: Tables, model_name: str) -> list[Entry]:
    """The moves of a model in order, each as far as it came: a few a month, so they fit."""
    if not spark.catalog.tableExists(tables.promotions):
        return []
    rows = spark.table(tables.promotions).filter(F.col("model_name") == model_name).select(*COLUMNS)
    started_first = F.when(F.col("status") == Status.STARTED, 0).otherwise(1)
    found: list[dict[str, Any]] = rows.orderBy("move", started_first).toArrow().to_pylist()
    entries = (Entry(**row | {"action": Action(row["action"]), "status": Status(row["status"])}) for row in found)
    return list({entry.move: entry for entry in entries}.values())


def add_entry(spark: SparkSession, tables: Tables, entry: Entry, after: Sequence[Entry]) -> Entry:
    """Adds a row at the next place, for whoever comes first to it.

    Raises:
        OvertakenError: another run has that place.
    """
    move = after[-1].move + 1 if after else 1
    placed = replace(entry, move=move, token=uuid4().hex)
    return _append(spark, tables, placed, F.lit(True))


def close_entry(spark: SparkSession, tables: Tables, entry: Entry, status: Status, reason: str = "") -> Entry:
    """Says how a started move ended; the first word stands.

    Raises:
        OvertakenError: another run has said otherwise.
    """
    closed = replace(entry, status=status, reason="; ".join(filter(None, (entry.reason, reason))))
    return _append(spark, tables, closed, F.col(f"{tables.promotions}.status") != Status.STARTED)


def _append(spark: SparkSession, tables: Tables, entry: Entry, is_taken: Column) -> Entry:
    """Appends a row of a move, unless it has one by which the place is taken: of two at once, one sees its row lack."""
    of_move = has(tables.promotions, {"model_name": entry.model_name, "move": entry.move})
    row = one_row(spark, COLUMNS, asdict(entry)).withColumns({"by": F.current_user(), "at": F.current_timestamp()})
    append_once(spark, tables.promotions, row, of_move & is_taken)
    own = (F.col("token") == entry.token) & (F.col("status") == entry.status)
    if spark.table(tables.promotions).filter(own).isEmpty():
        raise OvertakenError(
            f"another move of champion of {entry.model_name} came before the {entry.action}: run it again"
        )
    return entry
