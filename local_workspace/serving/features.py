"""Features at request time: the latest published row of each key, in memory."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlparse

import pandas as pd
import pyarrow.parquet as pq
from databricks.feature_engineering.spec import LookedUpColumn

from local_workspace.api.documents import Documents
from local_workspace.serving.requests import Columns

Key = tuple[Any, ...]


@dataclass(frozen=True)
class OnlineTable:
    """The latest row of each key of one published table.

    As in an online store, that is the one with the latest time, whatever its age: points in time and lookback windows
    are for training and batch scoring.

    Attributes:
        publication: what it was read from.
        places: where each column is in a row.
        rows: by key, in the order of the publication's `lookup_keys`.
    """

    publication: Mapping[str, Any]
    places: Mapping[str, int]
    rows: Mapping[Key, Sequence[Any]]

    def find(self, columns: Columns, wanted: LookedUpColumn) -> list[Any]:
        """A feature for rows that have its keys; None where a key is unknown."""
        of_request = {feature: label for label, feature in wanted.on.keys}
        keys = zip(*(columns[of_request[key]] for key in self.publication["lookup_keys"]), strict=True)
        place, rows = self.places[wanted.feature_name], self.rows
        return [None if (row := rows.get(key)) is None else row[place] for key in keys]


class OnlineStore:
    """The published tables by the feature table's name, read again when a publication has changed them."""

    def __init__(self, published: Documents) -> None:
        """Takes where publications are written down."""
        self._published = published
        self._stamp: object = None
        self._tables: dict[str, OnlineTable] = {}
        self._lock = asyncio.Lock()

    async def current(self) -> Mapping[str, OnlineTable]:
        """The tables as they are published now."""
        if self._published.stamp() != self._stamp:
            async with self._lock:
                stamp = self._published.stamp()
                if stamp != self._stamp:
                    self._tables = await asyncio.to_thread(self._read)
                    self._stamp = stamp
        return self._tables

    def _read(self) -> dict[str, OnlineTable]:
        documents = [document for name in self._published.names() if (document := self._published.get(name))]
        known = self._tables
        return {
            name: known[name] if name in known and known[name].publication == document else read_latest(document)
            for document in documents
            for name in [document["source_table_name"]]
        }


def read_latest(publication: Mapping[str, Any]) -> OnlineTable:
    """Reads the latest row of each key from a publication's data files."""
    paths = [unquote(urlparse(file).path) for file in publication["files"]]
    frames = [pq.read_table(path).to_pandas() for path in paths]
    keys, times = publication["lookup_keys"], publication["timestamp_keys"]
    everything = pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=[*keys, *times])
    latest = everything.sort_values(times).drop_duplicates(keys, keep="last") if times else everything
    plain = latest.astype(object).where(latest.notna(), None)
    rows = dict(zip(zip(*(plain[key] for key in keys), strict=True), plain.itertuples(index=False), strict=True))
    return OnlineTable(publication, {name: place for place, name in enumerate(plain.columns)}, rows)
