"""Moments: every job knows what was known at `as_of`, and nothing later."""

from datetime import UTC, datetime, timedelta


def parse_moment(text: str) -> datetime:
    """Reads an ISO 8601 date or time as a moment in UTC; a time without a zone is UTC.

    Raises:
        ValueError: the text is not an ISO 8601 date or time.
    """
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def parse_optional_moment(text: str) -> datetime | None:
    """The same, where the empty text says that there is none."""
    return parse_moment(text) if text else None


def from_micros(micros: int) -> datetime:
    """A moment from microseconds since 1970: a collected timestamp has no zone, and is in the zone of this process."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=micros)


def validation_window(as_of: datetime, days: int) -> tuple[datetime, datetime]:
    """The last `days` whole days (UTC) that had ended by `as_of`: [start, end)."""
    end = as_of.replace(hour=0, minute=0, second=0, microsecond=0)
    return end - timedelta(days=days), end
