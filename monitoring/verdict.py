"""The verdict on a window: a pure function of its figures and the thresholds."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime

from monitoring.windows import Window
from project.config import Monitoring, Threshold

OK, VIOLATED, TOO_FEW_LABELS, NO_PREDICTIONS = "ok", "violated", "too few labels", "no predictions"

_MEANING = {
    "roc_auc": "ROC AUC",
    "log_loss_skill": "The share of the base rate's log loss that the model removes",
    "label_share": "The share of predictions whose outcome is known",
    "max_null_share_rise": "The largest rise of an input's share of NULLs",
    "prediction_psi": "The population stability index of the predictions",
    "max_psi": "The largest population stability index of an input",
}
# What a model cannot learn its way out of.
_OF_THE_FEED = {"label_share", "max_null_share_rise", "max_psi"}
_DIGITS = 3


@dataclass(frozen=True)
class Figure:
    """One figure of a window.

    Attributes:
        value: the figure; None or NaN where it could not be computed.
        column: the column that it is about, empty where it is about the model.
    """

    value: float | None
    column: str = ""


@dataclass(frozen=True)
class Check:
    """One figure against its bound."""

    metric: str
    column: str
    value: float | None
    threshold: float
    greater_is_better: bool
    passed: bool
    sentence: str


@dataclass(frozen=True)
class Verdict:
    """What monitoring says about one model version in one window.

    Attributes:
        model_version: the version that scored; empty where none did.
        as_of: the moment of the verdict.
        window: the moments of prediction that it is about.
        status: 'ok', 'violated', or why it was not judged: 'too few labels', 'no predictions'.
        rows: predictions in the window.
        label_share: share of them whose outcome is known, 0 to 1.
        checks: every threshold's outcome; empty where it was not judged.
        sentence: the verdict in words.
        recommendation: what to do about it.
    """

    model_version: str
    as_of: datetime
    window: Window
    status: str
    rows: int
    label_share: float
    checks: tuple[Check, ...]
    sentence: str
    recommendation: str

    @property
    def violated(self) -> bool:
        """True if it was judged and a check failed."""
        return self.status == VIOLATED

    def checks_as_json(self) -> str:
        """The checks as a JSON array; NaN, which JSON lacks, as null."""
        return json.dumps([asdict(check) for check in self.checks], allow_nan=False)


def judge(
    model_version: str,
    rows: int,
    figures: Mapping[str, Figure],
    as_of: datetime,
    window: Window,
    monitoring: Monitoring,
) -> Verdict:
    """Judges a window; one failed check violates.

    Args:
        model_version: the version that scored.
        rows: predictions in the window.
        figures: by metric name; `label_share` decides whether the window is judged at all.
        as_of: the moment of the verdict.
        window: what it is about.
        monitoring: the thresholds.
    """
    share = figures.get("label_share", Figure(None)).value or 0.0
    checks: tuple[Check, ...] = ()
    if rows == 0:
        status = NO_PREDICTIONS
    elif not share >= monitoring.min_label_share:
        status = TOO_FEW_LABELS
    else:
        checks = tuple(check(figures.get(t.metric, Figure(None)), t) for t in monitoring.thresholds)
        status = OK if all(c.passed for c in checks) else VIOLATED
    sentence = _sentence(status, model_version, share, checks, monitoring)
    return Verdict(model_version, as_of, window, status, rows, share, checks, sentence, _recommendation(status, checks))


def check(figure: Figure, threshold: Threshold) -> Check:
    """One figure against its bound; one that could not be computed fails."""
    value = figure.value
    known = value is not None and value == value  # noqa: PLR0124 - NaN is the only value that differs from itself
    passed = threshold.holds(value)
    name = _MEANING.get(threshold.metric, threshold.metric)
    where = f" ({figure.column})" if figure.column else ""
    found = f"is {value:.{_DIGITS}f}" if known else "could not be computed"
    bound = "at least" if threshold.greater_is_better else "at most"
    wanted = "needed" if threshold.greater_is_better else "allowed"
    sentence = f"{name}{where} {found}, {bound} {threshold.threshold:g} is {wanted}"
    return Check(
        threshold.metric,
        figure.column,
        value if known else None,
        threshold.threshold,
        threshold.greater_is_better,
        passed,
        sentence,
    )


def _sentence(status: str, version: str, share: float, checks: tuple[Check, ...], monitoring: Monitoring) -> str:
    if status == NO_PREDICTIONS:
        return "Nothing was predicted in this window."
    if status == TOO_FEW_LABELS:
        return (
            f"Too few labels to judge version {version}: the outcome of {share:.0%} of the predictions is "
            f"known, {monitoring.min_label_share:.0%} is needed."
        )
    failed = [c.sentence for c in checks if not c.passed]
    if status == OK:
        return f"Version {version} does what it should: all {len(checks)} checks passed."
    return f"Version {version} violates {len(failed)} of {len(checks)} checks: {'; '.join(failed)}."


def _recommendation(status: str, checks: tuple[Check, ...]) -> str:
    if status == NO_PREDICTIONS:
        return "See whether the scoring job ran."
    if status == TOO_FEW_LABELS:
        return "Wait for the labels; where they should be there, look at the feed of flights."
    if status == OK:
        return "Nothing to do."
    failed = {c.metric for c in checks if not c.passed}
    if failed & _OF_THE_FEED:
        return "Look at the feed first: values or labels are not as before. Training on them would not help."
    return "Train anew on what has been seen since, and compare."
