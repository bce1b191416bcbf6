"""A run that was done before changes nothing, and one that broke is made whole by the next."""

from typing import Any, NoReturn

import pandas as pd
import pytest
from databricks.feature_engineering import FeatureEngineeringClient
from deployments import END_OF_YEAR, FIRST_WEEK, TABLES, Deployment, deploy
from pandas.testing import assert_frame_equal
from pyspark.sql import SparkSession
from sources import FaultyFeed, broken_rows

from feature_engineering.refresh import last_refresh
from local_workspace.workspace import Workspace

START_OF_WEEK, MIDWEEK, END_OF_WEEK = FIRST_WEEK[0], FIRST_WEEK[3], FIRST_WEEK[-1]


class BreaksAtLegs(FeatureEngineeringClient):
    """A client that makes the table of legs, and then fails to write its rows."""

    def write_table(self, *, name: str, **arguments: Any) -> None:
        if name.endswith(".leg_features"):
            raise RuntimeError("broken on purpose")
        super().write_table(name=name, **arguments)


def broken(*_: object) -> NoReturn:
    raise RuntimeError("broken on purpose")


@pytest.fixture(scope="module")
def mended(spark: SparkSession, workspace: Workspace) -> Deployment:
    """The first week in two runs, each of which broke half-way and was started again."""
    deployment = deploy(spark, workspace, "mended")
    states = deployment.refresh(START_OF_WEEK, FeatureEngineeringClient=BreaksAtLegs).states
    undone = [key for key, state in states.items() if state != "success"]
    assert undone == ["leg_features", "mark_refreshed", "publishes", "publish_features"]
    assert spark.table(deployment.tables.leg_features).isEmpty()
    assert last_refresh(spark, deployment.tables) is None
    deployment.completed(START_OF_WEEK)
    before = deployment.versions()
    feed = FaultyFeed(broken_rows(END_OF_WEEK))
    assert deployment.refresh(END_OF_WEEK, land_sample=feed, refresh_labels=broken).failed
    changed = {name for name, version in deployment.versions().items() if version != before.get(name)}
    assert changed >= {"flights", "weather_features", "congestion_features", "leg_features"}
    assert not changed & {"labels", "carrier_features", "route_features", "refreshes"}
    assert last_refresh(spark, deployment.tables) == START_OF_WEEK
    return deployment.completed(END_OF_WEEK, land_sample=FaultyFeed(broken_rows(END_OF_WEEK)))


@pytest.mark.parametrize("table", TABLES)
def test_a_run_started_again_after_it_broke_gives_what_an_unbroken_one_does(
    mended: Deployment, week_at_once: dict[str, pd.DataFrame], table: str
) -> None:
    assert_frame_equal(mended.table(table), week_at_once[table], check_exact=True)


@pytest.mark.parametrize("as_of", [END_OF_WEEK, MIDWEEK], ids=["the same", "an earlier one"])
def test_a_second_run_writes_nothing(mended: Deployment, as_of: Any) -> None:
    before = mended.versions(), landed(mended)
    mended.completed(as_of)
    assert (mended.versions(), landed(mended)) == before
    assert set(before[0]) == {*TABLES, "refreshes"}


def test_a_second_run_of_the_year_writes_nothing(year: Deployment) -> None:
    before = year.versions(), landed(year)
    year.completed(END_OF_YEAR)
    assert (year.versions(), landed(year)) == before


def landed(deployment: Deployment) -> dict[str, int]:
    """The files of the landing folder, with their times."""
    found = {str(file): file.stat().st_mtime_ns for file in deployment.volume.joinpath("landing").rglob("*.csv")}
    assert found
    return found
