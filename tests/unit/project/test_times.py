from datetime import UTC, datetime

import pytest

from project.times import from_micros, parse_moment, parse_optional_moment, validation_window


def day(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2024-08-01", "2024-08-01"),
        ("2024-08-01T00:00:00Z", "2024-08-01"),
        ("2024-07-31T20:00:00-04:00", "2024-08-01"),
        ("2024-08-01T00:00:00", "2024-08-01"),
    ],
)
def test_a_moment_is_read_in_utc(text: str, moment: str) -> None:
    assert parse_moment(text) == day(moment)
    assert parse_optional_moment(text) == day(moment)
    assert from_micros(int(day(moment).timestamp() * 1_000_000)) == day(moment)


def test_no_moment_is_the_empty_text() -> None:
    assert parse_optional_moment("") is None


@pytest.mark.parametrize(
    ("as_of", "days", "start", "end"),
    [
        ("2024-08-01", 31, "2024-07-01", "2024-08-01"),
        ("2024-07-31T23:59:59", 1, "2024-07-30", "2024-07-31"),
        ("2025-01-15", 15, "2024-12-31", "2025-01-15"),
    ],
)
def test_the_validation_window_is_the_last_whole_days(as_of: str, days: int, start: str, end: str) -> None:
    assert validation_window(day(as_of), days) == (day(start), day(end))
