"""Seven days one by one give the tables of one run at the last, however late and wrong the rows have come."""

from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal
from pyspark.sql import SparkSession

from feature_engineering.landing import landed_folders, read_landed
from local_workspace.workspace import Workspace
from project.config import Config
from tests.deployments import TABLES, Deployment, deploy
from tests.sources import Fault, FaultyFeed
from tests.use_case.moments import FIRST_WEEK
from tests.use_case.sources import broken_rows
from use_case.contracts import FLIGHTS, WEATHER
from use_case.feed import land_news

THIRD, FOURTH, FIFTH, SIXTH, SEVENTH = FIRST_WEEK[2:]


def everything(rows: pd.DataFrame) -> pd.Series:
    return pd.Series(True, index=rows.index)


def flights_of(carrier: str, *statuses: str):
    return lambda flights: (flights["carrier"] == carrier) & flights["status"].isin(statuses)


def weather_at(origin: str):
    return lambda weather: weather["origin"] == origin


LATE_ROWS = [
    # Known as scheduled, so waiting in the dark until their arrival lands two days late.
    Fault("flights", THIRD, flights_of("B6", "arrived", "departed"), until=FIFTH),
    # Never heard of until a day after they arrived.
    Fault("flights", THIRD, flights_of("US", "scheduled"), until=FIFTH),
    Fault("flights", FOURTH, flights_of("US", "arrived", "cancelled", "diverted"), until=FIFTH),
    Fault("weather", THIRD, weather_at("JFK"), until=FIFTH),
]
CORRECTIONS = [
    Fault("weather", THIRD, weather_at("LGA"), until=FIFTH, instead=lambda rows: rows.assign(temp="0", precip="1")),
    Fault("flights", THIRD, flights_of("AA", "arrived"), until=FIFTH, instead=lambda rows: rows.assign(distance="1")),
]
EMPTY_DAY = [
    Fault("flights", SIXTH, everything, until=SEVENTH),
    Fault("weather", SIXTH, everything, until=SEVENTH),
]


@pytest.fixture(scope="module")
def week_day_by_day(spark: SparkSession, workspace: Workspace) -> Deployment:
    """The first week in seven runs of a feed with faults."""
    deployment = deploy(spark, workspace, "day_by_day")
    feed = FaultyFeed([*broken_rows(THIRD), *LATE_ROWS, *CORRECTIONS, *EMPTY_DAY])
    for as_of in FIRST_WEEK:
        deployment.completed(as_of, land_news=feed)
    return deployment


@pytest.mark.parametrize("table", TABLES)
def test_seven_days_one_by_one_equal_one_run(
    week_day_by_day: Deployment, week_at_once: dict[str, pd.DataFrame], table: str
) -> None:
    assert len(week_at_once[table]) > 0
    assert_frame_equal(week_day_by_day.table(table), week_at_once[table], check_exact=True)


def test_a_minute_without_news_lands_files_without_rows(spark: SparkSession, config: Config, tmp_path: Path) -> None:
    since, as_of = (datetime(2013, 1, 4, 8, minute, tzinfo=UTC) for minute in (30, 31))
    land_news(spark, tmp_path, since, as_of, config)
    for contract in (FLIGHTS, WEATHER):
        folders = landed_folders(tmp_path, contract.source, since, as_of)
        assert len(folders) == 1
        assert read_landed(spark, folders, tuple(contract.types)).collect() == []
