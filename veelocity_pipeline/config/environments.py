"""Which environments are production, by the words of their names. Pure: the models read the same words as rows."""

from __future__ import annotations

import re

PRODUCTION = frozenset({"production", "prod", "prd", "live"})
"""One of these makes an environment production …"""

OTHER = frozenset(
    {"pre", "preprod", "non", "nonprod", "not", "post", "staging", "stage", "preview", "test", "testing", "dev"}
    | {"development", "demo", "qa", "uat", "perf", "shadow", "canary", "sandbox"}
)
"""… unless there is one of these."""


def words(environment: str) -> list[str]:
    """Split a name at what is no letter or digit, before digits, and between a lower-case and an upper-case letter."""
    spaced = re.sub(
        r"(?<=[^\W\d_])(?=[^\W\d_])", lambda at: " " if _is_hump(environment, at.start()) else "", environment
    )
    return [word for word in re.split(r"[\W_]+", re.sub(r"(\d+)", r" \1", spaced).lower()) if word]


def _is_hump(text: str, position: int) -> bool:
    return text[position - 1].islower() and text[position].isupper()


def is_production(environment: str) -> bool:
    """Return whether an environment is production by its name."""
    found = set(words(environment))
    return bool(found & PRODUCTION) and not found & OTHER
