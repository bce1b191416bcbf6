"""What all tests share: a local run's import path, a workspace folder of their own, one Spark session."""

import os
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent
# The stand-in's folder too, before anything imports `databricks`: its parts are gathered just once.
sys.path[:0] = [str(REPOSITORY / "local_workspace" / "site"), str(REPOSITORY)]

from local_workspace.environment import (  # noqa: E402 (importable only now)
    USE_CASE_VARIABLE,
    clean_import_path,
    use_other_use_case,
)

# Before what another project's folder could stand before.
clean_import_path()
from pyspark.sql import SparkSession  # noqa: E402

from local_workspace.workspace import FOLDER_VARIABLE, Workspace, open_workspace  # noqa: E402
from tests.browser import open_browser  # noqa: E402
from tests.homes import HOMES, Home, make_home  # noqa: E402

_USE_CASE_TESTS, _NEUTRAL = REPOSITORY / "tests" / "use_case", REPOSITORY / "samples" / "small"
# Of tests side by side: their files share a whole run, or a workspace with a deployment of each target.
_IN_ONE_PROCESS = ("tests/bundle", "tests/integration")
_SAME = "without a Spark session they are the same in any home"
_HOME, _LEFT_OUT = pytest.StashKey[Home](), pytest.StashKey[Counter[str]]()


def pytest_addoption(parser: pytest.Parser, pluginmanager: pytest.PytestPluginManager) -> None:
    """The tests of the use case are about use_case/. All others bring a small one, so that they hold in every fork.

    It is chosen here, before the `conftest.py` of another folder reads its configuration; what pytest puts on the path
    comes after it (`--import-mode=append`).
    """
    parser.addoption("--home", choices=list(HOMES), default="local", help="where Spark runs (tests/homes.py)")
    given = pluginmanager.get_plugin("pytestconfig").known_args_namespace.file_or_dir or [os.curdir]
    own = [Path(one.split("::")[0]).resolve().is_relative_to(_USE_CASE_TESTS) for one in given]
    if any(own) and not all(own):
        raise pytest.UsageError("tests/use_case runs by itself, on another use case than the other tests")
    os.environ[USE_CASE_VARIABLE] = str(REPOSITORY if all(own) else _NEUTRAL)
    use_other_use_case()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_HOME] = make_home(config.getoption("--home"))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leaves out the tests that have no place in this home, and those that ask for no session and run locally too."""
    home = config.getoption("--home")
    marks = {item: item.get_closest_marker("homes") for item in items}
    away = {item: mark.kwargs["reason"] for item, mark in marks.items() if mark and home not in mark.args}
    if home != "local":
        alike = [item for item, mark in marks.items() if not mark or "local" in mark.args]
        away |= {item: _SAME for item in alike if item not in away and "spark" not in item.fixturenames}
    config.stash[_LEFT_OUT] = Counter(away.values())
    config.hook.pytest_deselected(items=list(away))
    items[:] = [item for item in items if item not in away]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Of tests side by side, a file is in one process, and so is what shares more than a session."""
    from xdist.scheduler import LoadFileScheduling  # noqa: PLC0415 (which other homes do without)

    class Scheduling(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            shared = (folder for folder in _IN_ONE_PROCESS if nodeid.startswith(f"{folder}/"))
            return next(shared, super()._split_scope(nodeid))

    return Scheduling(config, log)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Of tests side by side, each process tells the one that shows the summary."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["left_out"] = dict(session.config.stash[_LEFT_OUT])


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """All have collected the same."""
    node.config.stash[_LEFT_OUT] = Counter(getattr(node, "workeroutput", {}).get("left_out", {}))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    for reason, number in config.stash.get(_LEFT_OUT, Counter()).items():
        terminalreporter.write_line(f"{number} not run with --home {config.getoption('--home')}: {reason}")


@pytest.fixture(scope="session")
def home(pytestconfig: pytest.Config) -> Home:
    """Where this test session's Spark runs."""
    return pytestconfig.stash[_HOME]


@pytest.fixture(scope="session", autouse=True)
def workspace(home: Home, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    """A local workspace that this test session alone uses; the environment is a local run's."""
    before = dict(os.environ)
    os.environ[FOLDER_VARIABLE] = str(tmp_path_factory.mktemp("workspace"))
    with open_workspace() as opened:
        yield opened
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture(scope="session")
def spark(home: Home, workspace: Workspace) -> Iterator[SparkSession]:
    """The one Spark session of the tests."""
    with home.start(workspace.root) as session:
        yield session


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A browser without a window; no longer than a module needs it, as it keeps an event loop in this thread."""
    with open_browser() as opened:
        yield opened
