"""What a table is computed from, and how; and a digest that tells one definition from another."""

import ast
import hashlib
import inspect
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache, partial
from types import ModuleType
from typing import TYPE_CHECKING

from pyspark.sql import DataFrame, SparkSession

from project.config import Config
from project.inputs import as_doubles
from project.tables import Tables

if TYPE_CHECKING:
    # Not more: training imports the registry, and pandera takes a second.
    from feature_engineering.contracts import Contract

KNOWN_AT = "known_at"
Compute = Callable[[DataFrame, datetime], DataFrame]


@dataclass(frozen=True)
class Input:
    """A table that others are computed from; its rows have `ingested_as_of`.

    Attributes:
        table: its name.
        moment: the column (UTC) that says when what a row is about happens or happened. It never changes for a key.
    """

    table: str
    moment: str


@dataclass(frozen=True)
class Definition:
    """A table that is computed from another one, and brought up to date by computing a stretch of time anew.

    Attributes:
        name: the table's.
        keys: the columns that identify a row, `known_at` apart where it is one.
        of: what it is computed from.
        compute: gives the table's rows, `known_at` (UTC) in each, from rows of the input and as_of. It must give the
            same from all rows as from those that `reach` and `ahead` let through, and no row later than as_of.
        reach: how long after the moment of an input row a row can still depend on it; None: for ever.
        ahead: how long before it a row can depend on it already, as with a published schedule.
    """

    name: str
    keys: tuple[str, ...]
    of: Input
    compute: Compute
    reach: timedelta | None
    ahead: timedelta = timedelta(0)

    @property
    def primary_key(self) -> tuple[str, ...]:
        """All columns that identify a row."""
        return self.keys

    @property
    def digest(self) -> str:
        """Changes when the code or the settings that the rows are made with change."""
        return digest_of(self.compute, *self.primary_key)

    def make_rows(self, given: DataFrame, as_of: datetime) -> DataFrame:
        """The table's rows, as they are written."""
        return self.compute(given, as_of)


@dataclass(frozen=True)
class FeatureTable(Definition):
    """A feature table: looked up by its keys, as it was known at a moment.

    Attributes:
        lookback: how old a row may be when it is looked up; an older one counts as unknown. None: any age.
        retired: features that no new version learns from. They are computed as long as they are named here, for the
            versions that did learn from them.
    """

    lookback: timedelta | None = None
    retired: tuple[str, ...] = ()

    @property
    def primary_key(self) -> tuple[str, ...]:
        """The keys, and the time series column."""
        return (*self.keys, KNOWN_AT)

    def make_rows(self, given: DataFrame, as_of: datetime) -> DataFrame:
        """The table's rows, as they are written: each feature that is a number or a flag is a double."""
        return as_doubles(self.compute(given, as_of), but=self.primary_key)

    def features(self, rows: DataFrame, as_of: datetime) -> list[str]:
        """The features that a new version learns from, given the input: only its columns count."""
        columns = self.compute(rows, as_of).columns
        return [name for name in columns if name not in {*self.primary_key, *self.retired}]


@dataclass(frozen=True)
class Reading:
    """What a source's functions may look at beside its own rows.

    Attributes:
        spark: the session.
        tables: the deployment's tables; those of the sources that this one waits for are up to date.
        config: the configuration.
        read_until: what landed up to then was read before, by a contract that may have had fewer columns.
    """

    spark: SparkSession
    tables: Tables
    config: Config
    read_until: datetime | None = None


def _as_judged(judged: DataFrame, _: Reading) -> DataFrame:
    return judged


@dataclass(frozen=True)
class Source:
    """A source: what lands, and the bronze table of the same name that it becomes.

    Attributes:
        contract: what a landed row must be.
        key: the bronze table's key.
        rows: makes bronze rows of accepted rows, which have the contract's columns and types.
        judge_more: may give further judged rows a reason to be refused.
        after: sources that it waits for.
        is_due_each_run: whether something must land for each run; else it lands when there is something new.
        keeps_states: whether the table keeps each state that a row has had, with `known_at` (UTC), when it landed, as
            a part of its key; else it keeps the newest. What landed first counts as known since the history begins.
    """

    contract: "Contract"
    key: tuple[str, ...]
    rows: Callable[[DataFrame, Reading], DataFrame]
    judge_more: Callable[[DataFrame, Reading], DataFrame] = _as_judged
    after: tuple[str, ...] = ()
    is_due_each_run: bool = False
    keeps_states: bool = False

    @property
    def name(self) -> str:
        """Of the source, its landing folder and its bronze table."""
        return self.contract.source

    @property
    def primary_key(self) -> tuple[str, ...]:
        """All columns that identify a row."""
        return (*self.key, KNOWN_AT) if self.keeps_states else self.key

    @property
    def digest(self) -> str:
        """Changes when the code that the rows are made with changes; the contract is part of it."""
        more = digest_of(self.judge_more)
        return digest_of(self.rows, more, self.primary_key, sorted(self.contract.types.items()))


def digest_of(function: Callable[..., object], *settings: object) -> str:
    """A digest of a function: its module's code and that of the modules beside it that it imports, and settings.

    Comments, docstrings and layout don't count. What a `partial` binds is a setting.
    """
    while isinstance(function, partial):
        settings = (*settings, function.args, sorted(function.keywords.items()))
        function = function.func
    module = inspect.getmodule(function)
    assert module is not None  # noqa: S101 (a function of ours has one)
    codes = [f"{name}\n{code}" for name, code in sorted(_codes(module, {}).items())]
    return digest_of_texts(function.__qualname__, *map(repr, settings), *codes)


def digest_of_texts(*texts: str) -> str:
    """A digest of texts in their order."""
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()[:16]


def _codes(module: ModuleType, found: dict[str, str]) -> dict[str, str]:
    """The code of a module and of the modules of its package that it imports, by name."""
    if module.__name__ not in found:
        package = module.__name__.rpartition(".")[0]
        found[module.__name__], imported = _read(inspect.getsource(module), package)
        for name in imported:
            # This module says how tables are brought, and nothing of what is in them.
            if package and name.startswith(f"{package}.") and name in sys.modules and name != __name__:
                _codes(sys.modules[name], found)
    return found


@cache
def _read(source: str, package: str) -> tuple[str, tuple[str, ...]]:
    """The code without comments, docstrings and layout, and the names that it imports."""
    tree = ast.parse(source)
    imported = tuple(_imported(tree, package))
    return ast.unparse(_without_docstrings(tree)), imported


def _imported(tree: ast.Module, package: str) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = ".".join(filter(None, (package if node.level else "", node.module)))
            yield module
            yield from (f"{module}.{alias.name}" for alias in node.names)


def _without_docstrings(tree: ast.Module) -> ast.Module:
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node) is not None:
            node.body = node.body[1:] or [ast.Pass()]
    return tree
