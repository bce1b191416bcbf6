"""What became of each fault: who noticed it, whether the data are whole again, and whether a model came of it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pandas as pd
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from project.tables import Tables
from replay.faults import JOB, MONITORING, NEW_CARRIER, QUARANTINE, Scheduled
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


def missing_of(scheduled: Scheduled, spark: SparkSession, tables: Tables, archive: Path) -> str:
    """How tables and archive differ in the days of a fault; empty where they are the same.

    Args:
        scheduled: the fault.
        spark: the session.
        tables: the deployment's tables, brought to two days after the repair or later.
        archive: the sample's folder.

    Returns:
        A sentence a difference of flights, of their labels, or of observations.
    """
    days = [f"{day:%Y-%m-%d}" for day in pd.date_range(scheduled.before.date(), scheduled.repaired.date())]
    wanted, found = _archived(archive, days), _stored(spark, tables, days)
    differences = [
        f"{name}: {found[name]:,.1f} in place of {value:,.1f}"
        for name, value in wanted.items()
        if abs(found[name] - value) > 1e-6 * max(abs(value), 1)
    ]
    return "; ".join(differences)


def _archived(archive: Path, days: list[str]) -> dict[str, float]:
    flights, weather = pd.read_csv(archive / "flights.csv.zip"), pd.read_csv(archive / "weather.csv")
    dates = pd.to_datetime(flights[["year", "month", "day"]]).dt.strftime("%Y-%m-%d")
    own, hours = flights[dates.isin(days)], weather[weather["time_hour"].str[:10].isin(days[:-1])]
    return {
        "flights": float(len(own)),
        "labels": float(own["arr_delay"].count()),
        "minutes of arrival delay": float(own["arr_delay"].sum()),
        "observations": float(len(hours)),
        "degrees Fahrenheit in all": float(hours["temp"].sum()),
    }


def _stored(spark: SparkSession, tables: Tables, days: list[str]) -> dict[str, float]:
    own = F.substring("flight_id", -10, 10).isin(days) & (F.col("carrier") != NEW_CARRIER)
    flights = spark.table(tables.flights).filter(own)
    labels = spark.table(tables.labels).filter(own)
    hour = F.date_format(F.col("observed_at") - F.expr("INTERVAL 1 HOUR"), "yyyy-MM-dd")
    weather = spark.table(tables.weather).filter(hour.isin(days[:-1]))
    delays = labels.agg(F.count("arr_delay").alias("n"), F.sum("arr_delay").alias("minutes")).collect()[0]
    hours = weather.agg(F.count("*").alias("n"), F.sum("temp").alias("degrees")).collect()[0]
    return {
        "flights": float(flights.count()),
        "labels": float(delays["n"]),
        "minutes of arrival delay": float(delays["minutes"] or 0),
        "observations": float(hours["n"]),
        "degrees Fahrenheit in all": float(hours["degrees"] or 0),
    }
