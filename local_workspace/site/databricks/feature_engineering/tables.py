"""Feature tables: Delta tables that know their primary key.

Open-source Delta has no PRIMARY KEY constraint, so the key and the time series column are table properties.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import reduce

from pyspark.sql import Column, DataFrame, Row, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import MapType, StructType, TimestampType

from local_workspace import delta_log

from .identifiers import column, full_name, quoted, quoted_column

_PRIMARY_KEYS = "featureEngineering.primaryKeys"
_TIMESERIES_COLUMNS = "featureEngineering.timeseriesColumns"
_TAGS = "featureEngineering.tags"
# Beside Delta's own comment, which not every engine takes as a property. Read from the log: Spark redacts what it takes
# for a secret, such as any text with "url" in it.
_DESCRIPTION = "featureEngineering.description"


@dataclass(frozen=True)
class FeatureTable:
    """What is known about a feature table, its rows apart."""

    name: str
    primary_keys: list[str]
    timestamp_keys: list[str]
    features: list[str]
    description: str = ""
    partition_columns: list[str] = field(default_factory=list)
    tags: dict[str, str] = field(default_factory=dict)

    @property
    def lookup_keys(self) -> list[str]:
        """The primary key without the time series column."""
        return [key for key in self.primary_keys if key not in self.timestamp_keys]


def create(spark: SparkSession, table: FeatureTable, schema: StructType, rows: DataFrame | None = None) -> None:
    """Makes the Delta table of a feature table, with its first rows if there are any."""
    _check_keys(table, schema)
    if rows is None:
        # No data travels from Python, so no Python worker has to start.
        rows = spark.range(0).select(*(F.lit(None).cast(item.dataType).alias(item.name) for item in schema))
    else:
        _check_unique(table, rows)
    writer = (
        rows.writeTo(quoted(table.name))
        .using("delta")
        .tableProperty(_DESCRIPTION, table.description)
        .tableProperty(_PRIMARY_KEYS, json.dumps(table.primary_keys))
        .tableProperty(_TIMESERIES_COLUMNS, json.dumps(table.timestamp_keys))
        .tableProperty(_TAGS, json.dumps(table.tags))
    )
    if table.partition_columns:
        writer = writer.partitionedBy(*(column(name) for name in table.partition_columns))
    writer.create()


def get(spark: SparkSession, name: str) -> FeatureTable:
    """Reads what is known about a feature table; a table without a primary key is none."""
    name = full_name(spark, name)
    features = read(spark, name).columns
    properties, written = properties_of(spark, name), delta_log.metadata(delta_log.folder_of(spark, name))
    primary_keys, timestamp_keys = keys_of(properties)
    return FeatureTable(
        name=name,
        primary_keys=primary_keys,
        timestamp_keys=timestamp_keys,
        features=features,
        description=written["configuration"][_DESCRIPTION],
        partition_columns=written["partitionColumns"],
        tags=json.loads(properties[_TAGS]),
    )


def properties_of(spark: SparkSession, name: str) -> dict[str, str]:
    """A feature table's properties; a table without a primary key is none."""
    # From the catalog alone: what Delta tells of a table's details costs it a look at all its files.
    properties = {row["key"]: row["value"] for row in spark.sql(f"SHOW TBLPROPERTIES {quoted(name)}").collect()}
    if _PRIMARY_KEYS not in properties:
        raise ValueError(f"Table '{name}' can't be used as a feature table: it has no primary key.")
    return properties


def keys_of(properties: Mapping[str, str]) -> tuple[list[str], list[str]]:
    """The primary keys and, among them, the time series column, as properties tell them."""
    return json.loads(properties[_PRIMARY_KEYS]), json.loads(properties[_TIMESERIES_COLUMNS])


def read(spark: SparkSession, name: str) -> DataFrame:
    """All rows of a table."""
    identifier = quoted(full_name(spark, name))
    if not spark.catalog.tableExists(identifier):
        raise ValueError(f"The feature data table for '{full_name(spark, name)}' could not be found.")
    return spark.table(identifier)


def merge(spark: SparkSession, table: FeatureTable, rows: DataFrame) -> None:
    """Updates the rows whose primary key is there, inserts the others, adds columns that are new.

    A static table may get some of its columns only: the others keep their values in rows that are updated.
    """
    _check_columns(spark, table, rows)
    # Computed once: they are counted, compared with the table, and written.
    rows = rows.persist()
    try:
        number, within = _check_unique(table, rows)
        if number == 0:
            return
        if not set(rows.columns) <= set(table.features) or _has_map(rows):
            _update(table, rows)
            return
        known = read(spark, table.name).where(within)
        found = _compare(table, rows, known)
        if found["other"]:
            _update(table, rows)
        elif found["new"]:
            # An append alone: a merge would read and write more to the same end.
            lacking = rows.join(known, table.primary_keys, "left_anti") if found["same"] else rows
            in_time = lacking.sortWithinPartitions(*table.timestamp_keys) if table.timestamp_keys else lacking
            in_time.write.format("delta").mode("append").saveAsTable(quoted(table.name))
    finally:
        rows.unpersist()


def _has_map(rows: DataFrame) -> bool:
    """Spark compares no maps."""
    return any(isinstance(item.dataType, MapType) for item in rows.schema)


def _compare(table: FeatureTable, rows: DataFrame, known: DataFrame) -> Row:
    """How many rows are `new` to a table, the `same` as known, and known with `other` values."""
    given = [name for name in rows.columns if name not in table.primary_keys]
    keys = [column(key) for key in table.primary_keys]
    values = F.struct(F.lit(True), *(column(name) for name in given))
    both = rows.select(*keys, values.alias("_given")).join(
        known.select(*keys, values.alias("_known")), table.primary_keys, "left"
    )
    is_new, is_same = F.col("_known").isNull(), F.col("_given") == F.col("_known")
    return both.agg(
        F.count_if(is_new).alias("new"),
        F.count_if(~is_new & is_same).alias("same"),
        F.count_if(~is_new & ~is_same).alias("other"),
    ).collect()[0]


def _update(table: FeatureTable, rows: DataFrame) -> None:
    # Spark's own merge, which is there through Spark Connect too; Delta's would need a plugin of the server.
    name = quoted(table.name)
    if not set(rows.columns) <= set(table.features):
        rows.limit(0).write.format("delta").mode("append").option("mergeSchema", True).saveAsTable(name)
    same = [column(key, of=name) == column(key, of="source") for key in table.primary_keys]
    given = {quoted_column(item): column(item, of="source") for item in rows.columns}
    merge = rows.alias("source").mergeInto(name, reduce(Column.__and__, same))
    merge.whenMatched().update(given).whenNotMatched().insert(given).merge()


def drop(spark: SparkSession, name: str) -> None:
    """Drops a feature table and its rows."""
    table = get(spark, name)
    spark.sql(f"DROP TABLE {quoted(table.name)}")


def _check_keys(table: FeatureTable, schema: StructType) -> None:
    missing = [key for key in table.primary_keys if key not in schema.fieldNames()]
    if missing:
        raise ValueError(f"The dataframe or schema must contain all primary keys; it lacks {missing}.")
    if divided := sorted(set(table.partition_columns) & set(table.primary_keys)):
        raise ValueError(f"Primary keys cannot be partition columns: {divided}.")
    for key in table.timestamp_keys:
        if key not in table.primary_keys:
            raise ValueError(f"Timeseries column '{key}' is not in primary_keys.")
        if schema[key].dataType != TimestampType():
            kind = schema[key].dataType.simpleString()
            raise NotImplementedError(
                f"The local feature engineering client does not support a timeseries_column of type {kind}: "
                "use timestamp."
            )


def _check_columns(spark: SparkSession, table: FeatureTable, rows: DataFrame) -> None:
    needed = table.features if table.timestamp_keys else table.primary_keys
    missing = [name for name in needed if name not in rows.columns]
    if missing:
        what = "All columns of a time series feature table" if table.timestamp_keys else "All primary keys"
        raise ValueError(f"{what} must be in the dataframe; it lacks {missing}.")
    known = read(spark, table.name).schema
    for item in rows.schema:
        if item.name in known.fieldNames() and known[item.name].dataType != item.dataType:
            raise ValueError(
                f"Column '{item.name}' is {known[item.name].dataType.simpleString()} in '{table.name}' "
                f"and {item.dataType.simpleString()} in the dataframe."
            )


def _check_unique(table: FeatureTable, rows: DataFrame) -> tuple[int, Column]:
    """Every primary key is there once, without NULL: a constraint that open-source Delta does not have.

    Returns:
        The number of rows, and the condition that holds their stretch of time: with it few of the table's files are
        read.
    """
    keys = [column(key) for key in table.primary_keys]
    has_null = F.greatest(*(key.isNull() for key in keys), F.lit(False))
    times = [F.unix_micros(column(key)) for key in table.timestamp_keys] or [F.lit(None)]
    counts = rows.groupBy(*keys).count()
    facts = [F.sum("count").alias("rows"), F.max("count").alias("most"), F.max(has_null).alias("has_null")]
    found = counts.agg(*facts, F.min(times[0]).alias("first"), F.max(times[0]).alias("last")).collect()[0]
    if (found["most"] or 0) > 1:
        raise ValueError(f"Non-unique rows detected in the dataframe for key {table.primary_keys}.")
    if found["has_null"]:
        raise ValueError(f"NULL detected in the dataframe in key {table.primary_keys}.")
    if found["first"] is None:
        return found["rows"] or 0, F.lit(True)
    first, last = (F.timestamp_micros(F.lit(found[name])) for name in ("first", "last"))
    return found["rows"], column(table.timestamp_keys[0]).between(first, last)
