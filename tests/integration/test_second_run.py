"""A run that was done before changes nothing, and one that broke is made whole by the next."""

from datetime import datetime
from typing import Any, NoReturn

import pandas as pd
import pytest
from databricks.feature_engineering import FeatureEngineeringClient
from deployments import END_OF_YEAR, FIRST_WEEK, TABLES, Deployment, deploy
from living import bring
from pandas.testing import assert_frame_equal
from pyspark.sql import SparkSession
from sources import FaultyFeed, broken_rows

from feature_engineering import fill
from feature_engineering.definitions import Definition
from feature_engineering.progress import Progress
from feature_engineering.registry import label_table
from local_workspace.workspace import Workspace
from project.config import Config, load_config
from project.steps import StepError

START_OF_WEEK, MIDWEEK, END_OF_WEEK = FIRST_WEEK[0], FIRST_WEEK[3], FIRST_WEEK[-1]


class BreaksAtLegs(FeatureEngineeringClient):
    """A client that makes the table of legs, and then fails to write its rows."""

    def write_table(self, *, name: str, **arguments: Any) -> None:
        if name.endswith(".leg_features"):
            raise RuntimeError("broken on purpose")
        super().write_table(name=name, **arguments)


def broken(*_: object, **__: object) -> NoReturn:
    raise RuntimeError("broken on purpose")


def broken_labels(config: Config) -> Definition:
    """Labels that can't be computed; by their definition they are the same as ever."""

    class Broken(Definition):
        digest = label_table(config).digest

    return Broken(**{**vars(label_table(config)), "compute": broken})


def brought(deployment: Deployment, table: str) -> datetime | None:
    """The moment to which a table has been brought."""
    found = Progress(deployment.spark, deployment.tables).of(table)
    return None if found is None else found.as_of


@pytest.fixture(scope="module")
def mended(spark: SparkSession, workspace: Workspace) -> Deployment:
    """The first week in two runs, each of which broke half-way and was started again."""
    deployment = deploy(spark, workspace, "mended")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fill, "FeatureEngineeringClient", BreaksAtLegs)
        with pytest.raises(StepError, match="leg_features: broken on purpose"):
            bring(deployment, START_OF_WEEK, load_config())
    assert spark.table(deployment.tables.named("leg_features")).isEmpty()
    assert brought(deployment, "leg_features") is None
    assert brought(deployment, "flights") == START_OF_WEEK
    half = deployment.versions()
    deployment.completed(START_OF_WEEK)
    done = deployment.versions()
    assert {name for name in done if half.get(name) == done[name]} >= {"flights", "weather", "labels", "planes"}
    feed = FaultyFeed(broken_rows(END_OF_WEEK))
    assert deployment.refresh(END_OF_WEEK, land_sample=feed, label_table=broken_labels).failed
    changed = {name for name, version in deployment.versions().items() if version != done.get(name)}
    assert changed >= {"flights", "weather", "refreshed_tables"}
    assert not changed & {"labels", "carrier_features", "route_features"}
    assert brought(deployment, "flights") == END_OF_WEEK
    assert brought(deployment, "labels") == START_OF_WEEK
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
    assert set(before[0]) == {*TABLES, "refreshed_tables"}


def test_a_second_run_of_the_year_writes_nothing(year: Deployment) -> None:
    before = year.versions(), landed(year)
    year.completed(END_OF_YEAR)
    assert (year.versions(), landed(year)) == before


def landed(deployment: Deployment) -> dict[str, int]:
    """The files of the landing folder, with their times."""
    found = {str(file): file.stat().st_mtime_ns for file in deployment.volume.joinpath("landing").rglob("*.csv")}
    assert found
    return found
