"""What a landed row of each source must be."""

import pandera.pandas as pa

from feature_engineering.contracts import MOMENT, TEXT, WHOLE, between, column, contract_of, one_of

CHANNELS = ("customer_id", "no_customer_id")
"""Whether the shop knows who buys: customers with an account, and all others."""
_MIDNIGHT = r"^\d{4}-\d\d-\d\d(?:[T ]00:00(?::00(?:\.0+)?)?)?Z?$"

SALES = contract_of(
    "sales",
    ("channel", "product", "day"),
    {
        "channel": column(TEXT, one_of(CHANNELS)),
        "product": column(TEXT, pa.Check.str_matches(r"^\d{5}[A-Z]*$", error="not a stock code")),
        "day": column(MOMENT, pa.Check.str_matches(_MIDNIGHT, error="not a midnight (UTC)")),
        "pieces": column(WHOLE, between(0, 200_000), nullable=True),  # NULL until the day is over
    },
)
