"""Numbers as people read them. `page/format.js` of the report has the same rules; a test holds the two together."""

from __future__ import annotations

import math
from collections.abc import Iterable
from difflib import get_close_matches
from urllib.parse import urlsplit

NO_DATA = "no data"


def duration(hours: float | None) -> str:
    """Elapsed time in hours as `40 s`, `45 min`, `3 h 20 min`, `2.1 d` or `14 d`; `no data` when unknown."""
    if hours is None:
        return NO_DATA
    # Whole seconds first, as the rest follows from them: 2 h 51 min 30 s must not fall to either side with the fifth
    # decimal, to which the page's hours are rounded. Nor must half a second, the median of two, and hence 0.55.
    seconds = math.floor(hours * 3600 + 0.55)
    if seconds < 60:
        return f"{seconds} s"
    minutes = (seconds + 30) // 60
    if minutes < 60:
        return f"{minutes} min"
    if minutes < 24 * 60:
        whole, rest = divmod(minutes, 60)
        return f"{whole} h {rest} min" if rest else f"{whole} h"
    return f"{decimal(seconds / 86400)} d"


def percent(rate: float | None) -> str:
    """A share from 0 to 1 as `12 %` or `2.5 %`; `no data` when unknown."""
    return NO_DATA if rate is None else f"{decimal(rate * 100)} %"


def decimal(value: float) -> str:
    """One decimal below ten where it says something, whole numbers from ten on: `0.4`, `3`, `9.9`, `12`."""
    tenths = _half_up(value * 10)
    if tenths >= 100:
        return f"{_half_up(value):,}"
    return f"{tenths // 10}" if tenths % 10 == 0 else f"{tenths // 10}.{tenths % 10}"


def per_week(count: int | None, days: float) -> str:
    """A count over a window of `days` days as a rate people can picture: `12 / week`, `1.5 / month`."""
    if count is None:
        return NO_DATA
    if days <= 0:
        return NO_DATA
    weekly = count / days * 7
    if count and weekly < 1:
        return f"{decimal(count / days * 30)} / month"
    return f"{decimal(weekly)} / week"


def plural(count: int, noun: str) -> str:
    """`1 recovery`, `12 recoveries`: the count before the noun, which is given in the plural."""
    if count == 1:
        noun = f"{noun[:-3]}y" if noun.endswith("ies") else noun.removesuffix("s")
    return f"{count:,} {noun}"


def http_url(url: str | None) -> str | None:
    """The address if it is a plain http(s) one, else None: nothing else becomes a link (`javascript:`, `data:` ...)."""
    if not url:
        return None
    try:
        parts = urlsplit(url.strip())
    except ValueError:
        return None
    return url.strip() if parts.scheme.lower() in {"http", "https"} and parts.netloc else None


def closest(name: str, names: Iterable[str]) -> list[str]:
    """Up to three of `names` that look like `name`: the same last part first, then similar spelling, ignoring case."""
    by_lower = {candidate.lower(): candidate for candidate in names}
    wanted = name.lower()
    same_end = [lower for lower in by_lower if lower.rsplit("/", 1)[-1] == wanted.rsplit("/", 1)[-1]]
    similar = get_close_matches(wanted, by_lower, n=3, cutoff=0.5)
    contained = [lower for lower in by_lower if wanted in lower]
    return [by_lower[lower] for lower in dict.fromkeys([*same_end, *similar, *contained])][:3]


def _half_up(value: float) -> int:
    return math.floor(value + 0.5)
