"""What a Delta table's log says of it, read from its files: the same whichever engine wrote them."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlparse

import pyarrow.parquet as pq
from pyspark.sql import SparkSession

WAREHOUSE_SETTING = "spark.sql.warehouse.dir"
_LOG = "_delta_log"


def folder_of(spark: SparkSession, table: str) -> Path:
    """The folder of a table by its full name."""
    _, schema, name = table.replace("`", "").split(".")
    return warehouse_of(spark) / f"{schema}.db" / name


def tables(warehouse: Path) -> dict[str, Path]:
    """The folders of all tables by their names: a warehouse has a folder a schema, and in it one a table."""
    folders = (log.parent for log in sorted(warehouse.glob(f"*.db/*/{_LOG}")))
    return {f"`{folder.parent.name.removesuffix('.db')}`.`{folder.name}`": folder for folder in folders}


def warehouse_of(spark: SparkSession) -> Path:
    """The folder of a session's tables."""
    # Without links: an engine may know it by one that lives as long as its session.
    return Path(unquote(urlparse(str(spark.conf.get(WAREHOUSE_SETTING))).path)).resolve()


@dataclass(frozen=True)
class Commit:
    """One version of a table: its number, and the actions that led to it."""

    version: int
    actions: tuple[dict[str, Any], ...]

    @property
    def info(self) -> dict[str, Any]:
        """Who did what: the action `commitInfo`."""
        return next((action["commitInfo"] for action in self.actions if "commitInfo" in action), {})


def is_table(folder: Path) -> bool:
    """Whether a folder holds a Delta table."""
    return any((folder / _LOG).glob("*.json"))


def version(folder: Path) -> int:
    """The newest version of a table."""
    return max(_versions(folder))


def commits(folder: Path, after: int = -1) -> list[Commit]:
    """The commits that the log still has after a version, oldest first."""
    return [_commit(folder, number) for number in _later(folder, after)]


def metadata(folder: Path) -> dict[str, Any]:
    """The table's `metaData`: its `configuration` (the properties), `description`, `partitionColumns`."""
    *_, newest = _actions(folder, "metaData")
    return dict(newest["metaData"])


def files(folder: Path) -> list[Path]:
    """The data files of the newest version.

    Raises:
        NotImplementedError: rows of a file are deleted by a vector beside it.
    """
    live: dict[str, None] = {}
    for action in _actions(folder, "add", "remove"):
        if added := action.get("add"):
            if added.get("deletionVector"):
                raise NotImplementedError(f"'{folder.name}' has deletion vectors: rewrite the table without them.")
            live[added["path"]] = None
        elif removed := action.get("remove"):
            live.pop(removed["path"], None)
    return [folder / unquote(path) for path in live]


def number_of_files(folder: Path) -> int:
    """How many data files the newest version has: counted only, which takes less than to read what they are."""
    known = _checkpoint(folder)
    if known and "numOfAddFiles" not in known:
        return len(files(folder))
    later = [line for number in _later(folder, known.get("version", -1)) for line in _lines(folder, number)]
    return int(known.get("numOfAddFiles", 0)) + sum(
        line.startswith(_beginning("add")) - line.startswith(_beginning("remove")) for line in later
    )


def changed_files(folder: Path, after: int) -> tuple[list[Path], list[Path]]:
    """The data files that the newest version has and an earlier one had not, and those that it has no more.

    Each row that changed is in them, beside rows that were written again as they are.
    """
    added: dict[str, None] = {}
    removed: dict[str, None] = {}
    for action in (action for one in commits(folder, after) for action in one.actions):
        if (file := action.get("add")) and file["dataChange"]:
            added[file["path"]] = None
        elif (file := action.get("remove")) and file["dataChange"]:
            # One that came and went in between is no change.
            if file["path"] in added:
                del added[file["path"]]
            else:
                removed[file["path"]] = None
    return [folder / unquote(path) for path in added], [folder / unquote(path) for path in removed]


def _actions(folder: Path, *kinds: str) -> Iterator[dict[str, Any]]:
    """The actions of some kinds that lead to the newest version: those of the newest checkpoint, then of the commits
    after it."""
    start = _checkpoint(folder).get("version", -1)
    for part in sorted((folder / _LOG).glob(f"{start:020}.checkpoint*.parquet")):
        yield from _of_checkpoint(part, kinds)
    # How a line of such an action begins: the most of a log is of other kinds, and need not be parsed.
    beginnings = tuple(map(_beginning, kinds))
    for number in _later(folder, start):
        yield from (json.loads(line) for line in _lines(folder, number) if line.startswith(beginnings))


def _checkpoint(folder: Path) -> dict[str, Any]:
    """What the log says of its newest checkpoint; nothing where it has none."""
    pointer = folder / _LOG / "_last_checkpoint"
    return dict(json.loads(pointer.read_text(encoding="utf-8"))) if pointer.exists() else {}


def _later(folder: Path, start: int) -> list[int]:
    return sorted(number for number in _versions(folder) if number > start)


def _beginning(kind: str) -> str:
    return f'{{"{kind}":'


def _of_checkpoint(file: Path, kinds: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    # A checkpoint has what is there: what it removed is of files that are gone.
    for kind in {*kinds} - {"remove"}:
        found = pq.read_table(file, columns=[kind])[kind].drop_null().to_pylist()
        if kind == "metaData":
            found = [known | {"configuration": dict(known["configuration"] or ())} for known in found]
        yield from ({kind: known} for known in found)


def _versions(folder: Path) -> Iterator[int]:
    return (int(file.stem) for file in (folder / _LOG).glob("*.json") if file.stem.isdecimal())


def _lines(folder: Path, number: int) -> list[str]:
    return (folder / _LOG / f"{number:020}.json").read_text(encoding="utf-8").splitlines()


def _commit(folder: Path, number: int) -> Commit:
    return Commit(number, tuple(json.loads(line) for line in _lines(folder, number)))
