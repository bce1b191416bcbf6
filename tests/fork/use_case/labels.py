"""How much was sold, and since when that is known."""

from datetime import datetime

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from use_case.settings import DAY


def labels(sales: DataFrame, as_of: datetime) -> DataFrame:
    """The product days that were over by as_of.

    Args:
        sales: bronze sales.
        as_of: no later end is told.

    Returns:
        `channel`, `product`, `day`, `known_at` (UTC, the end of the day), `outcome` ('sold', also where it was
        nothing), `pieces`, and `log_pieces`, ln(1 + pieces).
    """
    known_at = F.col("day") + F.lit(DAY)
    is_over = F.col("pieces").isNotNull() & (known_at <= F.lit(as_of))
    return sales.filter(is_over).select(
        "channel",
        "product",
        "day",
        known_at.alias("known_at"),
        F.lit("sold").alias("outcome"),
        F.col("pieces").cast("double").alias("pieces"),
        F.log1p(F.col("pieces").cast("double")).alias("log_pieces"),
    )
