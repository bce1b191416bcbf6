"""What all tests share: a local run's import path, a workspace folder of their own, one Spark session."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

REPOSITORY = Path(__file__).resolve().parent.parent
# The stand-in's folder too, before anything imports `databricks`: its parts are gathered just once.
sys.path[:0] = [str(REPOSITORY / "local_workspace" / "site"), str(REPOSITORY)]

from local_workspace.session import build_session  # noqa: E402 (the repository is importable only now)
from local_workspace.workspace import FOLDER_VARIABLE, Workspace, open_workspace  # noqa: E402


@pytest.fixture(scope="session")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    """A local workspace that this test session alone uses; the environment is a local run's."""
    before = dict(os.environ)
    os.environ[FOLDER_VARIABLE] = str(tmp_path_factory.mktemp("workspace"))
    with open_workspace() as opened:
        yield opened
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture(scope="session")
def spark(workspace: Workspace) -> Iterator[SparkSession]:
    """The one Spark session of the tests."""
    session = build_session(workspace.root)
    yield session
    session.stop()
