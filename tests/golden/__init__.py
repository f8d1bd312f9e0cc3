"""An organisation small enough to be worked out by hand: its story, the answers, and what compares them."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from tests.golden.answers import Answer, Marts, all_answers
from tests.golden.story import Story, tell
from veelocity_pipeline.published.open import read_published
from veelocity_pipeline.simulator import Simulator
from veelocity_pipeline.warehouse.home import Home

FOLDER = Path(__file__).parent


def serve(path: Path, refresh: Callable[[Home, Simulator], None]) -> tuple[Home, Story]:
    """Serve the story, and refresh a new home at ``path``."""
    story, home = tell(FOLDER / "organization.txt"), Home(path)
    with Simulator(organization=story.organization) as simulator:
        refresh(home, simulator)
    return home, story


def in_process(home: Home, simulator: Simulator) -> None:
    """Refresh in this process, without Dagster and dbt."""
    from tests.inprocess import refresh, settings_of

    configuration = (FOLDER / "veelocity.toml").read_text(encoding="utf-8")
    assert refresh(home, settings_of(simulator, configuration)) == []


def as_a_user(home: Home, simulator: Simulator) -> None:
    """Refresh by the command line."""
    from tests.conftest import veelocity

    result = veelocity(
        "refresh",
        VEELOCITY_HOME=str(home.path),
        VEELOCITY_ENV_FILE=os.devnull,
        VEELOCITY_CONFIG=str(FOLDER / "veelocity.toml"),
        **simulator.environment(),
    )
    assert result.returncode == 0, result.stdout + result.stderr


def build(path: Path, refresh: Callable[[Home, Simulator], None] = in_process) -> list[Answer]:
    """Every answer beside what is published of the story, from a new home at ``path``."""
    home, story = serve(path, refresh)
    with read_published(home.published) as connection:
        return list(all_answers(Marts(connection, story.names)))
