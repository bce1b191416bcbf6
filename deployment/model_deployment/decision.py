"""The one decision on a version: a pure function of its verdict, what this run is about, and who is champion."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from deployment.model_deployment.approval import Approval, State
from project.registry import ROLLED_BACK_TAG
from project.verdicts import FiledVerdict, Verdict


@dataclass(frozen=True)
class Candidate:
    """What a run proposes.

    Attributes:
        model_name: full name of the registered model.
        model_version: the version that shall become champion.
        as_of: the moment of the run (UTC).
        window_start: first moment of the rows that this run's verdict must be on (UTC).
        window_end: the end of that window, not in it (UTC).
        git_commit: the code that runs.
    """

    model_name: str
    model_version: str
    as_of: datetime
    window_start: datetime
    window_end: datetime
    git_commit: str


@dataclass(frozen=True)
class Decision:
    """Whether a version becomes champion, and why."""

    promote: bool
    reason: str


def decide(candidate: Candidate, filed: FiledVerdict | None, champion: str | None, approval: Approval) -> Decision:
    """Promotes a candidate that nothing speaks against.

    Args:
        candidate: the version and the run.
        filed: its verdict as it was found; None where it has none.
        champion: the version that is champion now; None where there is none.
        approval: what a person has said.
    """
    objection = next(_objections(candidate, filed, champion, approval), None)
    if objection is not None:
        return Decision(False, objection)
    # Two that are not known are the same.
    unchecked = "" if candidate.git_commit else "; that its commit judged was not checked, as none is known"
    return Decision(True, f"its verdict is: passed; {approval}{unchecked}")


def _objections(
    candidate: Candidate, filed: FiledVerdict | None, champion: str | None, approval: Approval
) -> Iterator[str]:
    if filed is None:
        yield "it has no verdict"
        return
    if filed.fault:
        yield filed.fault
    yield from _not_of_this_run(candidate, filed.verdict)
    if not filed.verdict.passed:
        yield "its verdict is: failed"
    if filed.verdict.champion_version != champion:
        yield f"it was compared with {_name(filed.verdict.champion_version)}, and now {_name(champion)} is champion"
    if ROLLED_BACK_TAG in filed.tags:
        yield f"it was rolled back ({filed.tags[ROLLED_BACK_TAG]}); without the tag '{ROLLED_BACK_TAG}' it may return"
    if approval.state not in {State.APPROVED, State.NOT_ASKED}:
        yield str(approval)


def _not_of_this_run(candidate: Candidate, verdict: Verdict) -> Iterator[str]:
    """What shows that a verdict is about something else than this run."""
    if (verdict.model_name, verdict.model_version) != (candidate.model_name, candidate.model_version):
        yield f"the verdict is another version's: {verdict.model_name} version {verdict.model_version}"
    if verdict.as_of != candidate.as_of:
        yield f"its verdict is as of {verdict.as_of.isoformat()}, and this run is as of {candidate.as_of.isoformat()}"
    if (verdict.window_start, verdict.window_end) != (candidate.window_start, candidate.window_end):
        yield f"its verdict is on another window: {verdict.window_start:%Y-%m-%d} to {verdict.window_end:%Y-%m-%d}"
    if verdict.git_commit != candidate.git_commit:
        yield f"its verdict was made by the commit '{verdict.git_commit}', and this run is '{candidate.git_commit}'"


def _name(version: str | None) -> str:
    return "no champion" if version is None else f"version {version}"
