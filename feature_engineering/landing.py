"""The landing folder: one folder a source, in it one folder of CSV files a run, named by the run's as_of (UTC)."""

import csv
from datetime import UTC, datetime
from pathlib import Path

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import StringType, StructField, StructType

_NAME = "as_of=%Y%m%dT%H%M%SZ"


def landing_folder(volume: Path) -> Path:
    """Where the sources land in the volume."""
    return volume / "landing"


def land(rows: DataFrame, landing: Path, source: str, as_of: datetime) -> None:
    """Writes one run's rows of one source; a repeated run replaces them."""
    folder = landing / source / as_of.astimezone(UTC).strftime(_NAME)
    rows.coalesce(1).write.mode("overwrite").option("header", True).csv(str(folder))


def landed_folders(landing: Path, source: str, since: datetime | None, as_of: datetime) -> list[Path]:
    """The folders of one source that landed in (since, as_of], oldest first."""
    landed = [(_landed_at(folder), folder) for folder in (landing / source).glob("as_of=*")]
    return [folder for moment, folder in sorted(landed) if (since is None or moment > since) and moment <= as_of]


def read_landed(spark: SparkSession, folders: list[Path], columns: tuple[str, ...]) -> DataFrame:
    """Reads landed folders as text.

    Args:
        spark: the session.
        folders: as `landed_folders` gives them; at least one.
        columns: the columns to read.

    Returns:
        `columns` as strings, empty fields as NULL, and `landed_as_of` (UTC).

    Raises:
        FileNotFoundError: a folder holds no CSV file.
        ValueError: a folder lacks one of the columns; it names both.
    """
    frames = []
    for folder in folders:
        header = _header(folder)
        missing = [name for name in columns if name not in header]
        if missing:
            raise ValueError(f"column {missing[0]!r} is missing in what landed in {folder}")
        text = StructType([StructField(name, StringType()) for name in header])
        rows = spark.read.schema(text).option("header", True).option("enforceSchema", False).csv(str(folder))
        frames.append(rows.select(*columns, F.lit(_landed_at(folder)).alias("landed_as_of")))
    result = frames[0]
    for frame in frames[1:]:
        result = result.unionByName(frame)
    return result


def _header(folder: Path) -> list[str]:
    """Column names of the first file; Spark compares the other files' with them as it reads."""
    files = sorted(folder.glob("*.csv"))
    if not files:
        raise FileNotFoundError(f"no CSV file has landed in {folder}")
    with files[0].open(newline="", encoding="utf-8") as lines:
        return next(csv.reader(lines), [])


def _landed_at(folder: Path) -> datetime:
    return datetime.strptime(folder.name, _NAME).replace(tzinfo=UTC)
