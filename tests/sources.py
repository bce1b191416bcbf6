"""What the feature job is fed with: files that a source sends, and the use case's feed with faults."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
from pyspark.sql import SparkSession

from feature_engineering.landing import landing_folder
from project.config import Config
from use_case.feed import land_news
from use_case.sources import SOURCES

_KEYS = {source.name: list(source.contract.key) for source in SOURCES if source.is_due_each_run}


def send(volume: Path, source: str, as_of: datetime, columns: Sequence[str], *rows: dict[str, Any]) -> None:
    """Lands a file of a source; what a row does not say is empty."""
    folder = _folder(landing_folder(volume), source, as_of)
    folder.mkdir(parents=True)
    pd.DataFrame(rows, columns=list(columns), dtype=object).to_csv(folder / "part-0.csv", index=False)


@dataclass(frozen=True)
class Fault:
    """Rows that do not land as they should.

    Attributes:
        source: one that is due each run.
        landed: as_of of the run that should land them.
        rows: picks them from what should land (all columns are text).
        until: as_of of the run that lands them as they are, unless newer rows of their keys have landed by then; None
            where none does.
        instead: what lands in their place; nothing where it is None.
    """

    source: str
    landed: datetime
    rows: Callable[[pd.DataFrame], pd.Series]
    until: datetime | None = None
    instead: Callable[[pd.DataFrame], pd.DataFrame] | None = None


@dataclass
class FaultyFeed:
    """The use case's feed with faults, in place of `land_news`; what it owes lands when it is due."""

    faults: Sequence[Fault]
    land: Callable[..., None] = land_news
    owed: list[tuple[Fault, pd.DataFrame]] = field(default_factory=list)

    def __call__(
        self,
        spark: SparkSession,
        landing: Path,
        since: datetime | None,
        as_of: datetime,
        config: Config,
    ) -> None:
        """Lands what the feed does, but for the faults."""
        self.land(spark, landing, since, as_of, config)
        for name, keys in _KEYS.items():
            (file,) = _folder(landing, name, as_of).glob("*.csv")
            rows = self._spoiled(name, keys, pd.read_csv(file, dtype=str), as_of)
            file.unlink()  # with its name, for Spark keeps a checksum of each file beside it
            rows.to_csv(file.with_name("spoiled.csv"), index=False)

    def _spoiled(self, source: str, keys: list[str], news: pd.DataFrame, as_of: datetime) -> pd.DataFrame:
        newest = [(fault, _without(rows, news, keys)) for fault, rows in self.owed if fault.source == source]
        due = [rows for fault, rows in newest if fault.until == as_of]
        kept = [(fault, rows) for fault, rows in newest if fault.until != as_of]
        self.owed = [item for item in self.owed if item[0].source != source] + kept
        for fault in self.faults:
            if (fault.source, fault.landed) == (source, as_of):
                picked = news[fault.rows(news)]
                if picked.empty:
                    raise ValueError(f"nothing landed that could be spoiled: {fault}")
                self.owed.append((fault, picked))
                wrong = [] if fault.instead is None else [fault.instead(picked)]
                news = pd.concat([news.drop(index=picked.index), *wrong], ignore_index=True)
        return pd.concat([news, *due])


def _without(rows: pd.DataFrame, newer: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """The rows whose keys no newer row has."""
    return rows[~pd.MultiIndex.from_frame(rows[keys]).isin(pd.MultiIndex.from_frame(newer[keys]))]


def _folder(landing: Path, source: str, as_of: datetime) -> Path:
    return landing / source / f"as_of={as_of.astimezone(UTC):%Y%m%dT%H%M%SZ}"
