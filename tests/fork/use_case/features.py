"""What has been sold lately, as it is known when a trading day is over."""

from datetime import datetime

from pyspark.sql import DataFrame, Window, WindowSpec
from pyspark.sql import functions as F

from use_case.settings import DAY

# The shop trades on six days a week: 6, 24 and 72 trading days, but for holidays.
_WEEKS = (1, 4, 12)
LONGEST = DAY * 7 * _WEEKS[-1]
"""How long a day's sales count."""
_PAIR = ("channel", "product")
# As whole numbers they add up to the same in any order.
_MILLIONTHS = 1e6


def pair_features(labels: DataFrame, as_of: datetime) -> DataFrame:
    """Sales of each product in each channel, on its last days and over 1, 4 and 12 weeks.

    Args:
        labels: `channel`, `product`, `day`, `known_at` and `log_pieces`.
        as_of: no label later than it is counted, and no later row is made.

    Returns:
        For each label: `channel`, `product`, `known_at` and, as ln(1 + pieces), `last_day` and the means over the
        weeks that end with the day, `mean_1w`, `mean_4w` and `mean_12w`.
    """
    whole = F.round(F.col("log_pieces") * _MILLIONTHS).cast("long")
    return _known(labels, as_of).select(
        *_PAIR,
        "known_at",
        F.col("log_pieces").alias("last_day"),
        *((F.avg(whole).over(_weeks(_PAIR, weeks)) / _MILLIONTHS).alias(f"mean_{weeks}w") for weeks in _WEEKS),
    )


def product_features(labels: DataFrame, as_of: datetime) -> DataFrame:
    """Sales of each product in all channels.

    Args:
        labels: `product`, `day`, `known_at` and `pieces`.
        as_of: no label later than it is counted, and no later row is made.

    Returns:
        For each trading day: `product`, `known_at`, `pieces_1w` (a trading day's mean over the week that ends with it)
        and `weeks_trend` (ln of how many times as many they are as over four weeks; NULL where nothing was sold).
    """
    daily = _known(labels, as_of).groupBy("product", "day", "known_at").agg(F.sum("pieces").alias("pieces"))
    of_week, of_weeks = (F.avg("pieces").over(_weeks(("product",), weeks)) for weeks in _WEEKS[:2])
    trend = F.when(of_week > 0, F.log(of_week / of_weeks))
    return daily.select("product", "known_at", of_week.alias("pieces_1w"), trend.alias("weeks_trend"))


def _known(labels: DataFrame, as_of: datetime) -> DataFrame:
    return labels.filter(F.col("known_at") <= F.lit(as_of))


def _weeks(keys: tuple[str, ...], weeks: int) -> WindowSpec:
    """The days of so many weeks, this one the last."""
    in_order = Window.partitionBy(*keys).orderBy(F.unix_timestamp("day"))
    return in_order.rangeBetween(1 - int((DAY * 7 * weeks).total_seconds()), 0)
