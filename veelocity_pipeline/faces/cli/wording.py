"""How commands write paths, sizes and times."""

from __future__ import annotations

import contextlib
from pathlib import Path

from veelocity_pipeline.config.settings import CHECKOUT
from veelocity_pipeline.faces.cli.terminal import out
from veelocity_pipeline.safety.foreign import plain
from veelocity_pipeline.warehouse.home import Home

CALLED_FROM = Path.cwd()
"""Remembered, because running dbt changes the working directory."""


def megabytes(size: float) -> str:
    return f"{size / 1e6:,.1f} MB"


def say(message: str) -> None:
    out.print(plain(message), soft_wrap=True)


def minute(moment: str) -> str:
    return moment[:16].replace("T", " ")


def shown(path: Path) -> str:
    """The path as short as it can be said from here."""
    with contextlib.suppress(ValueError):
        return str(path.relative_to(CALLED_FROM))
    return str(path)


def shown_home(home: Home) -> str:
    return "" if home.path == CHECKOUT / "data" else f"VEELOCITY_HOME={home.path} "
