"""What became of each fault: who noticed it, whether the data are whole again, and whether a model came of it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import pandas as pd
from pyspark.sql import SparkSession

from project.tables import Tables
from replay.faults import JOB, MONITORING, QUARANTINE, Faults, Scheduled
from replay.figures import Record
from replay.journal import Entry

# Monitoring says what it sees of a day when the day's labels are due, and of several days after that.
_SAID_WITHIN = timedelta(days=9)


@dataclass(frozen=True)
class Outcome:
    """What became of a fault.

    Attributes:
        scheduled: the fault.
        said: what named it, in the words of who did; empty where nothing did.
        promoted: the versions promoted while it lasted.
        missing: what the tables still lack of those days, in words; empty where nothing is missing.
    """

    scheduled: Scheduled
    said: str
    promoted: tuple[str, ...]
    missing: str

    @property
    def is_well(self) -> bool:
        """True if it was caught by name, nothing is lost, and no model came of it."""
        return bool(self.said) and not self.promoted and not self.missing


def said_of(
    scheduled: Scheduled, entries: Sequence[Entry], quarantine: Sequence[Record], verdicts: Sequence[Record]
) -> str:
    """The first word on a fault from who must catch it; empty where there is none.

    Args:
        scheduled: the fault.
        entries: the journal.
        quarantine: `source`, `landed_as_of` (UTC), `reason`, `rows`.
        verdicts: `as_of` (UTC), `status`, `sentence`.
    """
    fault = scheduled.fault
    texts: dict[str, list[str]] = {
        JOB: [
            event.text
            for entry in entries
            for event in entry.events
            if entry.as_of == scheduled.first and event.kind == "failure"
        ],
        QUARANTINE: [
            f"{row['rows']:,} rows of {row['source']}: {row['reason']}"
            for row in quarantine
            if scheduled.first <= row["landed_as_of"] < scheduled.repaired and row["source"] == fault.source
        ],
        MONITORING: [
            f"{row['as_of']:%-d %B}: {row['sentence']}"
            for row in verdicts
            if scheduled.first <= row["as_of"] <= scheduled.repaired + _SAID_WITHIN and row["status"] != "ok"
        ],
    }
    return next((text for text in texts[fault.caught_by] if re.search(fault.words, text)), "")


def promoted_during(scheduled: Scheduled, promotions: Sequence[Record]) -> tuple[str, ...]:
    """The versions promoted from the fault's first run to before its repair; `promotions` as `read_promotions`.

    Where a fault leaves the tables right, a promotion is none of its.
    """
    if scheduled.fault.leaves_tables_right:
        return ()
    made = [move for move in promotions if (move["action"], move["status"]) == ("promotion", "done")]
    return tuple(move["model_version"] for move in made if scheduled.first <= move["as_of"] < scheduled.repaired)


def missing_of(scheduled: Scheduled, known: Faults, spark: SparkSession, tables: Tables) -> str:
    """How tables and archive differ in the days of a fault; empty where they are the same.

    Args:
        scheduled: the fault.
        known: what the use case compares.
        spark: the session.
        tables: the deployment's tables, brought to two days after the repair or later.

    Returns:
        A sentence a figure that differs.
    """
    days = [f"{day:%Y-%m-%d}" for day in pd.date_range(scheduled.before.date(), scheduled.repaired.date())]
    wanted, found = known.sent(days), known.stored(spark, tables, days)
    differences = [
        f"{name}: {found[name]:,.1f} in place of {value:,.1f}"
        for name, value in wanted.items()
        if abs(found[name] - value) > 1e-6 * max(abs(value), 1)
    ]
    return "; ".join(differences)
