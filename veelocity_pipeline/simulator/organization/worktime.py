"""Working time: Monday to Friday, 08:00 to 18:00 UTC."""

from __future__ import annotations

from collections.abc import Generator
from datetime import UTC, datetime, timedelta

_MONDAY = datetime(2024, 1, 1, tzinfo=UTC)
_OPENS, _DAY_SECONDS = 8 * 3600, 10 * 3600

Process = Generator[datetime, None, None]
"""It acts, then yields the moment at which it wants to go on."""


def _to_work(moment: datetime) -> int:
    """Working seconds since a Monday long ago; a moment outside working time counts as the next opening."""
    elapsed = moment - _MONDAY
    week, weekday = divmod(elapsed.days, 7)
    if weekday >= 5:
        return (week + 1) * 5 * _DAY_SECONDS
    return (week * 5 + weekday) * _DAY_SECONDS + min(max(elapsed.seconds - _OPENS, 0), _DAY_SECONDS)


def after_work_hours(moment: datetime, hours: float) -> datetime:
    """The moment after so many working hours; never before ``moment``."""
    day, second = divmod(_to_work(moment) + int(hours * 3600), _DAY_SECONDS)
    week, weekday = divmod(day, 5)
    return max(moment, _MONDAY + timedelta(days=week * 7 + weekday, seconds=_OPENS + second))


def is_workday(moment: datetime) -> bool:
    """Monday to Friday."""
    return moment.weekday() < 5
