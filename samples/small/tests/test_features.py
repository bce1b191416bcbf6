"""What a customer has ordered and returned: the edges of 7 and 28 days, and of what is known."""

from datetime import timedelta

import pytest

from tests.unit.tables import collected, moment
from use_case.features import customer_features

DAY, SECOND = timedelta(days=1), timedelta(seconds=1)
START, AS_OF = moment("2024-03-01"), moment("2024-04-03 05:00")
LABELS = [
    ("C1", START, 10.0, 1.0),  # known at midnight: counts at that midnight
    ("C1", START + SECOND, 0.0, 0.0),  # counts at the next
    ("C1", START + SECOND, None, None),  # cancelled
    ("C1", START + 9 * DAY, 20.5, 1.0),
    ("C2", START, 5.0, 0.0),
    ("C1", AS_OF + SECOND, 99.0, 1.0),  # not known yet
]


@pytest.fixture(scope="module")
def found(spark):
    labels = spark.createDataFrame(LABELS, "customer_id string, known_at timestamp, refund double, returned double")
    rows = collected(customer_features(labels, AS_OF))
    return {(row.pop("customer_id"), row.pop("known_at")): tuple(row.values()) for row in rows}


@pytest.mark.parametrize(
    ("days", "orders_7d", "share_7d", "orders_28d", "share_28d", "refund_28d"),
    [
        (0, 1, 1.0, 1, 1.0, 10.0),
        (1, 2, 0.5, 2, 0.5, 5.0),
        (7, 1, 0.0, 2, 0.5, 5.0),  # the first one is seven days old
        (8, 0, None, 2, 0.5, 5.0),
        (9, 1, 1.0, 3, 2 / 3, 30.5 / 3),
        (28, 0, None, 2, 0.5, 10.25),  # the first one is 28 days old
        (29, 0, None, 1, 1.0, 20.5),
    ],
)
def test_what_was_known_at_a_midnight(found, days, orders_7d, share_7d, orders_28d, share_28d, refund_28d):
    assert found["C1", START + days * DAY] == pytest.approx((orders_7d, share_7d, orders_28d, share_28d, refund_28d))


def test_rows_end_with_what_they_count_or_with_as_of(found):
    assert max(at for customer, at in found if customer == "C2") == START + 27 * DAY
    assert max(at for customer, at in found if customer == "C1") == moment("2024-04-03")
