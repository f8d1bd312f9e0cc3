"""How long a schedule may be quiet: pure functions of its cron line, which is in UTC."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

from croniter import CroniterError, croniter  # type: ignore[import-untyped]

from veelocity_pipeline.config.connections import is_whole

_LOOKED_AT = 1_500
"""Ticks after which even ``* 8-18 * * 1`` has been through its longest gap."""


def comes(cron: str) -> bool:
    """Whether this is a cron line of five fields whose moment ever comes."""
    try:
        croniter(cron).get_next()
    except CroniterError:
        return False
    return len(cron.split()) == 5


def earliest(cron: str, ticks: int, now: datetime) -> datetime:
    """The moment of the last tick but ``ticks``: what was done before it has missed that many, and the present one."""
    line = croniter(cron, now.astimezone(UTC))
    moments: list[datetime] = [line.get_prev(datetime) for _ in range(ticks + 1)]
    return moments[-1]


def late(rows: Iterable[Mapping[str, Any]], sources: Iterable[str], since: datetime) -> list[str]:
    """Repositories and teams of these sources that were not read since then.

    Args:
        rows: of ``status.json``.
    """
    wanted = set(sources)
    return sorted(
        {
            row["repository"]
            for row in rows
            if row["source"] in wanted
            and row["succeeded_at"]
            and not is_whole(row["repository"])
            and datetime.fromisoformat(row["succeeded_at"]) < since
        }
    )


def longest_gap(cron: str) -> timedelta:
    """The longest time between two ticks, within about a year or 1,500 ticks."""
    line = croniter(cron, datetime(2026, 1, 1, tzinfo=UTC))
    moments: list[datetime] = [line.get_next(datetime) for _ in range(_LOOKED_AT)]
    until = moments[0] + timedelta(days=366)
    return max(later - sooner for sooner, later in pairwise(moments) if sooner <= until)
