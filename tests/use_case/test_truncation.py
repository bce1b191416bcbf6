"""What is known at a moment does not depend on what the raw files say of the time after it."""

from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal
from pyspark.sql import SparkSession

from local_workspace.workspace import Workspace
from tests.deployments import FEATURES, TABLES, Deployment, deploy
from tests.sources import FaultyFeed
from tests.use_case.moments import FIRST_WEEK
from tests.use_case.raw_features import DAY, Raw
from tests.use_case.sources import ACTUALS, broken_rows, of_archive, without_later, write_archive

MIDNIGHT, END_OF_WEEK = datetime(2013, 1, 6, tzinfo=UTC), FIRST_WEEK[-1]
KNOWN_AT = (*FEATURES, "labels")


@pytest.fixture(scope="module")
def cut_at_midnight(
    spark: SparkSession, workspace: Workspace, raw: Raw, tmp_path_factory: pytest.TempPathFactory
) -> Deployment:
    """Tables from files that end at midnight."""
    archive = cut_archive(raw, MIDNIGHT, tmp_path_factory)
    return deploy(spark, workspace, "cut_at_midnight").completed(MIDNIGHT, land_news=of_archive(archive))


@pytest.fixture(scope="module")
def cut_at_end_of_week(
    spark: SparkSession, workspace: Workspace, raw: Raw, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, pd.DataFrame]:
    """The rows of each table from files that end with the week."""
    archive = cut_archive(raw, END_OF_WEEK, tmp_path_factory)
    deployment = deploy(spark, workspace, "cut_at_end_of_week")
    feed = FaultyFeed(broken_rows(END_OF_WEEK), of_archive(archive))
    return deployment.completed(END_OF_WEEK, land_news=feed).rows()


def cut_archive(raw: Raw, moment: datetime, folders: pytest.TempPathFactory) -> Path:
    """A folder of raw files that know nothing later than a moment."""
    return write_archive(folders.mktemp("archive"), without_later(raw, pd.Timestamp(moment)), pd.Timestamp(moment))


@pytest.mark.parametrize("moment", [MIDNIGHT, END_OF_WEEK], ids=str)
def test_the_cut_takes_something_of_every_kind(raw: Raw, moment: datetime) -> None:
    cut = without_later(raw, pd.Timestamp(moment))
    whole = raw.flights.loc[cut.index]
    assert (raw.flights.drop(index=cut.index)["sched_dep_at"] - DAY > moment).all()
    assert len(cut) < len(raw.flights)
    differs = (whole[ACTUALS].fillna(-1) != cut[ACTUALS].fillna(-1)).any(axis=1)
    due, has_left = whole["sched_dep_at"] <= moment, whole["departed_at"] <= moment
    assert (differs & ~due & ~has_left).any(), "still to come"
    assert (differs & due & ~has_left).any(), "waiting"
    assert (differs & has_left & (whole["sched_arr_at"] > moment)).any(), "in the air"
    assert (differs & has_left & (whole["sched_arr_at"] <= moment)).any(), "in the air and overdue"
    assert not (differs & (whole["arrived_at"] <= moment)).any(), "arrived"


@pytest.mark.parametrize("table", TABLES)
def test_a_table_is_the_same_without_the_later_raw_data(
    cut_at_end_of_week: dict[str, pd.DataFrame], week_at_once: dict[str, pd.DataFrame], table: str
) -> None:
    assert len(week_at_once[table]) > 0
    assert_frame_equal(cut_at_end_of_week[table], week_at_once[table], check_exact=True)


@pytest.mark.parametrize("table", KNOWN_AT)
def test_what_was_known_stays_as_time_goes_on(
    week_at_once: dict[str, pd.DataFrame], year: Deployment, table: str
) -> None:
    assert_frame_equal(week_at_once[table], year.table(table, known_by=END_OF_WEEK), check_exact=True)


@pytest.mark.parametrize("table", KNOWN_AT)
def test_what_was_known_at_midnight_without_the_later_raw_data_stays_as_time_goes_on(
    cut_at_midnight: Deployment, year: Deployment, table: str
) -> None:
    known = cut_at_midnight.table(table)
    assert len(known) > 0
    assert_frame_equal(known, year.table(table, known_by=MIDNIGHT), check_exact=True)
