"""Promotion: the verdict decides, `champion` moves, and the record says why, or why not."""

from collections.abc import Sequence
from datetime import datetime

from mlflow import MlflowClient
from pyspark.sql import SparkSession

from deployment.model_deployment.approval import read_approval
from deployment.model_deployment.champion import move_champion, settle
from deployment.model_deployment.decision import Candidate, decide
from deployment.model_deployment.record import Action, Entry, Status, add_entry
from project.config import Config
from project.registry import CHALLENGER, version_of
from project.tables import Tables
from project.times import validation_window
from project.verdicts import FiledVerdict, read_newest_verdict, read_verdict


def propose(model_name: str, model_version: str, as_of: datetime, git_commit: str, config: Config) -> Candidate:
    """A version as a run proposes it: its verdict must be on the validation window of as_of."""
    start, end = validation_window(as_of, config.training.validation_days)
    return Candidate(model_name, model_version, as_of, start, end, git_commit)


def promote(
    spark: SparkSession,
    tables: Tables,
    candidate: Candidate,
    approval: str,
    approval_tag: str,
    job_id: str = "",
    run_id: str = "",
) -> str:
    """Makes a version champion if nothing speaks against it, and records the decision.

    Args:
        spark: the session.
        tables: the verdict is read from `validation_verdicts`, the decision goes to `promotions`.
        candidate: the version and what this run is about.
        approval: "manual" if a person must have approved the version, or "auto".
        approval_tag: the tag of the version that says so.
        job_id: the job, for the record.
        run_id: its run, for the record.

    Returns:
        The version that is champion now, empty where there is none.

    Raises:
        OvertakenError: another run moved champion meanwhile; champion is what the record says.
        ValueError: `approval` is neither "manual" nor "auto".
    """
    champion, entries = settle(spark, tables, candidate.model_name)
    if champion != candidate.model_version:
        filed = _find_verdict(spark, tables, candidate)
        answer = read_approval(filed.tags if filed else {}, approval, approval_tag)
        decision = decide(candidate, filed, champion, answer)
        entry = Entry(
            model_name=candidate.model_name,
            action=Action.PROMOTION,
            model_version=candidate.model_version,
            former_champion=champion,
            status=Status.STARTED if decision.promote else Status.REFUSED,
            reason=decision.reason,
            as_of=candidate.as_of,
            git_commit=candidate.git_commit,
            verdict_digest=filed.digest if filed else None,
            job_id=job_id,
            run_id=run_id,
        )
        if not decision.promote:
            _record_refusal(spark, tables, entry, entries)
            return champion or ""
        move_champion(spark, tables, entry, entries)
    _end_challenge(candidate)
    return candidate.model_version


def _find_verdict(spark: SparkSession, tables: Tables, candidate: Candidate) -> FiledVerdict | None:
    """The verdict as of the run; where there is none, the newest, so that the record can tell what is wrong with it."""
    version = (candidate.model_name, candidate.model_version)
    return read_verdict(spark, tables, *version, candidate.as_of) or read_newest_verdict(spark, tables, *version)


def _record_refusal(spark: SparkSession, tables: Tables, entry: Entry, entries: Sequence[Entry]) -> None:
    """Once: a second run that is refused for the same reason adds nothing."""
    own = [e for e in entries if (e.model_version, e.as_of) == (entry.model_version, entry.as_of)]
    if not own or (own[-1].status, own[-1].reason) != (entry.status, entry.reason):
        add_entry(spark, tables, entry, entries)


def _end_challenge(candidate: Candidate) -> None:
    """A champion challenges nobody; another version's challenge goes on."""
    if version_of(candidate.model_name, CHALLENGER) == candidate.model_version:
        MlflowClient().delete_registered_model_alias(candidate.model_name, CHALLENGER)
