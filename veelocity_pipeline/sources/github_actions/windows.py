"""How the time axis is cut so that GitHub lists every run.

``GET /repos/{owner}/{repo}/actions/runs`` returns at most 1,000 runs "for each search" when it is filtered by
``created`` (GitHub's REST documentation, "List workflow runs for a repository"), and says with ``total_count`` how many
there are. Pure: arithmetic on times and counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

CAP = 1_000
"""The most runs that one filtered search lists."""

GOAL = 800
"""How many runs a window is cut to hold: room for a rate that is not even."""

SECOND = timedelta(seconds=1)
"""The finest that ``created`` can tell."""


class TooDenseError(Exception):
    """A single second holds more runs than can be listed."""


@dataclass(frozen=True)
class Window:
    """Runs created from ``start`` to ``end``, both included, in whole seconds; without an end it is open.

    ``created`` is the search term: the same for as long as the window is, so that an ETag of it stays good.
    """

    start: datetime
    end: datetime | None = None

    @property
    def created(self) -> str:
        """The value of the query parameter of that name."""
        return f">={_text(self.start)}" if self.end is None else f"{_text(self.start)}..{_text(self.end)}"

    def holds(self, moment: datetime) -> bool:
        """Whether something that was created then is listed."""
        return self.start <= moment and (self.end is None or moment < self.end + SECOND)


def narrower(window: Window, sample: Sequence[datetime]) -> Window:
    """The newest part of a window that holds too many runs, cut to hold about ``GOAL``.

    Args:
        sample: when the runs of its first page were created, which shows the rate at the window's end.

    Raises:
        TooDenseError: the window is a single second.
    """
    start, end = window.start, _end(window)
    length = _seconds(start, end)
    if length <= 1:
        raise TooDenseError(_text(start))
    since = min(sample, default=start)
    guess = _seconds(since, end) * GOAL // max(1, len(sample))
    # Never more than half, so that it ends whatever the sample says.
    kept = max(1, min(guess, length // 2))
    return Window(end - (kept - 1) * SECOND, end)


def earlier(window: Window, count: int, remaining: int, floor: datetime) -> Window | None:
    """The window before one that was read, down to ``floor``; None if there is nothing before it.

    Args:
        count: how many runs the window held.
        remaining: how many are left before it, as far as is known.
    """
    end = window.start - SECOND
    if end < floor:
        return None
    if remaining <= GOAL:
        return Window(floor, end)
    length = _seconds(window.start, _end(window))
    # Where it was all but quiet the rate says little: eight times as long at most.
    length = max(1, min(length * 8, length * GOAL // max(1, count)))
    return Window(max(floor, end - (length - 1) * SECOND), end)


def whole_second(moment: datetime) -> datetime:
    """The second in which a moment lies, in UTC."""
    return moment.astimezone(UTC).replace(microsecond=0)


def _seconds(start: datetime, end: datetime) -> int:
    """How many seconds there are from ``start`` to ``end``, both included."""
    return int((end - start).total_seconds()) + 1


def _end(window: Window) -> datetime:
    if window.end is None:
        raise ValueError("an open window has no length")
    return window.end


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
