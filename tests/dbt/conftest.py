"""The compiled dbt project, once per test session."""

from __future__ import annotations

from pathlib import Path

import pytest

from .harness import Project, compile_project


@pytest.fixture(scope="session")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that the project is compiled in."""
    return tmp_path_factory.mktemp("dbt")


@pytest.fixture(scope="session")
def project(compiled: Path) -> Project:
    """The whole project, compiled."""
    return compile_project(compiled)
