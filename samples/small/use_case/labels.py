"""How each order ended, whether it was returned, and since when that is known."""

from datetime import datetime

from pyspark.sql import DataFrame
from pyspark.sql import functions as F


def labels(orders: DataFrame, as_of: datetime, returned_from: float) -> DataFrame:
    """The orders whose end was known by as_of: the one place that says how an order ended.

    Args:
        orders: bronze orders.
        as_of: no later end is told.
        returned_from: the share of the price that is refunded, from which an order counts as returned.

    Returns:
        `order_id`, `customer_id`, `closes_at`, `known_at` (UTC), `outcome` ('closed' or 'cancelled'), `refund` (euros)
        and `returned` (0.0 or 1.0); the last two are NULL unless the order was closed. An order is closed when it is
        refunded, or when its return period ends.
    """
    is_closed = F.col("status") == "closed"
    is_returned = (F.col("refund") >= F.col("price") * returned_from).cast("double")
    return orders.filter(F.col("ended_at") <= F.lit(as_of)).select(
        "order_id",
        "customer_id",
        "closes_at",
        F.col("ended_at").alias("known_at"),
        F.col("status").alias("outcome"),
        F.when(is_closed, F.col("refund")).alias("refund"),
        F.when(is_closed, is_returned).alias("returned"),
    )
