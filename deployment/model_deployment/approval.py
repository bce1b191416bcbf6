"""A person's word on a version: a tag on it, as MLflow's deployment jobs have it, and the record of who and when."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from mlflow import MlflowClient
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from project.delta import upsert
from project.registry import champion_version
from project.rows import one_row
from project.tables import Tables

AUTO, MANUAL = "auto", "manual"
_KEY = ("model_name", "model_version", "as_of", "tag")
_COLUMNS = {
    "model_name": "string",
    "model_version": "string",
    "as_of": "timestamp",
    "tag": "string",
    "state": "string",
    "answered_by": "string",
    "run_id": "string",
}


class State(StrEnum):
    """What is known of an approval."""

    NOT_ASKED = "not asked"
    WAITING = "waiting"
    APPROVED = "approved"
    REJECTED = "rejected"


class NotApprovedError(RuntimeError):
    """Ends the approval task: nobody has approved yet, or a person has rejected."""


@dataclass(frozen=True)
class Approval:
    """A person's word.

    Attributes:
        state: what it is.
        by: who said it; empty where that is not known.
    """

    state: State
    by: str = ""

    def __str__(self) -> str:
        """In words."""
        words = {
            State.NOT_ASKED: "no approval is asked for",
            State.WAITING: "it waits for approval",
            State.APPROVED: "it was approved",
            State.REJECTED: "it was rejected",
        }
        return words[self.state] + (f" by {self.by}" if self.by else "")


def read_approval(tags: Mapping[str, str], mode: str, tag: str) -> Approval:
    """What the tags of a version say.

    Args:
        tags: the version's. `tag` holds the word, `approved_by` or `rejected_by` may hold who said it.
        mode: "manual" asks for approval, "auto" does not; a rejection counts in both.
        tag: the tag's name, which is the approval task's.

    Raises:
        ValueError: the mode is neither.
    """
    if mode not in {AUTO, MANUAL}:
        raise ValueError(f"approval is '{mode}', and must be '{AUTO}' or '{MANUAL}'")
    word = tags.get(tag, "").strip().lower()
    unanswered = State.WAITING if mode == MANUAL else State.NOT_ASKED
    state = State(word) if word in {State.APPROVED, State.REJECTED} else unanswered
    return Approval(state, tags.get(f"{word}_by", "") if state == word else "")


def require_approval(
    spark: SparkSession,
    tables: Tables,
    model_name: str,
    model_version: str,
    as_of: datetime,
    mode: str,
    tag: str,
    run_id: str,
) -> None:
    """Passes if a version needs no approval, or has it; records who answered and when that was seen.

    Raises:
        NotApprovedError: nobody has approved it yet, or a person has rejected it.
        ValueError: the mode is neither "auto" nor "manual".
    """
    approval = read_approval(MlflowClient().get_model_version(model_name, model_version).tags, mode, tag)
    if approval.state == State.NOT_ASKED or champion_version(model_name) == model_version:
        return
    _record(spark, tables, model_name, model_version, as_of, tag, approval, run_id)
    if approval.state == State.REJECTED:
        raise NotApprovedError(f"version {model_version} of {model_name}: {approval}")
    if approval.state != State.APPROVED:
        raise NotApprovedError(
            f"version {model_version} of {model_name} waits for approval: set its tag '{tag}' to 'Approved' or "
            "'Rejected', and 'approved_by' or 'rejected_by' to your name; then repair this run, or run the job again"
        )


def _record(
    spark: SparkSession,
    tables: Tables,
    model_name: str,
    model_version: str,
    as_of: datetime,
    tag: str,
    approval: Approval,
    run_id: str,
) -> None:
    row = {
        "model_name": model_name,
        "model_version": model_version,
        "as_of": as_of,
        "tag": tag,
        "state": str(approval.state),
        "answered_by": approval.by or None,
        "run_id": run_id,
    }
    seen = one_row(spark, _COLUMNS, row).withColumn("seen_at", F.current_timestamp())
    upsert(spark, tables.approvals, seen, _KEY, but=("run_id", "seen_at"))
