"""The one place that moves `champion`.

A registry and a table cannot change together, so each move is first written down as started, then made, then written
down as done. Whoever comes next settles what a crash has left, by what the registry says.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

from mlflow import MlflowClient
from pyspark.sql import SparkSession

from deployment.model_deployment.record import (
    Action,
    Entry,
    OvertakenError,
    Status,
    add_entry,
    close_entry,
    read_entries,
)
from project.registry import CHAMPION, ROLLED_BACK_TAG, champion_version, none_if_missing
from project.tables import Tables


def settle(spark: SparkSession, tables: Tables, model_name: str) -> tuple[str | None, list[Entry]]:
    """Brings the record in line with the registry: a move that a crash cut off, one that was made by hand.

    Returns:
        The champion, and the record.
    """
    entries = read_entries(spark, tables, model_name)
    champion = champion_version(model_name)
    newest = next((entry for entry in reversed(entries) if entry.status == Status.STARTED), None)
    if newest is not None:
        _settle_started(spark, tables, newest, champion)
        entries = read_entries(spark, tables, model_name)
    recorded = recorded_champion(entries)
    if champion != recorded:
        reason = "champion was moved without these jobs"
        found = Entry(model_name, Action.FOUND, champion, recorded, Status.DONE, reason)
        entries.append(add_entry(spark, tables, found, entries))
    return champion, entries


def recorded_champion(entries: Sequence[Entry]) -> str | None:
    """The champion after the last move that was made."""
    return next((entry.model_version for entry in reversed(entries) if entry.status == Status.DONE), None)


def move_champion(spark: SparkSession, tables: Tables, entry: Entry, after: Sequence[Entry]) -> None:
    """Makes the entry's version champion, with a record that is true at every moment.

    Raises:
        OvertakenError: another run moved champion meanwhile; champion is what the record says.
    """
    started = add_entry(spark, tables, entry, after)
    MlflowClient().set_registered_model_alias(entry.model_name, CHAMPION, str(entry.model_version))
    try:
        _finish(spark, tables, started)
    except OvertakenError:
        _follow_record(spark, tables, entry.model_name)
        raise


def _settle_started(spark: SparkSession, tables: Tables, entry: Entry, champion: str | None) -> None:
    if champion == entry.model_version:
        _finish(spark, tables, entry)
    else:
        close_entry(spark, tables, entry, Status.INTERRUPTED, "it ended before champion was moved")


def _finish(spark: SparkSession, tables: Tables, entry: Entry) -> None:
    if entry.action == Action.ROLLBACK and entry.former_champion is not None:
        _mark_rolled_back(entry.model_name, entry.former_champion, entry.reason)
    close_entry(spark, tables, entry, Status.DONE)


def _mark_rolled_back(model_name: str, version: str, reason: str) -> None:
    """A version that was deleted needs no mark."""
    mark = f"{datetime.now(UTC):%Y-%m-%d}: {reason}"
    none_if_missing(lambda: MlflowClient().set_model_version_tag(model_name, version, ROLLED_BACK_TAG, mark))


def _follow_record(spark: SparkSession, tables: Tables, model_name: str) -> None:
    """Gives the alias to the version of the move that came first."""
    entries = read_entries(spark, tables, model_name)
    made = next((entry for entry in reversed(entries) if entry.status in {Status.STARTED, Status.DONE}), None)
    if made is not None and made.model_version is not None:
        MlflowClient().set_registered_model_alias(model_name, CHAMPION, made.model_version)
