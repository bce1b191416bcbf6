"""Labels and features of the feed's orders against a slow and plain count in pandas; wrong orders go to quarantine."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest

from feature_engineering.fill import Orders
from feature_engineering.landing import landing_folder
from feature_engineering.refresh import refresh
from project.config import load_config
from use_case.feed import orders_of

pytestmark = pytest.mark.homes("local", reason="Spark and the test share a folder")

FIRST, SECOND = datetime(2024, 2, 9, 18, 20, tzinfo=UTC), datetime(2024, 2, 11, 7, tzinfo=UTC)
DAY = pd.Timedelta("1D")
GOOD = {
    "order_id": "X",
    "customer_id": "C1",
    "shop": "Alder",
    "product": "",
    "price": 20,
    "items": 1,
    "ordered_at": "2024-01-01T10:00:00Z",
    "status": "closed",
    "ended_at": "2024-01-02T10:00:00Z",
    "refund": 0,
}
WRONG = {
    "ended_at or refund: missing of an order that has ended": {"refund": ""},
    "shop: it is unknown": {"shop": "Nowhere"},
    "ended_at: not in its return period": {"ended_at": "2024-01-02T10:00:01Z"},
    "items: not in 1 to 100": {"items": 0},
}
TABLES = ("quarantine", "orders", "labels", "customer_features")


@pytest.fixture(scope="module")
def as_of(home, spark, tmp_path_factory):
    """Brings all tables to a moment, and gives them."""
    volume, config = tmp_path_factory.mktemp("volume"), load_config()
    wrong = landing_folder(volume) / "orders" / "as_of=20240103T000000Z"
    wrong.mkdir(parents=True)
    rows = [GOOD, *({**GOOD, "order_id": f"X{place}", **change} for place, change in enumerate(WRONG.values()))]
    pd.DataFrame(rows).to_csv(wrong / "rows.csv", index=False)

    with home.schema(spark, "small") as tables:

        def bring(moment: datetime) -> dict[str, pd.DataFrame]:
            refresh(spark, tables, volume, moment, Orders((), "refuse", timedelta(days=30)), config)
            return {name: spark.table(tables.named(name)).toPandas() for name in TABLES}

        yield bring


@pytest.fixture(scope="module")
def first(as_of: Callable[[datetime], dict[str, pd.DataFrame]]) -> dict[str, pd.DataFrame]:
    return as_of(FIRST)


def ended_by(moment: datetime) -> pd.DataFrame:
    """The orders that had ended by a moment, and whether they count as returned."""
    days = pd.date_range("2024-01-01", moment.date())
    orders = pd.concat(orders_of(day.date()) for day in days).reset_index(drop=True)
    orders["returned"] = (orders["refund"] / orders["price"] >= 0.5).astype(float).where(orders["refund"].notna())
    return orders[orders["ended_at"] <= moment].assign(ended_at=orders["ended_at"].dt.tz_localize(None))


def test_wrong_orders_are_refused_with_the_reason(first):
    assert set(first["quarantine"]["reason"]) == set(WRONG)
    assert first["orders"]["order_id"].str.startswith("X").sum() == 1


def test_labels_are_those_of_the_orders_that_had_ended(first):
    ended = ended_by(FIRST)
    found = first["labels"].query("order_id != 'X'").set_index("order_id").sort_index()
    wanted = ended.rename(columns={"ended_at": "known_at", "status": "outcome"}).set_index("order_id").sort_index()
    assert {"closed", "cancelled"} == set(wanted["outcome"])
    columns = ["customer_id", "known_at", "outcome", "refund", "returned"]
    pd.testing.assert_frame_equal(found[columns], wanted[columns], check_dtype=False)


def test_features_are_those_of_the_labels_known_at_each_midnight(first):
    # Early ones, those at the end of a piece of 30 days, and the last ones.
    midnights = pd.to_datetime(["2024-01-04", "2024-01-31", "2024-02-01", "2024-02-09"])
    features = first["customer_features"].query("known_at in @midnights and customer_id != 'C1'")
    assert set(features["known_at"]) == set(midnights)
    labelled = ended_by(FIRST).query("returned.notna()")
    for row in features.to_dict("records"):
        own = labelled[(labelled["customer_id"] == row["customer_id"]) & (labelled["ended_at"] <= row["known_at"])]
        for days in (7, 28):
            recent = own[own["ended_at"] > row["known_at"] - days * DAY]
            assert row[f"customer_orders_{days}d"] == len(recent)
            share = recent["returned"].mean()
            assert row[f"customer_return_share_{days}d"] == pytest.approx(share, nan_ok=True)
        assert row["customer_refund_28d"] == pytest.approx(recent["refund"].mean())


def test_a_later_run_adds_what_has_become_known_and_changes_nothing_else(first, as_of):
    later = as_of(SECOND)
    assert set(later["labels"]["order_id"]) == {*ended_by(SECOND)["order_id"], "X"}
    for name, key in (("labels", ["order_id"]), ("customer_features", ["customer_id", "known_at"])):
        known = later[name][later[name]["known_at"] <= pd.Timestamp(FIRST).tz_localize(None)]
        assert len(known) < len(later[name])
        old, new = (rows.drop(columns="ingested_as_of", errors="ignore") for rows in (first[name], known))
        pd.testing.assert_frame_equal(*(rows.sort_values(key, ignore_index=True) for rows in (old, new)))
