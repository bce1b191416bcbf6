"""What the integration tests share: the raw files in memory, a whole run, the tables of the year and of a week."""

import pandas as pd
import pytest
from deployments import END_OF_YEAR, FIRST_WEEK, Deployment, deploy
from pyspark.sql import SparkSession
from raw_features import Raw, read_raw
from sources import FaultyFeed, broken_rows
from whole_run import Run, run_all

from feature_engineering.feed import sample_folder
from local_workspace.workspace import Workspace
from project.config import Config, load_config


def pytest_itemcollected(item: pytest.Item) -> None:
    """These tests take minutes each: through Spark Connect there is one for them all, which says so itself."""
    if item.get_closest_marker("homes") is None:
        item.add_marker(pytest.mark.homes("local", reason="test_through_connect runs the same notebooks, once"))


@pytest.fixture(scope="session")
def config() -> Config:
    return load_config()


@pytest.fixture(scope="session")
def raw() -> Raw:
    """The raw files with moments in UTC, read without the stages."""
    return read_raw(sample_folder())


@pytest.fixture(scope="session")
def year(spark: SparkSession, workspace: Workspace) -> Deployment:
    """The tables of the whole year, brought by one run of the feature job; tests only read them."""
    return deploy(spark, workspace, "year").completed(END_OF_YEAR)


@pytest.fixture(scope="session")
def week_at_once(spark: SparkSession, workspace: Workspace) -> dict[str, pd.DataFrame]:
    """The rows of each table after one run at the end of the first week, with some rows in quarantine."""
    feed = FaultyFeed(broken_rows(FIRST_WEEK[-1]))
    return deploy(spark, workspace, "at_once").completed(FIRST_WEEK[-1], land_sample=feed).rows()


@pytest.fixture(scope="session")
def first(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The whole local run, once; tests only read what it left."""
    return run_all(spark, Workspace(tmp_path_factory.mktemp("whole")))
