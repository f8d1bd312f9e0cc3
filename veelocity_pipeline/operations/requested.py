"""What a run is asked to read, held against what the settings allow."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from datetime import date
from typing import Any

from veelocity_pipeline.config.connections import CODE_HOST, split_name
from veelocity_pipeline.config.settings import Settings, SettingsError

_TEAM_KEY = re.compile(r"[A-Za-z0-9_-]{1,50}")
"""A key of one of Linear's teams; which there are, only Linear knows."""


def check_requested(settings: Settings, source: str, config: Mapping[str, Any], known: Collection[str] = ()) -> None:
    """Refuse what a run is asked to read of a source, if the settings do not allow it.

    Args:
        config: of its ingest step: ``full``, ``repositories``, ``since``; what is left out has its default.
        known: repositories that were read before, by the names that they have now.

    Raises:
        SettingsError: a repository is none that the settings name, or ``since`` is not a day of a full refresh.
    """
    day_since(config.get("since", ""), config.get("full", False), settings.start_date)
    read_before = {name.casefold() for name in known}
    views = settings.connected(CODE_HOST)
    for name in config.get("repositories", ()):
        connection, bare = split_name(name)
        if source == "linear" and "/" not in name:
            if not _TEAM_KEY.fullmatch(name):
                raise SettingsError(
                    f"repositories: {_shown(name)} is not the key of a team in Linear; write one like ENG"
                )
        elif name.casefold() in read_before or any(
            view.names_repository(bare) for view in views if connection in ("", view.connection or CODE_HOST)
        ):
            continue
        elif settings.is_excluded(name):
            raise SettingsError(
                f"repositories: GITHUB_REPOSITORIES leaves {_shown(name)} out; remove !{name} there first"
            )
        else:
            raise SettingsError(f"repositories: {_shown(name)} is not in GITHUB_REPOSITORIES; add it there first")


def _shown(name: str) -> str:
    return repr(name if len(name) <= 100 else name[:100] + "…")


def day_since(text: str, full: bool, start: date | None) -> date | None:
    """The day from which a full refresh is to read again.

    Raises:
        SettingsError: it is no day, the refresh is none of all, or nothing of that day is kept.
    """
    if not text:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise SettingsError(f"since: {_shown(text)} is not a day; write it as 2026-01-31") from None
    if not full:
        raise SettingsError("since: goes with a full refresh; an incremental one reads what is new by itself")
    if start is not None and day < start:
        raise SettingsError(
            f"since: {day} is before VEELOCITY_START_DATE ({start}), and nothing is kept of that time; set an earlier "
            "one, and the next refresh reads what it uncovers"
        )
    return day
