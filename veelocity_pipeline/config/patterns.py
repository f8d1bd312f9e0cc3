"""Patterns of the settings, and the regular expressions that they become."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import BeforeValidator

from veelocity_pipeline.config.connections import comma_separated


def not_blank(value: object) -> object:
    """A variable that is set to nothing is not set."""
    return None if isinstance(value, str) and not value.strip() else value


def checked_pattern(value: object) -> object:
    """A pattern of the settings, checked: where it is a ``/regex/`` it must be one that DuckDB's RE2 knows too."""
    if isinstance(value, str):
        if not value.strip():
            raise ValueError("a pattern is empty")
        if is_regex(value):
            try:
                re.compile(value[1:-1])
            except re.error as error:
                raise ValueError(f"{value} is not a regular expression: {error}") from None
            if re.search(r"\(\?(?:[=!]|<[=!])|\\[1-9]", value):
                raise ValueError(f"{value} uses a look-around or a back-reference, which patterns cannot have")
    return value


def is_regex(pattern: str) -> bool:
    """Whether the pattern is written ``/regex/``."""
    return len(pattern) > 2 and pattern.startswith("/") and pattern.endswith("/")


TextList = Annotated[tuple[str, ...], BeforeValidator(comma_separated)]
Patterns = Annotated[tuple[Annotated[str, BeforeValidator(checked_pattern)], ...], BeforeValidator(comma_separated)]
_RE2_SPECIAL = re.compile(r"[\\.+*?()|\[\]{}^$]")


def _escape(text: str) -> str:
    return _RE2_SPECIAL.sub(lambda match: "\\" + match.group(), text)


def contains_regex(pattern: str) -> str:
    """The pattern as a regular expression that is searched for: ``/regex/`` as it is, other text literally."""
    return pattern[1:-1] if is_regex(pattern) else _escape(pattern)


def glob_regex(pattern: str, *, is_path: bool = False) -> str:
    """The pattern as an anchored regular expression: ``*`` is any text; in paths it stops at ``/``, ``**`` does not."""
    if is_regex(pattern):
        return pattern[1:-1]
    parts = re.split(r"(\*\*/?|\*|\?)", pattern)
    star = "[^/]*" if is_path else ".*"
    wild = {"*": star, "**": ".*", "**/": "(?:.*/)?" if is_path else ".*", "?": "."}
    return "^" + "".join(wild.get(part, _escape(part)) for part in parts) + "$"
