"""The sample's feed lands sales alone, and holds back what was not yet known."""

import lzma
from datetime import timedelta
from pathlib import Path

import pandas as pd
import pytest

from tests.unit.tables import moment
from use_case.feed import known_sales, product_days, read_sales, sample_file

HEADER = "Invoice,StockCode,Description,Quantity,InvoiceDate,Price,Customer ID,Country"
MUG = "489434,85048a,MUG,12,12/01/2009 07:45,6.95,13085.0,United Kingdom"
LINES = [
    MUG,
    MUG,  # counts once
    "489435,85048A,MUG,2,12/01/2009 17:45,6.95,,France",
    "489436,85048A,MUG,3,12/03/2009 09:00,6.95,13085.0,United Kingdom",
    "489437,22041,FRAME,5,12/03/2009 09:00,2.1,13085.0,United Kingdom",
    "C489438,85048A,MUG,-12,12/03/2009 09:06,6.95,13085.0,United Kingdom",  # a cancellation
    "489439,85048A,MUG,-4,12/03/2009 09:06,0,,United Kingdom",  # a correction
    "489440,85048A,MUG,7,12/03/2009 09:06,0,,United Kingdom",  # a gift
    "489441,POST,POSTAGE,1,12/03/2009 09:06,18,13085.0,France",
    "A489442,11062,Adjust bad debt,1,12/03/2009 09:06,4,,United Kingdom",
]
FIRST, THIRD, DAY = moment("2009-12-01 00:00"), moment("2009-12-03 00:00"), timedelta(days=1)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    packed = tmp_path / "online_retail.csv.xz"
    packed.write_bytes(lzma.compress("\n".join([HEADER, *LINES]).encode()))
    return packed


def rows(frame: pd.DataFrame) -> list[tuple]:
    return [tuple(None if value is pd.NA else value for value in row) for row in frame.itertuples(index=False)]


def test_sales_alone_are_read(file: Path) -> None:
    assert rows(read_sales(file)) == [
        ("customer_id", "85048A", FIRST, 12),
        ("no_customer_id", "85048A", FIRST, 2),
        ("customer_id", "85048A", THIRD, 3),
        ("customer_id", "22041", THIRD, 5),
    ]


def test_a_product_has_a_row_in_each_channel_on_each_trading_day(file: Path) -> None:
    assert rows(product_days(file, 1, moment("2010-01-01 00:00"))) == [
        ("customer_id", "85048A", FIRST, 12),
        ("customer_id", "85048A", THIRD, 3),
        ("no_customer_id", "85048A", FIRST, 2),
        ("no_customer_id", "85048A", THIRD, 0),
    ]


def test_which_products_are_watched_is_known_from_what_was_sold_before(file: Path) -> None:
    # By then both had sold on one day, the mug on two in all.
    chosen = [product_days(file, 2, before)["product"].nunique() for before in (FIRST + DAY, THIRD + DAY)]
    assert chosen == [1, 2]


@pytest.mark.parametrize(
    ("since", "as_of", "landed"),
    [
        (None, FIRST - DAY - timedelta(seconds=1), []),
        (None, FIRST - DAY, [(FIRST, None)]),
        (None, FIRST + DAY - timedelta(seconds=1), [(FIRST, None)]),
        (None, FIRST + DAY, [(FIRST, 12), (THIRD, None)]),
        (FIRST - DAY, FIRST + DAY - timedelta(seconds=1), []),
        (FIRST + DAY, FIRST + DAY * 2, []),
        (THIRD, THIRD + DAY, [(THIRD, 3)]),
        (FIRST, THIRD + DAY, [(FIRST, 12), (THIRD, 3)]),
    ],
)
def test_what_lands_was_known(file: Path, since, as_of, landed) -> None:
    sales = product_days(file, 1, moment("2010-01-01 00:00")).query("channel == 'customer_id'")
    assert rows(known_sales(sales, since, as_of, DAY)[["day", "pieces"]]) == landed


def test_the_sample_is_of_all_trading_days() -> None:
    panel = product_days(sample_file(), 100, moment("2010-12-01 00:00"))
    assert len(panel) == 604 * 2 * 100
    saturdays = panel.loc[panel["day"].dt.dayofweek == 5, "day"].drop_duplicates()
    assert list(saturdays) == [moment("2009-12-05 00:00")]
    assert panel["pieces"].between(0, 10_000).all()
