"""How a table is brought up to date: a stretch of time computed anew, or all of it where its definition has changed.

A rebuild fills a second table in pieces of bounded length and then puts its rows in the place of the old ones, in one
commit: until then readers see the old rows, and one that was cut off goes on where it was.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from databricks.feature_engineering import FeatureEngineeringClient
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import DoubleType, FloatType, StructType

from feature_engineering.bronze import read_source
from feature_engineering.definitions import KNOWN_AT, Definition, FeatureTable, Reading, Source, digest_of_texts
from feature_engineering.progress import Brought, Progress
from project.delta import added_columns, keep_only, replace_rows, upsert
from project.tables import Tables, plain
from project.times import from_micros

REBUILD, REFUSE = "rebuild", "refuse"
EVERYTHING = "all"
_REBUILT = "__rebuilt"
# Two ways to one sum differ in its last digits.
_TOLERANCE = 1e-9


class RedefinedError(RuntimeError):
    """A table's formula has changed, and nobody has said that its rows shall change."""


@dataclass(frozen=True)
class Orders:
    """What a run is told about tables whose rows it may make anew.

    Attributes:
        rebuild: names of tables that are rebuilt; `all` stands for each.
        changed_formula: "rebuild" if a table whose formula has changed is rebuilt without being named, "refuse" if not.
        piece: the length of time that a table is filled by at once.
    """

    rebuild: tuple[str, ...]
    changed_formula: str
    piece: timedelta

    def __post_init__(self) -> None:
        """Refuses another word for `changed_formula`."""
        if self.changed_formula not in {REBUILD, REFUSE}:
            raise ValueError(f"changed_formula is '{self.changed_formula}', and must be '{REBUILD}' or '{REFUSE}'")

    def names(self, table: str) -> bool:
        """Whether a table is told to be rebuilt."""
        return table in self.rebuild or EVERYTHING in self.rebuild

    def spread(self, computed: Sequence[Definition]) -> "Orders":
        """The same, with the tables that are computed from those that it names."""
        names = list(self.rebuild)
        for definition in computed:
            if definition.of.table in names and definition.name not in names:
                names.append(definition.name)
        return replace(self, rebuild=tuple(names))

    def check(self, known: Sequence[str]) -> None:
        """Refuses a name that no table has.

        Raises:
            ValueError: it names the name, and the tables.
        """
        unknown = sorted(set(self.rebuild) - {*known, EVERYTHING})
        if unknown:
            raise ValueError(
                f"rebuild: there is no table '{unknown[0]}'; there are {', '.join(known)}, or '{EVERYTHING}'"
            )


def bring(
    spark: SparkSession, tables: Tables, definition: Definition, as_of: datetime, orders: Orders, progress: Progress
) -> str:
    """Brings a table to as_of.

    What changed in its input since it was brought last is computed anew, from the earliest moment that can differ. A
    table that is missing is filled for the whole history, and so is one whose definition has changed or that the orders
    name.

    Args:
        spark: the session.
        tables: the deployment's tables.
        definition: the table's.
        as_of: the moment of this run.
        orders: what may be rebuilt.
        progress: how far tables have been brought; is kept up to date.

    Returns:
        What was done, in a few words.

    Raises:
        RedefinedError: its formula has changed, and it is not named.
        ChangedTypeError: a column would change its type; nothing is written.
    """
    found, is_there = progress.of(definition.name), spark.catalog.tableExists(tables.named(definition.name))
    if not is_there or (found is not None and not found.is_whole):
        _fill(spark, tables, definition, definition.name, as_of, orders.piece, progress)
        return f"filled, {_counted(spark, tables, definition, None)}"
    if found is None or found.definition != made_by(definition, progress) or orders.names(definition.name):
        return _rebuild(spark, tables, definition, as_of, orders, progress)
    if found.as_of >= as_of:
        return f"is as of {found.as_of:%Y-%m-%d %H:%M}"
    start = _changed_from(spark, tables, definition, found.as_of)
    for piece in _pieces(start, as_of, orders.piece):
        _write(spark, tables, definition, definition.name, piece, as_of, again=True)
    progress.note(definition.name, Brought(as_of, as_of, found.definition))
    return _counted(spark, tables, definition, start)


def bring_source(
    source: Source, volume: Path, as_of: datetime, orders: Orders, progress: Progress, reading: Reading
) -> str:
    """Brings a source's bronze table to as_of: merges what has landed since it was brought last.

    All that ever landed is read again where the table's definition has changed or the orders name it: rows that come
    out the same stay untouched.

    Returns:
        What was done, in a few words.

    Raises:
        FileNotFoundError: nothing has landed of a source that is due.
        RedefinedError: the code that makes its rows has changed, they would differ, and it is not named.
        ChangedTypeError: a column would change its type; nothing is written.
    """
    spark, table = reading.spark, reading.tables.named(source.name)
    found = progress.of(source.name) if spark.catalog.tableExists(table) else None
    is_same = found is not None and found.definition == source.digest and not orders.names(source.name)
    if found is not None and is_same and found.as_of >= as_of:
        return f"is as of {found.as_of:%Y-%m-%d %H:%M}"
    to = as_of if found is None else max(as_of, found.as_of)
    if found is not None and not is_same:
        # Against what had landed then: what has landed since may change rows rightly.
        reading = replace(reading, read_until=found.as_of)
        before = read_source(source, volume, None, found.as_of, reading)
        if before is not None:
            added_columns(table, spark.table(table).schema, before.schema)
            _check_same(source.name, spark.table(table), before, source.primary_key, orders)
    rows = read_source(source, volume, found.as_of if found is not None and is_same else None, to, reading)
    if rows is not None:
        upsert(spark, table, rows, source.primary_key, but=["ingested_as_of"])
    progress.note(source.name, Brought(to, to, source.digest))
    new = spark.table(table).filter(F.col("ingested_as_of") == F.lit(to)).count()
    return f"{new:,} rows"


def made_by(definition: Definition, progress: Progress) -> str:
    """What a table's rows are made with: its own definition, and that of its input as that has been brought."""
    given = progress.of(definition.of.table)
    return digest_of_texts(definition.digest, given.definition if given else "")


def check_types(spark: SparkSession, tables: Tables, definition: Definition) -> None:
    """Refuses a definition that would change the type of a column that its table has.

    Raises:
        ChangedTypeError: it names the column and both types.
    """
    table, now = tables.named(definition.name), datetime.now(UTC)
    if spark.catalog.tableExists(table):
        rows = definition.make_rows(spark.table(tables.named(definition.of.table)), now)
        added_columns(table, spark.table(table).schema, rows.schema)


@dataclass(frozen=True)
class _Piece:
    """The rows with `known_at` in [start, end)."""

    start: datetime
    end: datetime

    def holds(self, moment: Column) -> Column:
        return (moment >= F.lit(self.start)) & (moment < F.lit(self.end))


def _pieces(start: datetime, as_of: datetime, length: timedelta) -> Iterator[_Piece]:
    """Up to as_of, the rows of that moment among them."""
    end = as_of + timedelta(microseconds=1)
    while start + length < end:
        yield _Piece(start, start + length)
        start += length
    yield _Piece(start, end)


def _fill(
    spark: SparkSession,
    tables: Tables,
    definition: Definition,
    target: str,
    as_of: datetime,
    length: timedelta,
    progress: Progress,
) -> None:
    """Fills a table for the whole history, piece by piece, or goes on filling it."""
    begun, made = progress.of(target), made_by(definition, progress)
    goes_on = begun is not None and begun.definition == made and spark.catalog.tableExists(tables.named(target))
    if begun is not None and goes_on:
        # What changed in the input meanwhile may be about pieces that are done.
        start = min(begun.until, _changed_from(spark, tables, definition, begun.as_of))
    else:
        spark.sql(f"DROP TABLE IF EXISTS {tables.named(target)}")
        start = _beginning(spark, tables, definition, as_of)
    for piece in _pieces(start, as_of, length):
        _write(spark, tables, definition, target, piece, as_of, again=goes_on)
        progress.note(target, Brought(as_of, min(piece.end, as_of), made))
        if piece.end <= as_of:
            progress.save()


def _rebuild(
    spark: SparkSession, tables: Tables, definition: Definition, as_of: datetime, orders: Orders, progress: Progress
) -> str:
    """Fills a second table, and puts its rows in the place of the old ones in one commit."""
    check_types(spark, tables, definition)
    name, key, found = definition.name, definition.primary_key, progress.of(definition.name)
    as_of = as_of if found is None else max(as_of, found.as_of)
    second = f"{name}{_REBUILT}"
    _fill(spark, tables, definition, second, as_of, orders.piece, progress)
    old, new = spark.table(tables.named(name)), spark.table(tables.named(second))
    progress.save()
    # Of a later moment rows may differ rightly, by what has landed since.
    same_until = as_of if found is None else _changed_from(spark, tables, definition, found.as_of)
    comparable = F.col(KNOWN_AT) < F.lit(same_until)
    _check_same(name, old.filter(comparable), new.filter(comparable), key, orders)
    added = [column for column in new.columns if column not in old.columns]
    # A version that learned from a feature that is no longer computed still looks it up.
    left = [column for column in old.columns if column not in new.columns]
    replace_rows(
        spark, tables.named(name), new.join(old.select(*key, *left), [*key], "left") if left else new, F.lit(True)
    )
    progress.note(name, Brought(as_of, as_of, made_by(definition, progress)))
    progress.forget(second)
    progress.save()
    spark.sql(f"DROP TABLE IF EXISTS {tables.named(second)}")
    changes = [
        f"{verb} {', '.join(columns)}" for verb, columns in (("with", added), ("no longer makes", left)) if columns
    ]
    return "; ".join(["rebuilt", *changes, _counted(spark, tables, definition, None)])


def _check_same(name: str, old: DataFrame, new: DataFrame, key: Sequence[str], orders: Orders) -> None:
    """Refuses other values than the old ones, and rows that would go, unless that is ordered.

    Raises:
        RedefinedError: it names columns and numbers of rows.
    """
    if orders.names(name) or orders.changed_formula == REBUILD:
        return
    compared = [column for column in new.columns if column in old.columns and column not in {*key, "ingested_as_of"}]
    same_key = [F.col(f"old.{column}").eqNullSafe(F.col(f"new.{column}")) for column in key]
    both = old.alias("old").join(new.withColumn("_is_there", F.lit(True)).alias("new"), same_key, "left")
    is_there = F.col("new._is_there").isNotNull()
    counts = [F.count_if(is_there & ~_is_same(column, new.schema)).alias(column) for column in compared]
    totals = [F.count(F.lit(1)).alias("_rows"), F.count_if(~is_there).alias("_gone")]
    found = both.agg(*totals, *counts).collect()[0].asDict()
    rows, gone = found.pop("_rows"), found.pop("_gone")
    other = [f"{number:,} would get another {column}" for column, number in found.items() if number]
    other += [f"{gone:,} would go"] if gone else []
    if other:
        raise RedefinedError(
            f"the formula of {name} has changed: of {rows:,} rows, {', '.join(other)}. Model versions "
            f"that learned from the old values would be given the new ones. Give the changed column a new name, or run "
            f"the job 'feature_engineering' with rebuild={name} and train a new version"
        )


def _is_same(column: str, schema: StructType) -> Column:
    old, new = F.col(f"old.{column}"), F.col(f"new.{column}")
    same = old.eqNullSafe(new)
    if isinstance(schema[column].dataType, DoubleType | FloatType):
        same |= F.coalesce(F.abs(old - new) <= _TOLERANCE * F.greatest(F.abs(old), F.abs(new)), F.lit(False))
    return same


def _write(
    spark: SparkSession,
    tables: Tables,
    definition: Definition,
    target: str,
    piece: _Piece,
    as_of: datetime,
    *,
    again: bool,
) -> None:
    """Computes a piece and merges it into a table; again, if the table may hold rows of it that are no longer made."""
    moment, given = F.col(definition.of.moment), spark.table(tables.named(definition.of.table))
    given = given.filter(moment < F.lit(piece.end + definition.ahead))
    if definition.reach is not None:
        given = given.filter(moment >= F.lit(piece.start - definition.reach))
    rows = definition.make_rows(given, as_of).filter(piece.holds(F.col(KNOWN_AT)))
    table = tables.named(target)
    if not isinstance(definition, FeatureTable):
        rows = rows.withColumn("ingested_as_of", F.lit(as_of))
    elif target == definition.name:
        client, name = FeatureEngineeringClient(), plain(table)
        if not spark.catalog.tableExists(table):
            keys = list(definition.primary_key)
            client.create_table(name=name, primary_keys=keys, timeseries_column=KNOWN_AT, schema=rows.schema)
        client.write_table(name=name, df=rows, mode="merge")
    if not isinstance(definition, FeatureTable) or target != definition.name:
        upsert(spark, table, rows, definition.primary_key, but=["ingested_as_of"])
    if again:
        keep_only(spark, table, rows, definition.primary_key, piece.holds(F.col(KNOWN_AT)))


def _beginning(spark: SparkSession, tables: Tables, definition: Definition, as_of: datetime) -> datetime:
    """No row of the table is about an earlier moment."""
    first = _earliest(spark.table(tables.named(definition.of.table)), definition.of.moment)
    return as_of if first is None else min(first - definition.ahead, as_of)


def _changed_from(spark: SparkSession, tables: Tables, definition: Definition, since: datetime) -> datetime:
    """No row of an earlier moment can differ from what it was when the table was brought to `since`."""
    given = spark.table(tables.named(definition.of.table))
    changed = _earliest(given.filter(F.col("ingested_as_of") > F.lit(since)), definition.of.moment)
    return since if changed is None else min(since, changed - definition.ahead)


def _earliest(rows: DataFrame, moment: str) -> datetime | None:
    micros = rows.agg(F.unix_micros(F.min(moment))).collect()[0][0]
    return None if micros is None else from_micros(micros)


def _counted(spark: SparkSession, tables: Tables, definition: Definition, start: datetime | None) -> str:
    rows = spark.table(tables.named(definition.name))
    if start is not None:
        rows = rows.filter(F.col(KNOWN_AT) >= F.lit(start))
    return f"{rows.count():,} rows"
