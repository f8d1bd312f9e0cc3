"""An organisation small enough to be worked out by hand: its story, the answers, and what compares them."""

from __future__ import annotations

import os
from pathlib import Path

from tests.golden.answers import Answer, Marts, all_answers
from tests.golden.story import Story, tell
from veelocity_pipeline.simulator import Simulator
from veelocity_pipeline.warehouse import Home, read_published

FOLDER = Path(__file__).parent


def serve(path: Path) -> tuple[Home, Story]:
    """Serve the story, and refresh a new home at ``path`` as a user would."""
    from tests.conftest import veelocity  # imported late: outside of tests it is only needed here

    story, home = tell(FOLDER / "organization.txt"), Home(path)
    with Simulator(organization=story.organization) as simulator:
        result = veelocity(
            "refresh",
            VEELOCITY_HOME=str(home.path),
            VEELOCITY_ENV_FILE=os.devnull,
            VEELOCITY_CONFIG=str(FOLDER / "veelocity.toml"),
            **simulator.environment(),
        )
    assert result.returncode == 0, result.stdout + result.stderr
    return home, story


def build(path: Path) -> list[Answer]:
    """Every answer beside what is published of the story, from a new home at ``path``."""
    home, story = serve(path)
    with read_published(home.published) as connection:
        return list(all_answers(Marts(connection, story.names)))
