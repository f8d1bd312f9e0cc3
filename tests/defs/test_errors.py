"""What reaches Dagster's run history of an error: its text, its stack, and what it came from. No secret."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from dagster._utils.error import serializable_error_info_from_exc_info

from veelocity_pipeline.config.settings import Settings
from veelocity_pipeline.defs.assets import ingest
from veelocity_pipeline.defs.resources import Warehouse
from veelocity_pipeline.loading.dlt import LoadError
from veelocity_pipeline.safety.redaction import remember
from veelocity_pipeline.sources import SOURCES, RefreshRequest
from veelocity_pipeline.warehouse.home import Home

TOKEN = "ghp_aTokenThatALibraryRepeats0000000001"


def test_a_step_that_fails_tells_no_secret(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    remember(TOKEN)

    def load(*_: Any, **__: Any) -> Iterator[Any]:
        try:
            raise ValueError(f"row {TOKEN} does not fit")
        except ValueError as error:
            raise LoadError(f"The warehouse could not be written: {TOKEN}") from error
        yield

    monkeypatch.setattr(ingest, "load", load)
    target = Warehouse()
    target._settings = Settings.model_validate({"github_tokens": (TOKEN,)})
    target._home = Home(tmp_path / "home")
    try:
        ingest.refresh_source(SOURCES["github"], target, RefreshRequest())
    except LoadError:
        told = serializable_error_info_from_exc_info(sys.exc_info())
    assert "could not be written: ***" in told.message
    assert told.cause is not None
    assert "row *** does not fit" in told.cause.message
    assert TOKEN not in repr(told)
