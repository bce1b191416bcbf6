"""However a week is cut into runs, late and wrong rows, broken runs and second ones: it gives the tables of one run."""

from datetime import UTC, datetime
from typing import Any, NoReturn

import pandas as pd
import pytest
from databricks.feature_engineering import FeatureEngineeringClient
from pandas.testing import assert_frame_equal
from pyspark.sql import SparkSession

from feature_engineering import fill
from feature_engineering.definitions import Definition
from feature_engineering.progress import Progress
from local_workspace.workspace import Workspace
from project.config import Config
from project.steps import StepError
from tests.deployments import TABLES, Deployment, deploy
from tests.living import bring
from tests.sources import Fault, FaultyFeed
from use_case.registry import label_table

# Seven runs a day apart, amid the day: at each, orders are open.
WEEK = [datetime(2024, 1, day, 18, 20, tzinfo=UTC) for day in range(2, 9)]
FIRST, _, THIRD, FOURTH, FIFTH, SIXTH, LAST = WEEK


def everything(orders: pd.DataFrame) -> pd.Series:
    return pd.Series(True, index=orders.index)


def orders_of(shop: str, *statuses: str):
    return lambda orders: (orders["shop"] == shop) & orders["status"].isin(statuses)


def one_order(orders: pd.DataFrame) -> pd.Series:
    """One that ended before the third run."""
    return orders["order_id"] == "2024-01-03-0"


def refused(landed: datetime) -> Fault:
    """Rows for the quarantine beside a good one: a copy, and an order of a shop that is unknown."""
    return Fault(
        "orders",
        landed,
        one_order,
        instead=lambda row: pd.concat([row, row, row.assign(order_id="other", shop="Nowhere")]),
    )


LATE_ROWS = [
    # Known as open, so without a label until its end lands two days late.
    Fault("orders", THIRD, orders_of("Birch", "closed"), until=FIFTH),
    # Never heard of until a day after they ended.
    Fault("orders", THIRD, orders_of("Cedar", "open"), until=FIFTH),
    Fault("orders", FOURTH, orders_of("Cedar", "closed", "cancelled"), until=FIFTH),
]
CORRECTIONS = [
    Fault("orders", THIRD, orders_of("Alder", "closed"), until=FIFTH, instead=lambda rows: rows.assign(refund="1")),
    # Each becomes known at another moment than the one that was wrong.
    Fault(
        "orders",
        FOURTH,
        orders_of("Alder", "closed"),
        until=FIFTH,
        instead=lambda rows: rows.assign(ended_at=rows["ordered_at"], refund=rows["price"]),
    ),
]
EMPTY_DAY = Fault("orders", SIXTH, everything, until=LAST)


@pytest.fixture(scope="module")
def at_once(spark: SparkSession, workspace: Workspace) -> dict[str, pd.DataFrame]:
    """The rows of each table after one run at the end of the week, with some rows in quarantine."""
    return deploy(spark, workspace, "at_once").completed(LAST, land_news=FaultyFeed([refused(LAST)])).rows()


@pytest.fixture(scope="module")
def day_by_day(spark: SparkSession, workspace: Workspace) -> Deployment:
    """The week in seven runs of a feed with faults."""
    deployment = deploy(spark, workspace, "day_by_day")
    feed = FaultyFeed([refused(THIRD), *LATE_ROWS, *CORRECTIONS, EMPTY_DAY])
    for as_of in WEEK:
        deployment.completed(as_of, land_news=feed)
    return deployment


class BreaksAtFeatures(FeatureEngineeringClient):
    """A client that makes a table, and then fails to write its rows."""

    def write_table(self, **_: Any) -> NoReturn:
        broken()


def broken(*_: object) -> NoReturn:
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
def mended(spark: SparkSession, workspace: Workspace, config: Config) -> Deployment:
    """The week in two runs, each of which broke half-way and was started again."""
    deployment = deploy(spark, workspace, "mended")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fill, "FeatureEngineeringClient", BreaksAtFeatures)
        with pytest.raises(StepError, match="customer_features: broken on purpose"):
            bring(deployment, FIRST, config)
    assert spark.table(deployment.tables.named("customer_features")).isEmpty()
    assert brought(deployment, "customer_features") is None
    assert brought(deployment, "orders") == FIRST
    half = deployment.versions()
    deployment.completed(FIRST)
    done = deployment.versions()
    assert {name for name in done if half.get(name) == done[name]} >= {"orders", "shops", "labels"}
    assert deployment.refresh(LAST, land_news=FaultyFeed([refused(LAST)]), label_table=broken_labels).failed
    changed = {name for name, version in deployment.versions().items() if version != done.get(name)}
    assert changed >= {"orders", "refreshed_tables"}
    assert not changed & {"labels", "customer_features"}
    assert brought(deployment, "orders") == LAST
    assert brought(deployment, "labels") == FIRST
    return deployment.completed(LAST, land_news=FaultyFeed([refused(LAST)]))


@pytest.mark.parametrize("table", TABLES)
def test_seven_days_one_by_one_equal_one_run(
    day_by_day: Deployment, at_once: dict[str, pd.DataFrame], table: str
) -> None:
    assert len(at_once[table]) > 0
    assert_frame_equal(day_by_day.table(table), at_once[table], check_exact=True)


@pytest.mark.parametrize("table", TABLES)
def test_a_run_started_again_after_it_broke_gives_what_an_unbroken_one_does(
    mended: Deployment, at_once: dict[str, pd.DataFrame], table: str
) -> None:
    assert_frame_equal(mended.table(table), at_once[table], check_exact=True)


@pytest.mark.parametrize("as_of", [LAST, FOURTH], ids=["the same", "an earlier one"])
def test_a_second_run_writes_nothing(mended: Deployment, as_of: datetime) -> None:
    before = mended.versions(), landed(mended)
    mended.completed(as_of)
    assert (mended.versions(), landed(mended)) == before
    assert set(before[0]) == {*TABLES, "refreshed_tables"}


def landed(deployment: Deployment) -> dict[str, int]:
    """The files of the landing folder, with their times."""
    found = {str(file): file.stat().st_mtime_ns for file in deployment.volume.joinpath("landing").rglob("*.csv")}
    assert found
    return found
