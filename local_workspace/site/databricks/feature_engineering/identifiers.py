"""Names of tables and columns, quoted for Spark."""

from pyspark.sql import Column, SparkSession
from pyspark.sql import functions as F


def full_name(spark: SparkSession, name: str) -> str:
    """A table's three-level name, without quotes; what is left out is the session's current catalog and schema."""
    parts = name.split(".")
    match parts:
        case [table]:
            parts = [spark.catalog.currentCatalog(), spark.catalog.currentDatabase(), table]
        case [schema, table]:
            parts = [spark.catalog.currentCatalog(), schema, table]
        case [_, _, _]:
            pass
        case _:
            raise ValueError(f"A table's name is <catalog>.<schema>.<table>, not {name!r}.")
    return ".".join(parts)


def quoted(name: str) -> str:
    """A full table name as an identifier."""
    return ".".join(f"`{part.replace('`', '``')}`" for part in name.split("."))


def column(name: str, of: str | None = None) -> Column:
    """A column by its literal name, whatever characters are in it."""
    return F.col(f"{of}.{quoted_column(name)}" if of else quoted_column(name))


def quoted_column(name: str) -> str:
    """A column's literal name as an identifier."""
    return f"`{name.replace('`', '``')}`"
