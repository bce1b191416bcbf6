"""What the integration tests share: the configuration, and a whole run."""

import pytest
from pyspark.sql import SparkSession

from local_workspace.workspace import Workspace
from project.config import Config, load_config
from tests.whole_run import Run, run_all


def pytest_itemcollected(item: pytest.Item) -> None:
    """These tests take minutes each: through Spark Connect there is one for them all, which says so itself."""
    if item.get_closest_marker("homes") is None:
        item.add_marker(pytest.mark.homes("local", reason="test_through_connect runs the same notebooks, once"))


@pytest.fixture(scope="session")
def config() -> Config:
    return load_config()


@pytest.fixture(scope="session")
def first(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The whole local run, once; tests only read what it left."""
    return run_all(spark, Workspace(tmp_path_factory.mktemp("whole")))
