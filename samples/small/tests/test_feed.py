"""The feed: what has not happened is held back, and however the time is cut, the same lands."""

from datetime import UTC, date, datetime, timedelta

import pandas as pd
import pytest

from use_case.feed import known_orders, orders_of

DAYS = [date(2024, 3, day) for day in range(1, 5)]
NOON = datetime(2024, 3, 3, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def orders() -> pd.DataFrame:
    return pd.concat(map(orders_of, DAYS))


def test_an_order_is_open_until_it_has_ended(orders):
    known = known_orders(orders, None, NOON)
    happened = orders[orders["ordered_at"] <= NOON].set_index("order_id")
    is_open = happened["ended_at"] > NOON
    assert 0 < is_open.sum() < len(is_open)
    assert known["order_id"].tolist() == happened.index.tolist()
    assert ((known["status"] == "open").to_numpy() == is_open.to_numpy()).all()
    assert known.loc[known["status"] == "open", ["ended_at", "refund"]].isna().all(axis=None)


@pytest.mark.parametrize("hours", [1, 7, 36])
def test_run_by_run_lands_what_one_run_does(orders, hours):
    moments = [NOON - timedelta(hours=hours) * back for back in range(30, -1, -1)]
    runs = [known_orders(orders, since, until) for since, until in zip([None, *moments], moments, strict=False)]
    newest = pd.concat(runs).drop_duplicates("order_id", keep="last").sort_values("order_id", ignore_index=True)
    at_once = known_orders(orders, None, NOON).sort_values("order_id", ignore_index=True)
    pd.testing.assert_frame_equal(newest, at_once)


def test_a_day_is_the_same_whenever_it_is_asked(orders):
    day = orders_of(DAYS[2])
    assert len(day) > 50
    pd.testing.assert_frame_equal(day, orders[orders["order_id"].isin(day["order_id"])])
