"""The landing folder: one folder a source, in it one folder of CSV files a run, named by the run's as_of (UTC)."""

import csv
import shutil
from collections.abc import Collection
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.csv
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import StringType, StructField, StructType

_NAME = "as_of=%Y%m%dT%H%M%SZ"


def landing_folder(volume: Path) -> Path:
    """Where the sources land in the volume."""
    return volume / "landing"


def land(rows: DataFrame, landing: Path, source: str, as_of: datetime) -> None:
    """Writes one run's rows of one source, a header also without rows; a repeated run replaces them."""
    folder = landing / source / as_of.astimezone(UTC).strftime(_NAME)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    pa.csv.write_csv(rows.toArrow(), folder / "rows.csv")


def landed_folders(landing: Path, source: str, since: datetime | None, as_of: datetime) -> list[Path]:
    """The folders of one source that landed in (since, as_of], oldest first."""
    landed = [(landed_at(folder), folder) for folder in (landing / source).glob("as_of=*")]
    return [folder for moment, folder in sorted(landed) if (since is None or moment > since) and moment <= as_of]


def read_landed(
    spark: SparkSession,
    folders: list[Path],
    columns: tuple[str, ...],
    optional: Collection[str] = (),
    read_until: datetime | None = None,
) -> DataFrame:
    """Reads landed folders as text.

    Args:
        spark: the session.
        folders: as `landed_folders` gives them; at least one.
        columns: the columns to read.
        optional: those that a folder may lack which landed by `read_until`: it was read when they were not asked for.
        read_until: what landed up to then has been read before; None where nothing has.

    Returns:
        `columns` as strings, empty fields as NULL, and `landed_as_of` (UTC).

    Raises:
        FileNotFoundError: a folder holds no CSV file.
        ValueError: a folder lacks one of the columns, or its files have different headers; it names them.
    """
    frames = []
    for folder in folders:
        header, has_been_read = _header(folder), read_until is not None and landed_at(folder) <= read_until
        missing = [name for name in columns if name not in header and not (has_been_read and name in optional)]
        if missing:
            raise ValueError(f"column {missing[0]!r} is missing in what landed in {folder}")
        text = StructType([StructField(name, StringType()) for name in header])
        rows = spark.read.schema(text).option("header", True).option("escape", '"').csv(str(folder))
        given = [F.col(name) if name in header else F.lit(None).cast("string").alias(name) for name in columns]
        frames.append(rows.select(*given, F.lit(landed_at(folder)).alias("landed_as_of")))
    result = frames[0]
    for frame in frames[1:]:
        result = result.unionByName(frame)
    return result


def _header(folder: Path) -> list[str]:
    """Column names of a folder's files, which must be the same in all."""
    headers = {file.name: _first_line(file) for file in sorted(folder.glob("*.csv"))}
    if not headers:
        raise FileNotFoundError(f"no CSV file has landed in {folder}")
    first, *others = headers
    for file in others:
        if headers[file] != headers[first]:
            raise ValueError(f"the CSV header of {file} is not that of {first} in {folder}")
    return headers[first]


def _first_line(file: Path) -> list[str]:
    with file.open(newline="", encoding="utf-8") as lines:
        return next(csv.reader(lines), [])


def landed_at(folder: Path) -> datetime:
    """The as_of (UTC) of the run that a landed folder is of."""
    return datetime.strptime(folder.name, _NAME).replace(tzinfo=UTC)
