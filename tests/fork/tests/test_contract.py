"""What a landed row must be."""

import pandas as pd
import pytest

from feature_engineering.contract_check import refusals
from use_case.contracts import SALES

SALE = {"channel": "customer_id", "product": "85048A", "day": "2010-03-05T00:00:00.000Z", "pieces": "3"}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({}, None),
        ({"pieces": None}, None),  # the day is not over
        ({"day": "2010-03-05 00:00:00.000000Z"}, None),
        ({"day": "2010-03-05"}, None),
        ({"channel": "shop"}, "channel: not one of customer_id, no_customer_id"),
        ({"product": "POST"}, "product: not a stock code"),
        ({"day": "2010-03-05T09:30:00Z"}, "day: not a midnight (UTC)"),
        ({"pieces": "-1"}, "pieces: not in 0 to 200000"),
        ({"pieces": "1.5"}, "pieces: not of its type"),
    ],
)
def test_a_row_is_refused_with_its_reason(change: dict, reason: str | None) -> None:
    assert list(refusals(pd.DataFrame([SALE | change], dtype=object), SALES)) == [reason]
