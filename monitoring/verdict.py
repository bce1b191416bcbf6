"""The verdict on the last days: a pure function of what the checks found, and of when a model was trained last."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from monitoring.checks import NOT_JUDGED, Finding, worst
from monitoring.windows import Window
from project.config import Monitoring

OK, VIOLATED, TOO_FEW_LABELS, NO_PREDICTIONS = "ok", "violated", "too few labels", "no predictions"
NONE, ALERT, RETRAIN = "none", "alert", "retrain"
_LABELLED = "model_quality"

_RECOMMENDATIONS = {
    OK: "Nothing to do.",
    VIOLATED: "Look at the feed first: values or labels are not as before. Training on them would not help.",
    TOO_FEW_LABELS: "Wait for the labels; where they should be there, look at the feed.",
    NO_PREDICTIONS: "See whether the scoring job ran.",
}


@dataclass(frozen=True)
class Verdict:
    """What monitoring says about one model version as of one moment.

    Attributes:
        model_version: the newest version that scored; empty where none did.
        as_of: the moment of the verdict.
        window: the days (by the moment of prediction) that the report is about.
        status: 'ok', 'violated', or why it was not judged: 'too few labels', 'no predictions'.
        rows: predictions in the window.
        label_share: share of them whose outcome is known, 0 to 1.
        findings: what the checks found, one or more each.
        action: what is done about it: 'none', 'alert' or 'retrain' (which is an alert too).
        cooldown_until: where a training is called for and the last one was too short ago: when the next may start.
        cause: why a training is started, in a few words; empty where none is.
    """

    model_version: str
    as_of: datetime
    window: Window
    status: str
    rows: int
    label_share: float
    findings: tuple[Finding, ...]
    action: str
    cooldown_until: datetime | None
    cause: str

    @property
    def violated(self) -> bool:
        """True if a check was violated."""
        return self.status == VIOLATED

    @property
    def violations(self) -> tuple[Finding, ...]:
        """The findings that violate."""
        return tuple(finding for finding in self.findings if finding.violated)

    def action_on(self, finding: Finding) -> str:
        """What is done about one finding."""
        if not finding.violated:
            return NONE
        return RETRAIN if self.action == RETRAIN and finding.check.answer == RETRAIN else ALERT

    @property
    def sentence(self) -> str:
        """The verdict in words."""
        if self.status == NO_PREDICTIONS:
            return "Nothing has been predicted yet."
        if self.status == TOO_FEW_LABELS:
            return f"Too few labels to judge version {self.model_version}: no day has as many as a judgement needs."
        names = len({finding.check.name for finding in self.findings})
        if self.status == OK:
            judged = len({finding.check.name for finding in self.findings if finding.status != NOT_JUDGED})
            passed = f"all {names} checks passed"
            if judged < names:
                passed = f"{judged} of {names} checks passed, and {names - judged} could not be judged"
            return f"Version {self.model_version} does what it should: {passed}."
        what = [_in_short(list(found)) for _, found in groupby(self.violations, lambda finding: finding.check.name)]
        return f"Version {self.model_version} violates {len(what)} of {names} checks: {'; '.join(what)}."

    @property
    def recommendation(self) -> str:
        """What to do about it."""
        if self.action == RETRAIN:
            return "A training starts on what has been seen since; every gate judges what comes of it."
        if self.cooldown_until is not None:
            until = f"{self.cooldown_until:%Y-%m-%d %H:%M}"
            return f"Retraining is on cooldown until {until} UTC."
        if self.status == VIOLATED and wants_training(self.findings):
            return "Train anew on what has been seen since, and compare."
        advice = dict.fromkeys(finding.advice for finding in self.violations if finding.advice)
        if advice:
            return " ".join(advice)
        return _RECOMMENDATIONS[self.status]


def judge(
    model_version: str,
    rows: int,
    label_share: float,
    findings: Sequence[Finding],
    as_of: datetime,
    window: Window,
    last_training: datetime | None,
    may_retrain: bool,
    monitoring: Monitoring,
) -> Verdict:
    """Judges what the checks found.

    Args:
        model_version: the newest version that scored; empty where none ever did.
        rows: predictions in the window.
        label_share: share of them whose outcome is known.
        findings: what the checks found.
        as_of: the moment of the verdict.
        window: the days that the report is about.
        last_training: as_of of the last training before this moment; None where there was none.
        may_retrain: whether this deployment starts trainings by itself.
        monitoring: the cool-down.
    """
    status = _status(model_version, findings)
    wanted = [f for f in findings if _asks_for_training(f)] if may_retrain else []
    until = None if last_training is None else last_training + monitoring.retraining.cooldown
    is_cooling = bool(wanted) and until is not None and as_of < until
    action = NONE if status != VIOLATED else RETRAIN if wanted and not is_cooling else ALERT
    cause = _cause(wanted) if action == RETRAIN else ""
    held_until = until if is_cooling else None
    return Verdict(model_version, as_of, window, status, rows, label_share, tuple(findings), action, held_until, cause)


def _in_short(findings: Sequence[Finding]) -> str:
    """What one check found: in full where it is worst, and the names of the other places."""
    first = worst(findings)
    others = ", ".join(str(finding.place) for finding in findings if finding is not first)
    return f"{first.sentence} (also {others})" if others else first.sentence


def wants_training(findings: Sequence[Finding]) -> bool:
    """True if a violation is one that a training answers."""
    return any(_asks_for_training(finding) for finding in findings)


def _asks_for_training(finding: Finding) -> bool:
    return finding.violated and finding.check.answer == RETRAIN


def _status(model_version: str, findings: Sequence[Finding]) -> str:
    if not model_version:
        return NO_PREDICTIONS
    if any(finding.violated for finding in findings):
        return VIOLATED
    labelled = [finding for finding in findings if finding.check.kind == _LABELLED]
    return TOO_FEW_LABELS if labelled and not any(finding.days_judged for finding in labelled) else OK


def _cause(wanted: Sequence[Finding]) -> str:
    """As the training's run and version are tagged: 'monitoring: roc_auc since 2013-12-03'."""
    parts = []
    for finding in wanted:
        of = f" of {finding.place}" if str(finding.place) else ""
        since = f" since {finding.since:%Y-%m-%d}" if finding.since else ""
        parts.append(f"{finding.check.metric}{of}{since}")
    return f"monitoring: {', '.join(parts)}"
