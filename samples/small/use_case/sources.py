"""The sources, a row each: to add one is its contract, a row here and its function."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from feature_engineering.definitions import Reading, Source
from use_case.contracts import ORDERS, SHOPS
from use_case.settings import RETURN_PERIOD


def refuse_wrong_orders(judged: DataFrame, reading: Reading) -> DataFrame:
    """Adds a reason to orders of a shop that is unknown, and to those that ended when none can."""
    shops = reading.spark.table(reading.tables.named("shops")).select("shop").distinct()
    marked = judged.join(F.broadcast(shops.withColumn("_is_known", F.lit(True))), "shop", "left")
    ordered_at, ended_at = (F.col(name).try_cast("timestamp") for name in ("ordered_at", "ended_at"))
    in_time = ended_at.isNull() | ended_at.between(ordered_at, ordered_at + F.lit(RETURN_PERIOD))
    fault = F.when(F.col("_is_known").isNull(), "shop: it is unknown").when(
        ~in_time, "ended_at: not in its return period"
    )
    is_newest = F.col("is_newest") & fault.isNull()
    return marked.withColumns({"reason": F.coalesce("reason", fault), "is_newest": is_newest}).select(*judged.columns)


def bronze_shops(shops: DataFrame, _: Reading) -> DataFrame:
    """One row a state of a shop."""
    return shops


def bronze_orders(orders: DataFrame, _: Reading) -> DataFrame:
    """One row an order: what was ordered, until when it may be returned, and what came of it so far.

    Returns:
        The contract's columns, `closes_at` (UTC) and `weekday` (0 is Monday, UTC); `items` is a double.
    """
    # 1 January 1970 was a Thursday.
    weekday = (F.floor(F.unix_timestamp("ordered_at") / (24 * 3600)) + 3) % 7
    return orders.withColumns(
        {
            "closes_at": F.col("ordered_at") + F.lit(RETURN_PERIOD),
            "weekday": weekday.cast("int"),
            "items": F.col("items").cast("double"),
        }
    )


SOURCES = (
    Source(SHOPS, key=("shop",), rows=bronze_shops, keeps_states=True),
    Source(
        ORDERS,
        key=("order_id",),
        rows=bronze_orders,
        judge_more=refuse_wrong_orders,
        after=("shops",),
        is_due_each_run=True,
    ),
)
