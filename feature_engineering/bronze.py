"""Landed files to bronze tables: checked, typed, in UTC; what breaks the contract goes to quarantine."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from feature_engineering.contract_check import accepted, judge, refused
from feature_engineering.contracts import Contract
from feature_engineering.definitions import KNOWN_AT, Reading, Source
from feature_engineering.landing import landed_at, landed_folders, landing_folder, read_landed
from project.delta import append_once, has


def read_source(
    source: Source, volume: Path, since: datetime | None, as_of: datetime, reading: Reading
) -> DataFrame | None:
    """The bronze rows of what landed in (since, as_of], with `ingested_as_of`; refused rows go to quarantine.

    Args:
        source: which.
        volume: the folder that holds the landing folder; `checked` beside it holds each run's judged rows.
        since: what landed up to then has been read before; None reads all that ever landed.
        as_of: the moment of this run.
        reading: what the source's functions may look at.

    Returns:
        The rows; None where nothing has landed that need not.

    Raises:
        FileNotFoundError: nothing landed for a source that must have landed; it names the source.
        ValueError: a landed file lacks a column; it names both.
    """
    landing = landing_folder(volume)
    folders = landed_folders(landing, source.name, since, as_of)
    if not folders:
        if source.is_due_each_run or since is None:
            raise FileNotFoundError(f"nothing has landed for {source.name} up to {as_of.isoformat()}")
        return None
    contract = source.contract
    landed = read_landed(reading.spark, folders, tuple(contract.types), contract.optional, reading.read_until)
    judged = source.judge_more(judge(landed, source.contract, in_each_landing=source.keeps_states), reading)
    rows = _sort_out(judged, source.contract, volume, reading)
    if source.keeps_states:
        first = landed_at(landed_folders(landing, source.name, None, as_of)[0])
        known = None if since is None else reading.spark.table(reading.tables.named(source.name))
        rows = new_states(rows, source.key, known, first, reading.config.history_start)
    return source.rows(rows.drop("landed_as_of"), reading).withColumn("ingested_as_of", F.lit(as_of))


def new_states(
    rows: DataFrame, key: Sequence[str], known: DataFrame | None, first: datetime, history_start: datetime
) -> DataFrame:
    """The rows that differ from the ones of their key before them, with `known_at`.

    Args:
        rows: accepted rows of any number of landings, with `landed_as_of`.
        key: the columns that say what a row is about.
        known: the states that are known already, with `known_at`; None where there are none.
        first: the moment of the first landing of all: its rows count as known from `history_start` on.
        history_start: when the history begins.
    """
    known_at = F.when(F.col("landed_as_of") == F.lit(first), F.lit(history_start)).otherwise(F.col("landed_as_of"))
    states = rows.withColumn(KNOWN_AT, known_at).withColumn("_is_new", F.lit(True))
    values = [name for name in rows.columns if name not in {*key, "landed_as_of"}]
    if known is not None:
        old = known.select(*key, *values, KNOWN_AT).withColumn("_is_new", F.lit(False))
        states = states.unionByName(old, allowMissingColumns=True)
    in_time = Window.partitionBy(*key).orderBy(KNOWN_AT)
    state = F.to_json(F.struct(*values))
    before = F.lag(state).over(in_time)
    is_other = F.col("_is_new") & (before.isNull() | (before != state))
    return states.withColumn("_is_other", is_other).filter("_is_other").drop("_is_new", "_is_other")


def _sort_out(judged: DataFrame, contract: Contract, volume: Path, reading: Reading) -> DataFrame:
    """Puts refused rows into quarantine and gives the accepted ones.

    The judged rows go through a file, so that the check runs once, however often its outcome is read. Each landing is
    a batch of its own in quarantine: sources are checked side by side, and a run that failed is run again.
    """
    spark, quarantine = reading.spark, reading.tables.quarantine
    file = str(volume / "checked" / contract.source)
    judged.write.mode("overwrite").parquet(file)
    checked = spark.read.schema(judged.schema).parquet(file)
    rows = refused(checked, contract)
    # As a number: a collected timestamp has no zone and is in the zone of this process.
    for (seconds,) in rows.select(F.unix_seconds("landed_as_of")).distinct().collect():
        landing = {"source": contract.source, "landed_as_of": datetime.fromtimestamp(seconds, UTC)}
        of_landing = rows.filter(F.col("landed_as_of") == F.lit(landing["landed_as_of"]))
        append_once(spark, quarantine, of_landing, has(quarantine, landing))
    return accepted(checked, contract)
