"""Which names belong in which room."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from veelocity_pipeline.config.settings import CHECKOUT

PACKAGE = CHECKOUT / "veelocity_pipeline"
VENDORS = re.compile(r"github|linear", re.IGNORECASE)
ROOMS = ("sources/kit", "loading", "warehouse", "published", "operations", "faces", "defs")
"""Rooms that know no vendor."""

ALLOWED: dict[str, tuple[int, str]] = {
    "warehouse/status.py": (5, "attempts at what was renamed or removed are told from raw_github and by Linear's keys"),
    "published/series.py": (3, "whether the tracker was read"),
    "published/sources.py": (4, "titles of sources and what to set for each; the registry has both"),
    "published/rows.py": (1, "the column linear_teams of the setting teams"),
    "published/explain.py": (1, "why a title is cut where it is"),
    "operations/requested.py": (5, "which of the settings a repository or a team is named in"),
    "faces/report/render.py": (5, "what to set where a source is not connected"),
    "faces/cli/main.py": (1, "what the program is for"),
    "faces/cli/parts.py": (1, "the setting GITHUB_APP_PRIVATE_KEY_FILE"),
    "faces/cli/demo.py": (7, "what the demo simulates, and what to try after it"),
    "faces/cli/refresh.py": (1, "the help text of --only"),
    "defs/resources.py": (1, "the setting linear_api_key"),
    "defs/launch.py": (2, "help texts of the launchpad"),
}
"""How many lines of a file may name a vendor still, and why. Only take away: new lines go to the vendor's room."""


def named(file: Path) -> list[int]:
    """The numbers of the lines that name a vendor."""
    lines = file.read_text(encoding="utf-8").splitlines()
    return [number for number, line in enumerate(lines, 1) if VENDORS.search(line)]


@pytest.mark.parametrize("room", ROOMS)
def test_no_room_but_its_own_names_a_vendor(room: str) -> None:
    found = {file.relative_to(PACKAGE).as_posix(): named(file) for file in sorted((PACKAGE / room).rglob("*.py"))}
    assert found, f"{room} is empty: has it moved?"
    counts = Counter({file: len(lines) for file, lines in found.items() if lines})
    allowed = Counter({file: count for file, (count, _) in ALLOWED.items() if file.startswith(f"{room}/")})
    more = {file: found[file] for file in counts - allowed}
    assert not more, f"a vendor's name in a room that knows none: {more}"
    assert not allowed - counts, f"these name fewer vendors than ALLOWED says; lower it: {counts}"
