"""What a customer has ordered and returned: at each midnight (UTC), from the labels known then."""

from datetime import datetime, timedelta

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

_DAY = timedelta(days=1)
_SHORT_DAYS, LONG_DAYS = 7, 28


def customer_features(labels: DataFrame, as_of: datetime) -> DataFrame:
    """Orders and returns over the last 7 and 28 days by when each label became known.

    Args:
        labels: `customer_id`, `known_at`, `refund` (euros) and `returned` (0 or 1, NULL where there is none).
        as_of: no label later than it is counted, and no later row is made.

    Returns:
        For each midnight with a label in the 28 days before it: `customer_id`, `known_at`, `customer_orders_*d` and
        `customer_return_share_*d` for 7 and 28 days, and `customer_refund_28d` (mean, euros).
    """
    micros = _DAY // timedelta(microseconds=1)
    first = F.timestamp_micros((F.ceil(F.unix_micros("known_at") / micros) * micros).cast("long"))
    known = labels.filter(F.col("returned").isNotNull()).withColumn("first", first)
    last = F.least(F.col("first") + F.lit(_DAY * (LONG_DAYS - 1)), F.lit(as_of))
    midnights = F.explode(F.sequence("first", last, F.lit(_DAY)))
    counted = known.filter(F.col("first") <= F.lit(as_of)).withColumn("known_at", midnights)
    # Whole cents add up to the same in any order.
    cents = F.sum(F.round(F.col("refund") * 100).cast("long"))
    return counted.groupBy("customer_id", "known_at").agg(
        *(column for days in (_SHORT_DAYS, LONG_DAYS) for column in _over_days(days)),
        (cents / (F.count(F.lit(1)) * 100)).alias(f"customer_refund_{LONG_DAYS}d"),
    )


def _over_days(days: int) -> tuple[Column, Column]:
    is_recent = F.col("known_at") < F.col("first") + F.lit(_DAY * days)
    return (
        F.count_if(is_recent).cast("double").alias(f"customer_orders_{days}d"),
        F.avg(F.when(is_recent, F.col("returned"))).alias(f"customer_return_share_{days}d"),
    )
