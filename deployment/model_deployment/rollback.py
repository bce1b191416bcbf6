"""Rollback: `champion` goes back to the version that was champion before, and the record keeps both."""

from collections.abc import Sequence
from datetime import datetime

from pyspark.sql import SparkSession

from deployment.model_deployment.champion import move_champion, settle
from deployment.model_deployment.record import Action, Entry, Status
from project.registry import has_version
from project.tables import Tables


def roll_back(
    spark: SparkSession,
    tables: Tables,
    model_name: str,
    reason: str,
    as_of: datetime,
    git_commit: str = "",
    job_id: str = "",
    run_id: str = "",
) -> str:
    """Gives `champion` back to the version that had it before; the next rollback goes one further back.

    A second attempt of one run changes nothing more.

    Returns:
        The version that is champion now.

    Raises:
        ValueError: no reason is given.
        LookupError: no version was champion before that still exists.
        OvertakenError: another run moved champion meanwhile; champion is what the record says.
    """
    if not reason.strip():
        raise ValueError("a rollback needs a reason, for the record")
    champion, entries = settle(spark, tables, model_name)
    if rolled_back_by(entries, run_id):
        return champion or ""
    former = next((v for v in former_champions(entries, champion) if has_version(model_name, v)), None)
    if former is None:
        present = f"champion is version {champion}" if champion else "it has no champion"
        raise LookupError(f"{model_name} has no former champion to go back to: {present}")
    entry = Entry(
        model_name=model_name,
        action=Action.ROLLBACK,
        model_version=former,
        former_champion=champion,
        status=Status.STARTED,
        reason=reason.strip(),
        as_of=as_of,
        git_commit=git_commit,
        job_id=job_id,
        run_id=run_id,
    )
    move_champion(spark, tables, entry, entries)
    return former


def former_champions(entries: Sequence[Entry], champion: str | None) -> list[str]:
    """The versions that a rollback may go to, the last champion first.

    What was rolled back is no former champion any more: after 1, 2, 3 and a rollback to 2, only 1 is left.

    Args:
        entries: the record, in order.
        champion: the version that is champion now.
    """
    line: list[str] = []
    for entry in entries:
        if entry.status != Status.DONE or entry.model_version is None:
            continue
        if entry.action == Action.ROLLBACK and entry.model_version in line:
            while line[-1] != entry.model_version:
                line.pop()
        else:
            line.append(entry.model_version)
    return [version for version in reversed(line) if version != champion]


def rolled_back_by(entries: Sequence[Entry], run_id: str) -> bool:
    """True if this very run has rolled back already."""
    done = (entry for entry in entries if entry.action == Action.ROLLBACK and entry.status == Status.DONE)
    return run_id != "" and any(entry.run_id == run_id for entry in done)
