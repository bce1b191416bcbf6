"""Made-up orders: lands, run by run, what had become known of them.

Where sources land their files by themselves, `land_news` does nothing, and the rest goes.
"""

from datetime import UTC, date, datetime, time
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.pandas.types import from_arrow_schema

from feature_engineering.landing import land
from project.config import Config
from use_case.settings import RETURN_PERIOD

_SEED, _ORDERS_A_DAY, _WEEKEND = 2024, 110, (6, 7)
_CANCELLED, _WHOLLY_REFUNDED, _PRODUCT_UNKNOWN = 0.03, 0.8, 0.05  # shares
# What each adds to the log-odds of a return.
_SHOPS = pd.Series({"Alder": -0.9, "Birch": -0.3, "Cedar": 0.3, "Dogwood": 0.9})
_PRODUCTS = pd.Series({"books": -0.8, "games": -0.2, "shirts": 0.4, "shoes": 0.9})
_CUSTOMERS = pd.Series(np.random.default_rng(_SEED).normal(0, 1.2, 400)).rename("C{:03}".format)
_MOMENT = pa.timestamp("us", tz="UTC")
_TYPES = pa.schema(
    [
        *((name, pa.string()) for name in ("order_id", "customer_id", "shop", "product")),
        *(("price", pa.float64()), ("items", pa.int64()), ("ordered_at", _MOMENT)),
        *(("status", pa.string()), ("ended_at", _MOMENT), ("refund", pa.float64())),
    ]
)


def land_news(spark: SparkSession, landing: Path, since: datetime | None, as_of: datetime, config: Config) -> None:
    """Lands what became known in (since, as_of]; without `since`, all that was known at as_of."""
    if since is None:
        shops = pd.DataFrame({"shop": _SHOPS.index, "city": "Springfield"})
        land(_sent(spark, pa.Table.from_pandas(shops, preserve_index=False)), landing, "shops", as_of)
    start = config.history_start if since is None else max(config.history_start, since - RETURN_PERIOD)
    days = pd.date_range(start.date(), max(start, as_of).date())
    orders = pd.concat(orders_of(day.date()) for day in days)
    known = known_orders(orders[orders["ordered_at"] >= config.history_start], since, as_of)
    land(_sent(spark, pa.Table.from_pandas(known, _TYPES, preserve_index=False)), landing, "orders", as_of)


def known_orders(orders: pd.DataFrame, since: datetime | None, as_of: datetime) -> pd.DataFrame:
    """The orders of which something became known in (since, as_of], with only what was known at as_of."""
    moments = orders[["ordered_at", "ended_at"]]
    is_news = moments <= as_of if since is None else (moments <= as_of) & (moments > since)
    known = orders[is_news.any(axis="columns")]
    has_ended = known["ended_at"] <= as_of
    told = {name: known[name].where(has_ended) for name in ("ended_at", "refund")}
    return known.assign(status=known["status"].where(has_ended, "open"), **told)


def orders_of(day: date) -> pd.DataFrame:
    """All orders of a day (UTC) and how they end: the same whenever it is asked."""
    random, is_weekend = np.random.default_rng([_SEED, day.toordinal()]), day.isoweekday() in _WEEKEND
    number = random.poisson(_ORDERS_A_DAY * (1 + 0.3 * is_weekend))
    customer, shop, product = (random.integers(len(of), size=number) for of in (_CUSTOMERS, _SHOPS, _PRODUCTS))
    price, items = random.lognormal(3.5, 0.7, number).round(2), 1 + random.poisson(1, number)
    effects = _CUSTOMERS.to_numpy()[customer] + _SHOPS.to_numpy()[shop] + _PRODUCTS.to_numpy()[product]
    log_odds = effects + 0.6 * np.log(price / 33) + 0.4 * is_weekend - 1.6
    refunded, cancelled, whole, unknown = random.random((4, number))
    is_cancelled, is_refunded = cancelled < _CANCELLED, refunded < 1 / (1 + np.exp(-log_odds))
    refund = np.where(is_refunded, price * np.where(whole < _WHOLLY_REFUNDED, 1, random.random(number)), 0).round(2)
    placed = datetime.combine(day, time(), UTC) + pd.to_timedelta(random.integers(24 * 3600, size=number), "s")
    lasts = np.where(is_refunded | is_cancelled, random.random(number), 1) * RETURN_PERIOD.total_seconds()
    return pd.DataFrame(
        {
            "order_id": [f"{day}-{place}" for place in range(number)],
            "customer_id": _CUSTOMERS.index[customer],
            "shop": _SHOPS.index[shop],
            "product": _PRODUCTS.index[product].where(unknown >= _PRODUCT_UNKNOWN),
            "price": price,
            "items": items,
            "ordered_at": placed,
            "status": np.where(is_cancelled, "cancelled", "closed"),
            "ended_at": placed + pd.to_timedelta(np.ceil(lasts), "s"),
            "refund": np.where(is_cancelled, np.nan, refund),
        }
    )


def _sent(spark: SparkSession, table: pa.Table) -> DataFrame:
    """A table with its types: Spark Connect has none to take from a table without rows."""
    return spark.createDataFrame(table, from_arrow_schema(table.schema))
