"""What a landed row of each source must be."""

import pandas as pd
import pandera.pandas as pa

from feature_engineering.contracts import MOMENT, NUMBER, TEXT, WHOLE, between, column, contract_of, one_of

_HIGHEST_PRICE = 100_000  # euros


def _has_its_end() -> pa.Check:
    """An order that has ended says when, and a closed one what was refunded: labels come from it."""

    def is_whole(rows: pd.DataFrame) -> pd.Series:
        has_ended, is_closed = rows["status"].isin(["closed", "cancelled"]), rows["status"] == "closed"
        is_told: pd.Series = (~has_ended | rows["ended_at"].notna()) & (~is_closed | rows["refund"].notna())
        return is_told

    return pa.Check(is_whole, error="ended_at or refund: missing of an order that has ended")


SHOPS = contract_of("shops", ("shop",), {"shop": column(TEXT), "city": column(TEXT, nullable=True)})

ORDERS = contract_of(
    "orders",
    ("order_id",),
    {
        "order_id": column(TEXT),
        "customer_id": column(TEXT),
        "shop": column(TEXT),
        "product": column(TEXT, nullable=True),
        "price": column(NUMBER, between(0.01, _HIGHEST_PRICE)),
        "items": column(WHOLE, between(1, 100)),
        "ordered_at": column(MOMENT),
        "status": column(TEXT, one_of(("open", "closed", "cancelled"))),
        "ended_at": column(MOMENT, nullable=True),
        "refund": column(NUMBER, between(0, _HIGHEST_PRICE), nullable=True),
    },
    _has_its_end(),
)
