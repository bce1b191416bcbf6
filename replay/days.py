"""Which days a replay runs, and how many hours each of them scores."""

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True)
class Day:
    """One step of the replay.

    Attributes:
        as_of: when its jobs run (UTC): nothing later is known.
        hours: what was asked in so many hours before it is scored.
    """

    as_of: datetime
    hours: int

    @property
    def moment(self) -> str:
        """Its as_of as job parameters have it."""
        return self.as_of.isoformat()


@dataclass(frozen=True)
class Plan:
    """Which replay: each plan has a folder of its own, so that two never mix.

    Attributes:
        start: the moment before the first day (UTC).
        end: the last day's moment (UTC).
        step: days from one to the next.
        with_faults: whether the feed has faults.
    """

    start: datetime
    end: datetime
    step: int
    with_faults: bool

    @property
    def name(self) -> str:
        """The name of its folder."""
        faults = "-faults" if self.with_faults else ""
        return f"{self.start:%Y-%m-%d}-to-{self.end:%Y-%m-%d}-step-{self.step}{faults}"

    @property
    def days(self) -> tuple[Day, ...]:
        """Its steps."""
        return days(self.start, self.end, self.step)


def days(start: datetime, end: datetime, step: int) -> tuple[Day, ...]:
    """The steps after `start` up to `end`, `step` days apart; the last is at `end`, and may be shorter."""
    if step < 1:
        raise ValueError(f"a step is one day at least, not {step}")
    moments = []
    moment = start
    while moment < end:
        moment = min(moment + timedelta(days=step), end)
        moments.append(moment)
    befores = [start, *moments[:-1]]
    return tuple(
        Day(moment, int((moment - before).total_seconds() // 3600))
        for before, moment in zip(befores, moments, strict=True)
    )
