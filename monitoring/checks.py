"""A check on the figures of single days: it is violated where k of the last n days broke its bound."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType

from project.config import MonitoringCheck
from project.kinds.label import Label

PASSED, VIOLATED, NOT_JUDGED = "passed", "violated", "not judged"
DAY = timedelta(days=1)

# Of a figure that every kind of label has.
_MEANING = {
    "count": "The number of predictions",
    "hours_since_prediction": "The age of the newest prediction in hours",
    "volume_ratio": "The number of predictions against the days before",
    "label_share": "The share of predictions whose outcome is known",
    "days_unmeasured": "The number of days that the monitor has not measured",
    "versions_of_a_day": "The number of versions that scored a day",
    "unrecorded_champion": "The number of champions that no promotion or rollback has recorded",
    "days_since_training": "The age of the model in days",
    "history_growth": "The growth of the history since the training, as a share of it,",
    "drift": "The distance from what is usual, in bounds,",
    "decline": "The decline since validation, in bounds,",
}
_DIGITS = 3


@dataclass(frozen=True, order=True)
class Place:
    """What a figure is about: a column, a slice, or, where all is empty, all predictions.

    Attributes:
        column: the column's name.
        slice_key: the column that the rows are sliced by.
        slice_value: its value in the slice.
    """

    column: str = ""
    slice_key: str = ""
    slice_value: str = ""

    def __str__(self) -> str:
        """As a sentence names it."""
        parts = [self.column, f"{self.slice_key} {self.slice_value}" if self.slice_key else ""]
        return ", ".join(part for part in parts if part)


# By the start of each day (UTC); None on a day that is too incomplete to be judged.
type Days = Mapping[datetime, float | None]


@dataclass(frozen=True)
class Finding:
    """What a check found at one place.

    Attributes:
        check: the check.
        title: its figure, as a sentence names it.
        place: what its figure is about.
        status: 'passed', 'violated' or, where no day could be judged, 'not judged'.
        value: the figure of the newest day that broke the bound, or else of the newest day judged.
        days_broken: how many of the days broke the bound.
        days_judged: how many days could be judged.
        since: the start of the first day of the newest unbroken row of days that broke it; None where none did.
        not_judged: the starts of the days that were too incomplete.
        detail: what was found, in words, of a figure that counts bounds; empty where the figure says it.
        advice: what it may mean and what to do; empty where it goes without saying.
    """

    check: MonitoringCheck
    title: str
    place: Place
    status: str
    value: float | None
    days_broken: int
    days_judged: int
    since: datetime | None
    not_judged: tuple[datetime, ...]
    detail: str = ""
    advice: str = ""

    @property
    def violated(self) -> bool:
        """True if enough days broke the bound."""
        return self.status == VIOLATED

    @property
    def threshold(self) -> float:
        """The bound at this place."""
        return self.check.threshold

    @property
    def sentence(self) -> str:
        """The finding in words."""
        where = f" ({self.place})" if str(self.place) else ""
        if self.value is None:
            return (
                f"{self.check.name.replace('_', ' ').capitalize()} could not be judged: {self.detail}"
                if self.detail
                else f"{self.title}{where} could not be judged on any day"
            )
        since = f" since {self.since:%-d %B %Y}" if self.since else ""
        if self.detail:
            return self.detail + since
        bound = "at least" if self.check.greater_is_better else "at most"
        wanted = "needed" if self.check.greater_is_better else "allowed"
        digits = 0 if float(self.value).is_integer() else _DIGITS
        found = f"{self.title}{where} is {self.value:,.{digits}f}, {bound} {self.threshold:g} is {wanted}"
        days = f"{self.days_broken} of {self.days_judged} days broke it"
        return f"{found}: {days}{since}"


def find(
    check: MonitoringCheck,
    figures: Mapping[Place, Days],
    last_day: datetime,
    label: Label,
    words: Mapping[Place, tuple[str, str]] = MappingProxyType({}),
    note: str = "",
) -> list[Finding]:
    """What a check finds in the last days.

    Args:
        check: the check.
        figures: the days of each place, NaN where a figure could not be computed; days earlier than the check looks at
            say since when its bound is broken.
        last_day: the start of the newest day to look at (UTC).
        label: names the figures of its kind.
        words: detail and advice of the places whose figure counts bounds.
        note: why there is no figure, where there is none.

    Returns:
        A finding for each place that is violated; where there is none, the one place that came nearest to it.
    """
    days = [last_day - DAY * ago for ago in reversed(range(check.of_days))]
    title = _MEANING.get(check.metric) or label.measure_of(check.metric, "").title
    found = [
        _find_at(check, title, place, figures[place], days, *words.get(place, ("", ""))) for place in sorted(figures)
    ]
    violated = [finding for finding in found if finding.violated]
    if violated or not found:
        return violated or [Finding(check, title, Place(), NOT_JUDGED, None, 0, 0, None, (), note)]
    return [worst(found)]


def worst(findings: Iterable[Finding]) -> Finding:
    """The one of several that is furthest beyond its bound, or else nearest to it: by broken days, then by how far."""
    return max(findings, key=_nearness)


def _find_at(
    check: MonitoringCheck,
    title: str,
    place: Place,
    values: Days,
    days: Sequence[datetime],
    detail: str,
    advice: str,
) -> Finding:
    seen = [(day, values[day]) for day in days if day in values]
    judged = _judged(seen)
    broken = [day for day, value in judged if not check.bound.holds(value)]
    history = _judged([(day, values[day]) for day in sorted(values) if day <= days[-1]])
    ever_broken = [day for day, value in history if not check.bound.holds(value)]
    shown = [value for day, value in judged if day == broken[-1]] if broken else [value for _, value in judged]
    is_violated = len(broken) >= check.days_broken
    return Finding(
        check,
        title,
        place,
        VIOLATED if is_violated else PASSED if judged else NOT_JUDGED,
        shown[-1] if shown else None,
        len(broken),
        len(judged),
        _start_of_last_row([day for day, _ in history], ever_broken) if broken else None,
        tuple(day for day, value in seen if value is None),
        detail,
        advice,
    )


def _judged(seen: Iterable[tuple[datetime, float | None]]) -> list[tuple[datetime, float]]:
    return [(day, value) for day, value in seen if value is not None and value == value]  # noqa: PLR0124 - not NaN


def _start_of_last_row(judged: Sequence[datetime], broken: Sequence[datetime]) -> datetime | None:
    """Back from the last broken day, over days that were judged, to the first that is broken too."""
    if not broken:
        return None
    since = broken[-1]
    for day in reversed(judged[: judged.index(since)]):
        if day not in broken:
            break
        since = day
    return since


def _nearness(finding: Finding) -> tuple[int, float]:
    if finding.value is None:
        return -1, 0.0
    beyond = finding.value - finding.threshold
    return finding.days_broken, -beyond if finding.check.greater_is_better else beyond
