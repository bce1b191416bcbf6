"""The moments that the tests of the sample are about."""

from datetime import UTC, datetime

# Seven runs a day apart, while it is busy in New York: flights wait, are in the air, and are overdue at each.
FIRST_WEEK = [datetime(2013, 1, day, 18, 20, tzinfo=UTC) for day in range(2, 9)]
# All flights of 2013 have landed by then, those after midnight UTC too.
END_OF_YEAR = datetime(2014, 1, 1, 6, tzinfo=UTC)
