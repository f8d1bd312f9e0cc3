"""The compiled dbt project, once per test session."""

from __future__ import annotations

import pytest

from .harness import Project, compile_project


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The whole project, compiled."""
    return compile_project(tmp_path_factory.mktemp("dbt"))
