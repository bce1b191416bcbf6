"""How far each table has been brought, and by which definition: the table `refreshed_tables`."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from pyspark.sql import SparkSession

from project.delta import upsert
from project.rows import one_row
from project.tables import Tables

_COLUMNS = {"table": "string", "as_of": "timestamp", "until": "timestamp", "definition": "string"}


@dataclass(frozen=True)
class Brought:
    """How far a table has been brought.

    Attributes:
        as_of: nothing that landed later is in it.
        until: it has the rows known by then; before `as_of` only while a table is filled piece by piece.
        definition: the digest of what its rows were made with.
    """

    as_of: datetime
    until: datetime
    definition: str

    @property
    def is_whole(self) -> bool:
        """True if no piece is missing."""
        return self.until >= self.as_of


class Progress:
    """How far each table has been brought: as found when a run began, and as it goes on."""

    def __init__(self, spark: SparkSession, tables: Tables) -> None:
        """Reads what earlier runs have left."""
        self._spark, self._tables = spark, tables
        self._found = dict(_read(spark, tables))
        self._new: dict[str, Brought] = {}
        # One task writes from several threads, and two writes of this table at once would conflict.
        self._lock = threading.Lock()

    def of(self, table: str) -> Brought | None:
        """How far a table has been brought; None if it has not been begun."""
        return self._new.get(table) or self._found.get(table)

    def note(self, table: str, brought: Brought) -> None:
        """Notes that a table has been brought so far; `save` writes it down."""
        with self._lock:
            self._new[table] = brought

    def save(self) -> None:
        """Writes down what has been noted, in one commit."""
        with self._lock:
            if not self._new:
                return
            rows = [
                one_row(self._spark, _COLUMNS, {"table": name} | vars(brought)) for name, brought in self._new.items()
            ]
            written = rows[0]
            for row in rows[1:]:
                written = written.unionByName(row)
            upsert(self._spark, self._tables.refreshed_tables, written, ("table",))
            self._found |= self._new
            self._new = {}


def _read(spark: SparkSession, tables: Tables) -> Mapping[str, Brought]:
    if not spark.catalog.tableExists(tables.refreshed_tables):
        return {}
    # Through Arrow, a moment keeps its zone; collected, it would be in this process's.
    rows = spark.table(tables.refreshed_tables).select(*_COLUMNS).toArrow().to_pylist()
    return {
        row["table"]: Brought(row["as_of"].astimezone(UTC), row["until"].astimezone(UTC), row["definition"])
        for row in rows
    }
