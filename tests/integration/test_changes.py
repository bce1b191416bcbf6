"""What a team changes in a deployment that lives: a feature, a table, a formula, a source, reference data."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from feature_engineering import fill, refresh
from feature_engineering.contracts import column, contract_of
from feature_engineering.definitions import FeatureTable, Input, Reading, Source
from feature_engineering.fill import RedefinedError
from feature_engineering.progress import Progress
from local_workspace.workspace import Workspace
from project.config import Config
from project.delta import ChangedTypeError
from project.steps import StepError
from project.tables import plain
from tests.deployments import Deployment, deploy
from tests.living import bring, changed, registry
from tests.sources import Fault, FaultyFeed, send
from training.lookups import feature_lookups
from use_case.contracts import ORDERS as CONTRACT
from use_case.features import customer_features
from use_case.registry import FEATURE_TABLES, ORDERS
from use_case.settings import RETURN_PERIOD
from use_case.sources import SOURCES

pytestmark = pytest.mark.homes(
    "local", reason="JVM Spark has one test of each kind of change: these are their variants"
)
ON_BOTH = pytest.mark.homes("local", "connect", reason="the jobs of a bundle, beside the local workspace's API")

FIRST, SECOND, THIRD = (datetime(2024, 1, day, 18, 20, tzinfo=UTC) for day in (7, 8, 9))
FEATURES = "customer_features"
HOUR = timedelta(hours=1)


def with_rate(labels: DataFrame, as_of: datetime) -> DataFrame:
    """One feature more."""
    rate = F.col("customer_orders_7d") / F.nullif(F.col("customer_refund_28d"), F.lit(0.0))
    return customer_features(labels, as_of).withColumn("orders_a_euro", rate)


def in_hundreds(labels: DataFrame, as_of: datetime) -> DataFrame:
    """Another formula: what was in euros is in hundreds of them."""
    return customer_features(labels, as_of).withColumn("customer_refund_28d", F.col("customer_refund_28d") / 100)


def only_frequent(labels: DataFrame, as_of: datetime) -> DataFrame:
    """Fewer rows."""
    return customer_features(labels, as_of).filter(F.col("customer_orders_28d") > 1)


def as_text(labels: DataFrame, as_of: datetime) -> DataFrame:
    """Another type."""
    features = customer_features(labels, as_of)
    return features.withColumn("customer_orders_28d", F.col("customer_orders_28d").cast("string"))


def without_refund(labels: DataFrame, as_of: datetime) -> DataFrame:
    """One feature less."""
    return customer_features(labels, as_of).drop("customer_refund_28d")


def said_otherwise(labels: DataFrame, as_of: datetime) -> DataFrame:
    """The same rows by other code."""
    return customer_features(labels.filter(F.lit(True)), as_of)


@pytest.fixture
def deployment(spark: SparkSession, workspace: Workspace, config: Config, request: Any) -> Deployment:
    """A deployment of the test's own, with its tables as of the third day."""
    made = deploy(spark, workspace, request.node.originalname.removeprefix("test_"))
    bring(made, FIRST, config)
    return made


def moments_of(frame: pd.DataFrame) -> pd.Series:
    return frame["known_at"].dt.tz_localize("UTC") if frame["known_at"].dt.tz is None else frame["known_at"]


@ON_BOTH
def test_a_new_feature_is_there_for_the_whole_history(deployment: Deployment, config: Config, spark: Any) -> None:
    before = deployment.table(FEATURES)
    with registry(changed(FEATURES, compute=with_rate)):
        bring(deployment, SECOND, config)
        after = deployment.table(FEATURES)
        lookup = {one.table_name: one for one in feature_lookups(spark, deployment.tables, SECOND, config)}
        assert "orders_a_euro" in lookup[deployment.full_name(FEATURES)].feature_names
        unchanged = deployment.versions()
        bring(deployment, SECOND, config)
        assert deployment.versions() == unchanged, "a second run does nothing"
    refund = after["customer_refund_28d"]
    rate = after["customer_orders_7d"] / refund.where(refund > 0)
    assert_frame_equal(after[["orders_a_euro"]], rate.to_frame("orders_a_euro"))
    assert 50 < rate.notna().sum() < len(rate)
    old = after[moments_of(after) <= FIRST].drop(columns="orders_a_euro")
    known = before[moments_of(before) <= FIRST]
    assert_frame_equal(old.reset_index(drop=True), known.reset_index(drop=True), check_exact=True)
    assert f"{FEATURES}__rebuilt" not in deployment.versions()


def test_what_a_filled_feature_says_of_a_moment_does_not_depend_on_when_it_was_filled(
    deployment: Deployment, spark: SparkSession, workspace: Workspace, config: Config
) -> None:
    """A deployment that had the feature from its first day has the same rows, to the last digit."""
    other = deploy(spark, workspace, "had_it_from_the_first_day")
    with registry(changed(FEATURES, compute=with_rate)):
        bring(deployment, THIRD, config, piece=timedelta(hours=30))
        bring(other, SECOND, config)
        early = other.table(FEATURES)
        bring(other, THIRD, config)
    filled = deployment.table(FEATURES)
    assert_frame_equal(filled, other.table(FEATURES), check_exact=True)
    known = filled[moments_of(filled) <= SECOND].reset_index(drop=True)
    assert len(known) > 300
    had = early[moments_of(early) <= SECOND].reset_index(drop=True)
    assert_frame_equal(known, had, check_exact=True)


@ON_BOTH
def test_a_new_table_is_made_and_filled(deployment: Deployment, config: Config, spark: SparkSession) -> None:
    def dearest(orders: DataFrame, as_of: datetime) -> DataFrame:
        at = F.col("ordered_at").alias("known_at")
        return orders.filter(F.col("ordered_at") <= F.lit(as_of)).groupBy("shop", at).agg(F.max("price").alias("price"))

    shop_features = FeatureTable(
        "shop_features", ("shop",), ORDERS, dearest, reach=timedelta(0), ahead=RETURN_PERIOD, lookback=6 * HOUR
    )
    with registry([*FEATURE_TABLES, shop_features]):
        bring(deployment, SECOND, config)
        lookups = {one.table_name: one for one in feature_lookups(spark, deployment.tables, SECOND, config)}
        bring(deployment, THIRD, config)
    lookup = lookups[deployment.full_name("shop_features")]
    assert (lookup.feature_names, lookup.lookback_window) == (["price"], 6 * HOUR)
    made, orders = deployment.table("shop_features"), deployment.table("orders")
    expected = orders.groupby(["shop", "ordered_at"])["price"].max()
    assert len(made) == len(expected) > 300
    found = made.set_index(["shop", "known_at"])["price"].rename_axis(["shop", "ordered_at"])
    assert_frame_equal(found.sort_index().to_frame("price"), expected.sort_index().to_frame("price"))


@ON_BOTH
def test_a_feature_that_is_no_longer_computed_stays_for_the_versions_that_learned_from_it(
    deployment: Deployment, config: Config, spark: SparkSession
) -> None:
    before = deployment.table(FEATURES)
    with registry(changed(FEATURES, compute=without_refund)):
        bring(deployment, SECOND, config)
        (lookup,) = (
            one for one in feature_lookups(spark, deployment.tables, SECOND, config) if FEATURES in one.table_name
        )
    assert "customer_refund_28d" not in lookup.feature_names
    after = deployment.table(FEATURES)
    is_old = moments_of(after) <= FIRST
    assert_frame_equal(after[is_old].reset_index(drop=True), before, check_like=True, check_exact=True)
    assert after.loc[~is_old, "customer_refund_28d"].isna().all()
    assert after.loc[~is_old, "customer_orders_28d"].notna().all()


def test_a_retired_feature_is_computed_and_no_new_version_learns_from_it(
    deployment: Deployment, config: Config, spark: SparkSession
) -> None:
    with registry(changed(FEATURES, retired=("customer_refund_28d",))):
        bring(deployment, SECOND, config)
        (lookup,) = (
            one for one in feature_lookups(spark, deployment.tables, SECOND, config) if FEATURES in one.table_name
        )
    assert "customer_refund_28d" not in lookup.feature_names
    assert "customer_orders_28d" in lookup.feature_names
    assert deployment.table(FEATURES)["customer_refund_28d"].notna().all()


@ON_BOTH
def test_a_changed_type_is_refused_before_anything_is_written(deployment: Deployment, config: Config) -> None:
    before = deployment.versions()
    with (
        registry(changed(FEATURES, compute=as_text)),
        pytest.raises(
            ChangedTypeError,
            match=r"customer_features: .*'customer_orders_28d' is double .*become string.*another name",
        ),
    ):
        bring(deployment, SECOND, config, rebuild=["all"], changed_formula="rebuild")
    assert deployment.versions() == before


@ON_BOTH
def test_a_changed_formula_is_refused_until_it_is_ordered(deployment: Deployment, config: Config) -> None:
    before = deployment.table(FEATURES)
    with registry(changed(FEATURES, compute=in_hundreds)):
        for as_of in (SECOND, THIRD):
            with pytest.raises(
                StepError, match=rf"[\d,]+ would get another customer_refund_28d\..*rebuild={FEATURES}"
            ) as refused:
                bring(deployment, as_of, config)
            assert isinstance(refused.value.__cause__, RedefinedError)
            assert_frame_equal(deployment.table(FEATURES), before, check_exact=True)
        with pytest.raises(ValueError, match="there is no table 'customers'"):
            bring(deployment, THIRD, config, rebuild=["customers"])
        bring(deployment, THIRD, config, rebuild=[FEATURES])
    after = deployment.table(FEATURES)
    is_old = moments_of(after) <= FIRST
    assert_frame_equal(
        after.loc[is_old, ["customer_refund_28d"]].reset_index(drop=True) * 100,
        before[["customer_refund_28d"]],
        check_exact=False,
    )
    assert after["customer_refund_28d"].max() < 4 < before["customer_refund_28d"].max(), "hundreds, in all rows"
    assert len(after) > len(before)


def test_a_formula_that_makes_fewer_rows_is_another_one(deployment: Deployment, config: Config) -> None:
    before = deployment.table(FEATURES)
    refused = pytest.raises(StepError, match=rf"of {len(before):,} rows, [\d,]+ would go\.")
    with registry(changed(FEATURES, compute=only_frequent)), refused:
        bring(deployment, FIRST, config)
    assert_frame_equal(deployment.table(FEATURES), before, check_exact=True)


def test_where_a_changed_formula_may_rebuild_it_does(deployment: Deployment, config: Config) -> None:
    with registry(changed(FEATURES, compute=in_hundreds)):
        bring(deployment, SECOND, config, changed_formula="rebuild")
    assert deployment.table(FEATURES)["customer_refund_28d"].max() < 4


def test_the_same_rows_by_other_code_are_no_other_formula(deployment: Deployment, config: Config) -> None:
    before = deployment.table(FEATURES)
    with registry(changed(FEATURES, compute=said_otherwise)):
        bring(deployment, SECOND, config)
    after = deployment.table(FEATURES)
    known = after[moments_of(after) <= FIRST].reset_index(drop=True)
    assert_frame_equal(known, before, check_exact=True)


def test_a_correction_that_lands_with_a_new_feature_is_no_other_formula(
    deployment: Deployment, config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    def closed(orders: pd.DataFrame) -> pd.Series:
        return orders["status"] == "closed"

    wrong = Fault("orders", SECOND, closed, until=THIRD, instead=lambda rows: rows.assign(refund="1"))
    monkeypatch.setattr(refresh, "land_news", FaultyFeed([wrong]))
    bring(deployment, SECOND, config)
    before = deployment.table(FEATURES)
    with registry(changed(FEATURES, compute=with_rate)):
        bring(deployment, THIRD, config)
    after = deployment.table(FEATURES)
    known = after[moments_of(after) <= SECOND].reset_index(drop=True)
    assert len(known) == len(before)
    assert (known["customer_refund_28d"] != before["customer_refund_28d"]).any()


class Killed(BaseException):
    """Ends a run where it is, as a kill does: nothing catches it."""


@ON_BOTH
def test_a_rebuild_that_was_killed_goes_on_and_readers_see_the_old_rows_until_then(
    deployment: Deployment, config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, written, saved = deployment.table(FEATURES), [], []
    write = fill.upsert

    def killed_at_third(spark: SparkSession, table: str, rows: DataFrame, *more: Any, **named: Any) -> None:
        if plain(table).endswith("__rebuilt"):
            if len(written) == 2:
                saved.append(Progress(spark, deployment.tables).of(f"{FEATURES}__rebuilt"))
                raise Killed
            written.append(rows.agg(F.min("known_at")).first()[0])
        write(spark, table, rows, *more, **named)

    a_day = timedelta(days=1)
    with registry(changed(FEATURES, compute=in_hundreds)):
        monkeypatch.setattr(fill, "upsert", killed_at_third)
        with pytest.raises(StepError) as ended:
            bring(deployment, FIRST, config, rebuild=[FEATURES], piece=a_day)
        assert isinstance(ended.value.__cause__, Killed)
        assert_frame_equal(deployment.table(FEATURES), before, check_exact=True)
        done, (brought,) = list(written), saved
        assert brought is not None, "a kill leaves no time to note what is done"
        assert done[-1] < brought.until.replace(tzinfo=None) < FIRST.replace(tzinfo=None)

        def counted(spark: SparkSession, table: str, rows: DataFrame, *more: Any, **named: Any) -> None:
            if plain(table).endswith("__rebuilt"):
                written.append(rows.agg(F.min("known_at")).first()[0])
            write(spark, table, rows, *more, **named)

        monkeypatch.setattr(fill, "upsert", counted)
        bring(deployment, FIRST, config, rebuild=[FEATURES], piece=a_day)
    assert len(set(written)) == len(written) > 4, "no piece twice"
    assert written[:2] == done
    after = deployment.table(FEATURES)
    assert_frame_equal(after[["customer_refund_28d"]] * 100, before[["customer_refund_28d"]])
    assert_frame_equal(
        after.drop(columns="customer_refund_28d"), before.drop(columns="customer_refund_28d"), check_exact=True
    )


def test_all_tables_rebuilt_are_what_they_were(deployment: Deployment, config: Config) -> None:
    before = deployment.rows()
    bring(deployment, FIRST, config, rebuild=["all"], piece=timedelta(hours=30))
    after = deployment.rows()
    for name, rows in before.items():
        assert_frame_equal(after[name], rows, check_exact=True, obj=name)


@ON_BOTH
def test_a_new_source_is_read_beside_the_others(deployment: Deployment, config: Config) -> None:
    desks = contract_of("desks", ("shop",), {"shop": column("string"), "desks": column("int", nullable=True)})

    def bronze_desks(rows: DataFrame, _: Reading) -> DataFrame:
        return rows

    def send_desks(as_of: datetime, **sent: str) -> None:
        rows = ({"shop": shop, "desks": number} for shop, number in sent.items())
        send(deployment.volume, "desks", as_of, ("shop", "desks"), *rows)

    with registry(sources=[*SOURCES, Source(desks, key=("shop",), rows=bronze_desks)]):
        with pytest.raises(StepError, match="nothing has landed for desks"):
            bring(deployment, SECOND, config)
        send_desks(SECOND, Alder="128", Birch="x", Cedar="72")
        bring(deployment, SECOND, config)
        assert deployment.table("desks").to_numpy().tolist() == [["Alder", 128], ["Cedar", 72]]
        quarantine = deployment.table("quarantine")
        assert quarantine.loc[quarantine["source"] == "desks", "reason"].tolist() == ["desks: not of its type"]
        send_desks(THIRD, Birch="121")
        bring(deployment, THIRD, config)
    assert deployment.table("desks").to_numpy().tolist() == [["Alder", 128], ["Birch", 121], ["Cedar", 72]]


def test_a_new_column_of_a_source_is_null_in_what_had_landed(deployment: Deployment, config: Config) -> None:
    """And must be in what lands from then on."""
    kind, note = column("string", nullable=True)
    types, schema = CONTRACT.types | {"note": kind}, CONTRACT.schema.add_columns({"note": note})
    contract = replace(CONTRACT, types=types, schema=schema)
    sources = [replace(one, contract=contract) if one.name == "orders" else one for one in SOURCES]
    before = deployment.rows()
    with registry(sources=sources):
        bring(deployment, FIRST, config)
        after = deployment.rows()
        assert after["orders"].pop("note").isna().all()
        for name, rows in before.items():
            assert_frame_equal(after[name], rows, check_exact=True, obj=name)
        with pytest.raises(StepError, match="orders: column 'note' is missing in what landed in"):
            bring(deployment, SECOND, config)


@ON_BOTH
def test_reference_data_that_change_count_from_then_on(deployment: Deployment, config: Config) -> None:
    def letters(shops: DataFrame, as_of: datetime) -> DataFrame:
        known = shops.filter(F.col("known_at") <= F.lit(as_of))
        return known.select("shop", "known_at", F.length("city").alias("letters"))

    shop_features = FeatureTable("shop_features", ("shop",), Input("shops", "known_at"), letters, reach=None)
    sent = {"Alder": "Shelbyville", "Birch": "Ogdenville", "Cedar": "Springfield", "Dogwood": "Springfield"}
    with registry([*FEATURE_TABLES, shop_features]):
        bring(deployment, FIRST, config)
        rows = ({"shop": shop, "city": city} for shop, city in (sent | {"Elm": "Brockway"}).items())
        send(deployment.volume, "shops", SECOND, ("shop", "city"), *rows)
        for as_of in (SECOND, THIRD):
            bring(deployment, as_of, config)
        features, shops = deployment.table("shop_features"), deployment.table("shops")
        bring(deployment, THIRD, config, rebuild=["shops", "shop_features"])
    start = config.history_start
    found = dict(zip(zip(features["shop"], moments_of(features), strict=True), features["letters"], strict=True))
    assert found == {
        **{(shop, start): 11.0 for shop in sent},
        ("Alder", SECOND): 11.0,
        ("Birch", SECOND): 10.0,
        ("Elm", SECOND): 8.0,
    }
    assert len(shops) == len(found), "a state that stays is no new one"
    assert_frame_equal(deployment.table("shop_features"), features, check_exact=True)
    assert_frame_equal(deployment.table("shops"), shops, check_exact=True)
