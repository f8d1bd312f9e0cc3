"""Points in time as APIs write them."""

from __future__ import annotations

from datetime import UTC, datetime


def time(text: str | None) -> datetime | None:
    """A point in time of an API (ISO 8601) in UTC; None for one that no calendar has.

    Git takes any number for a commit's time, so that a year may be 0 or beyond 9999.
    """
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError, TypeError):
        return None
