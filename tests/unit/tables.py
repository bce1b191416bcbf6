"""Small tables to read, made without a Delta write, and what Delta's log says of a table that was written."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.pandas.types import from_arrow_schema, to_arrow_schema
from pyspark.sql.types import StructType


class InputTables:
    """Tables that the tested code only reads: a Parquet file each, written without Spark."""

    def __init__(self, spark: SparkSession, folder: Path) -> None:
        self._spark = spark
        self._folder = folder

    def write(self, table: str, rows: Sequence[tuple[Any, ...]], schema: str) -> None:
        """Makes the table of these rows, or replaces what it holds."""
        wanted = to_arrow_schema(StructType.fromDDL(schema))
        columns = zip(*rows, strict=True) if rows else ([] for _ in wanted.names)
        arrays = [pa.array(list(values), kind) for values, kind in zip(columns, wanted.types, strict=True)]
        self._write(table, pa.Table.from_arrays(arrays, schema=wanted))

    def write_frame(self, table: str, frame: pd.DataFrame) -> None:
        """The same from pandas; NaN becomes NULL."""
        self._write(table, pa.Table.from_pandas(frame, preserve_index=False))

    def _write(self, table: str, rows: pa.Table) -> None:
        folder = self._folder / table
        folder.mkdir(exist_ok=True)
        pq.write_table(rows, folder / "rows.parquet", coerce_timestamps="us", allow_truncated_timestamps=True)
        columns = ", ".join(
            f"`{field.name}` {field.dataType.simpleString()}" for field in from_arrow_schema(rows.schema)
        )
        self._spark.sql(f"CREATE TABLE IF NOT EXISTS {table} ({columns}) USING parquet LOCATION '{folder}'")
        self._spark.catalog.refreshTable(table)


def changed_rows(spark: SparkSession, table: str) -> int:
    """Rows that the last write into a Delta table added, altered or removed."""
    last = spark.sql(f"DESCRIBE HISTORY {table} LIMIT 1").first()["operationMetrics"]
    return sum(int(last[f"numTargetRows{what}"]) for what in ("Inserted", "Updated", "Deleted"))


def moment(text: str) -> datetime:
    """A moment in UTC: '2013-03-10 04:30'."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def collected(rows: DataFrame) -> list[dict[str, Any]]:
    """The rows; their times are in UTC, whatever zone this process is in."""
    return rows.toArrow().to_pylist()
