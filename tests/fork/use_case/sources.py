"""The sources, a row each: to add one is its contract, a row here and its function."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from feature_engineering.definitions import Reading, Source
from use_case.contracts import SALES

_DAY_SECONDS = 24 * 3600
_THURSDAY = 3  # 1 January 1970, where Monday is 0


def bronze_sales(sales: DataFrame, _: Reading) -> DataFrame:
    """One row a product, channel and trading day: when it is, and the pieces that were sold once it is over.

    Returns:
        The contract's columns, `weekday` (0 is Monday, UTC) and `day_of_year` (1 is 1 January, UTC).
    """
    days = F.floor(F.unix_timestamp("day") / _DAY_SECONDS).cast("int")
    return sales.withColumns(
        {
            "weekday": ((days + _THURSDAY) % 7).cast("double"),
            "day_of_year": F.dayofyear(F.date_from_unix_date(days)).cast("double"),
        }
    )


SOURCES = (Source(SALES, key=("channel", "product", "day"), rows=bronze_sales, is_due_each_run=True),)
