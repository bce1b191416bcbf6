"""Small tables to read, made without a Delta write, and what Delta's log says of a table that was written."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from project.tables import plain

_KINDS = {
    "string": pa.string(),
    "boolean": pa.bool_(),
    "int": pa.int32(),
    "bigint": pa.int64(),
    "double": pa.float64(),
    "timestamp": pa.timestamp("us", tz="UTC"),
}

_CHANGES = ("Inserted", "Updated", "Deleted")


class InputTables:
    """Tables that the tested code only reads: a Parquet file each, written without Spark."""

    def __init__(self, spark: SparkSession, folder: Path) -> None:
        self._spark = spark
        self._folder = folder

    def write(self, table: str, rows: Sequence[tuple[Any, ...]], schema: str) -> None:
        """Makes the table of these rows, or replaces what it holds."""
        columns = dict(column.split() for column in schema.split(", "))
        values = zip(*rows, strict=True) if rows else ([] for _ in columns)
        arrays = [pa.array(list(v), _KINDS[kind]) for v, kind in zip(values, columns.values(), strict=True)]
        self._write(table, pa.Table.from_arrays(arrays, names=list(columns)))

    def write_frame(self, table: str, frame: pd.DataFrame) -> None:
        """The same from pandas; NaN becomes NULL."""
        rows = pa.Table.from_pandas(frame, preserve_index=False)
        self._write(table, rows.cast(pa.schema([(field.name, _stored(field.type)) for field in rows.schema])))

    def _write(self, table: str, rows: pa.Table) -> None:
        folder = self._folder / plain(table)
        folder.mkdir(exist_ok=True)
        pq.write_table(rows, folder / "rows.parquet")
        names = {kind: name for name, kind in _KINDS.items()}
        columns = ", ".join(f"`{field.name}` {names[field.type]}" for field in rows.schema)
        self._spark.sql(f"CREATE TABLE IF NOT EXISTS {table} ({columns}) USING parquet LOCATION '{folder}'")
        self._spark.catalog.refreshTable(table)


class SentTables(InputTables):
    """The same where Spark does not see this machine's files: the rows go with the session."""

    def __init__(self, spark: SparkSession) -> None:
        self._spark = spark

    def _write(self, table: str, rows: pa.Table) -> None:
        made = self._spark.createDataFrame(rows)
        made.write.mode("overwrite").option("overwriteSchema", True).saveAsTable(table)


def _stored(kind: pa.DataType) -> pa.DataType:
    """Spark keeps microseconds."""
    return _KINDS["timestamp"] if pa.types.is_timestamp(kind) else kind


@contextmanager
def changed_rows(spark: SparkSession, *tables: str) -> Iterator[dict[str, int]]:
    """Counts, by Delta table, the rows that merges within the block add, alter or remove; there once it has ended."""
    before = {table: version_of(spark, table) for table in tables}
    changed: dict[str, int] = {}
    yield changed
    for table, version in before.items():
        commits = spark.sql(f"DESCRIBE HISTORY {table}").filter(F.col("version") > version).collect()
        assert {row["operation"] for row in commits} <= {"MERGE"}
        counts = (row["operationMetrics"][f"numTargetRows{what}"] for row in commits for what in _CHANGES)
        changed[table] = sum(map(int, counts))


def version_of(spark: SparkSession, table: str) -> int:
    """The newest version of a Delta table."""
    return int(spark.sql(f"DESCRIBE HISTORY {table} LIMIT 1").first()["version"])


def moment(text: str) -> datetime:
    """A moment in UTC: '2024-03-10 04:30'."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def collected(rows: DataFrame) -> list[dict[str, Any]]:
    """The rows; their times are in UTC, whatever zone this process is in."""
    return rows.toArrow().to_pylist()
