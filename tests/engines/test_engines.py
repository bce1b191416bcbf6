"""The whole local run on both engines, each in an empty folder: what they have left is the same."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pyarrow as pa
import pytest

from local_workspace.engine import ENGINE_VARIABLE
from local_workspace.workspace import FOLDER_VARIABLE, REPOSITORY
from tests.engines.comparison import ALL_FLOATS, compare
from tests.engines.rules import KEYS, MAY_DIFFER, rules_of
from tests.engines.workspaces import find_tables, read_champions, read_landed_files, read_reports, read_table

ENGINES = ("sail", "spark")
BESIDE_TABLES = {"the champion": read_champions, "landed files": read_landed_files, "reports": read_reports}
# Names a folder with a workspace an engine in it: one that is there is compared as it is.
RUNS_VARIABLE = "ENGINES_RUNS"
_LONGEST_RUN = 3600
_SHOWN_LINES = 40

type Folders = dict[str, Path]


@pytest.fixture(scope="session")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Folders:
    """What each engine's run has left; both run at the same time."""
    parent = Path(os.environ.get(RUNS_VARIABLE) or tmp_path_factory.mktemp("engines")).resolve()
    folders = {engine: parent / engine for engine in ENGINES}
    with ExitStack() as stack:
        runs = [stack.enter_context(running(*one)) for one in folders.items() if not one[1].exists()]
        for succeeded in runs:
            succeeded()
    return folders


@contextmanager
def running(engine: str, folder: Path) -> Iterator[Callable[[], None]]:
    """Does what `make run` does, with its output in a log beside the folder; nothing of it outlives the block.

    Yields:
        Waits for the end; where the run has failed, all ends.
    """
    log = folder.with_suffix(".log")

    def succeeded() -> None:
        if process.wait(_LONGEST_RUN):
            last = "\n".join(log.read_text().splitlines()[-_SHOWN_LINES:])
            # Not as a failure: all that need the runs would show it, one after another.
            pytest.exit(f"the run on {engine} failed; the end of '{log}':\n{last}", returncode=1)

    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "local_workspace", "run"],
            cwd=REPOSITORY,
            env=os.environ | {ENGINE_VARIABLE: engine, FOLDER_VARIABLE: str(folder)},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        yield succeeded
    finally:
        # A server of the engine ends with the process that has started it.
        process.kill()
        process.wait()


def test_both_engines_have_the_same_tables(folders: Folders) -> None:
    sail, spark = (set(find_tables(folder)) for folder in folders.values())
    assert sail == spark
    assert sail, "there are no tables"


def test_each_table_is_the_same(folders: Folders, subtests: pytest.Subtests) -> None:
    tables = {engine: find_tables(folder) for engine, folder in folders.items()}
    for table in sorted(set.intersection(*map(set, tables.values()))):
        with subtests.test(table):
            assert_same(table, {engine: read_table(tables[engine][table]) for engine in ENGINES})


@pytest.mark.parametrize("name", BESIDE_TABLES)
def test_what_is_beside_the_tables_is_the_same(name: str, folders: Folders) -> None:
    assert_same(name, {engine: BESIDE_TABLES[name](folder) for engine, folder in folders.items()})


def test_no_rule_is_about_what_is_not_there(folders: Folders) -> None:
    """A rule that is left over would pass a difference that nobody has thought of."""
    tables = {name: read_table(folder) for name, folder in find_tables(folders["sail"]).items()}
    tables |= {name: read(folders["sail"]) for name, read in BESIDE_TABLES.items()}
    named = [(table, column) for rules in (KEYS, MAY_DIFFER) for table, columns in rules.items() for column in columns]
    assert [one for one in named if not is_there(*one, tables)] == []


def is_there(table: str, column: str, tables: dict[str, pa.Table]) -> bool:
    return table in tables and column in {ALL_FLOATS, *tables[table].column_names}


def assert_same(table: str, sides: dict[str, pa.Table]) -> None:
    if differences := compare(table, sides, rules_of(table)):
        pytest.fail("\n".join(map(str, differences)), pytrace=False)
