"""How far each table has been brought, and by which definition: the table `refreshed_tables`."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import reduce

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from project.delta import replace_rows
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
        self._new: dict[str, Brought | None] = {}
        # One task writes from several threads, and two writes of this table at once would conflict.
        self._lock = threading.Lock()

    def of(self, table: str) -> Brought | None:
        """How far a table has been brought; None if it has not been begun."""
        with self._lock:
            return self._new[table] if table in self._new else self._found.get(table)

    def note(self, table: str, brought: Brought) -> None:
        """Notes that a table has been brought so far; `save` writes it down."""
        with self._lock:
            self._new[table] = brought

    def forget(self, table: str) -> None:
        """Notes that a table is there no more."""
        with self._lock:
            self._new[table] = None

    def save(self) -> None:
        """Writes down what has been noted, in one commit: all that is known, a row a table."""
        with self._lock:
            if not self._new:
                return
            known = {name: one for name, one in (self._found | self._new).items() if one is not None}
            rows = [one_row(self._spark, _COLUMNS, {"table": name} | vars(one)) for name, one in known.items()]
            replace_rows(self._spark, self._tables.refreshed_tables, reduce(DataFrame.unionByName, rows), F.lit(True))
            self._found, self._new = known, {}


def _read(spark: SparkSession, tables: Tables) -> Mapping[str, Brought]:
    if not spark.catalog.tableExists(tables.refreshed_tables):
        return {}
    # Through Arrow, a moment keeps its zone; collected, it would be in this process's.
    rows = spark.table(tables.refreshed_tables).select(*_COLUMNS).toArrow().to_pylist()
    return {
        row["table"]: Brought(row["as_of"].astimezone(UTC), row["until"].astimezone(UTC), row["definition"])
        for row in rows
    }
