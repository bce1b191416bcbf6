"""What the tests of the sample share: the raw files in memory, the tables of the year and of a week."""

import pandas as pd
import pytest
from pyspark.sql import SparkSession

from local_workspace.workspace import Workspace
from project.config import Config, load_config
from tests.deployments import Deployment, deploy
from tests.homes import Home
from tests.sources import FaultyFeed
from tests.unit.tables import InputTables
from tests.use_case.moments import END_OF_YEAR, FIRST_WEEK
from tests.use_case.raw_features import Raw, read_raw
from tests.use_case.sources import broken_rows
from use_case.feed import sample_folder


@pytest.fixture(scope="session")
def config() -> Config:
    return load_config()


@pytest.fixture(scope="session")
def inputs(home: Home, spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> InputTables:
    return home.make_inputs(spark, tmp_path_factory.mktemp("inputs"))


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
    return deploy(spark, workspace, "at_once").completed(FIRST_WEEK[-1], land_news=feed).rows()
