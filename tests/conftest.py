"""Every test has settings of its own: nothing of the machine's environment or of a real .env reaches it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from veelocity_pipeline.settings import Settings

OURS = tuple(
    field.validation_alias for field in Settings.model_fields.values() if isinstance(field.validation_alias, str)
)


@pytest.fixture(autouse=True)
def _own_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*OURS, "VEELOCITY_CONFIG", "DAGSTER_HOME", "VEELOCITY_WAREHOUSE", "DBT_LOG_PATH"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("VEELOCITY_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("VEELOCITY_ENV_FILE", os.devnull)


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Write a ``veelocity.toml`` for the test."""

    def write(text: str) -> None:
        path = tmp_path / "veelocity.toml"
        path.write_text(text, encoding="utf-8")
        monkeypatch.setenv("VEELOCITY_CONFIG", str(path))

    return write
