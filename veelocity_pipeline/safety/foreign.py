"""The one place where foreign text becomes ours.

What an API, a database or another program said is foreign: it may repeat a secret of ours, forge a line, run on for
megabytes, or steer a terminal. Before it is a part of a message it goes through :func:`sentence`; before it is shown
as it is, through :func:`plain`.
"""

from __future__ import annotations

import re

from veelocity_pipeline.safety.redaction import redacted

MOST = 2_000
"""Characters of a message."""

_SEARCHED = 20_000
_LONGEST_SECRET = 4_000
"""Characters; a JSON Web Token in base64, each of them escaped."""

_ACTING = re.compile(
    "["
    "\x00-\x1f\x7f-\x9f"  # controls: escape sequences begin with one
    "\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"  # directions, breaks, invisible
    "\ud800-\udfff"  # halves of characters, which cannot be written
    "\U000e0000-\U000e0fff"  # invisible tags
    "]"
    # joiners belong to emoji and to some scripts, and are nothing between letters of ASCII
    "|(?<![^\x00-\x7f])[\u200c\u200d]|[\u200c\u200d](?![^\x00-\x7f])"
)

_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def plain(text: object, *, lines: bool = False) -> str:
    """The text with all that acts in a terminal shown as an escape (``\\x1b``, ``\\u202e``), and without secrets.

    Args:
        lines: leave it its lines and tabs.
    """

    def shown(found: re.Match[str]) -> str:
        each, code = found.group(), ord(found.group())
        if lines and each in "\n\t":
            return each
        return _SHORT.get(each) or (
            f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
        )

    return _ACTING.sub(shown, redacted(str(text)))


def sentence(text: object, most: int = MOST) -> str:
    """The text as a part of a message: on one line, without secrets, no longer than ``most`` characters."""
    said = str(text)
    # Secrets first: a half of one would not be known any more. Of a text of megabytes only so much of the beginning is
    # searched, and the last of that, which may be such a half, is not used.
    part = redacted(said[:_SEARCHED])
    if len(said) > _SEARCHED:
        part = part[:-_LONGEST_SECRET]
    shown = plain(" ".join(part.split()))
    return shown if len(shown) <= most else shown[: most - 1] + "…"
