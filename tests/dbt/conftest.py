"""The compiled dbt project, and what it makes of a scenario's rows: both once for all tests that look at them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .harness import Scenario, build, given
from .project import Project, compiled_project


@pytest.fixture(scope="session")
def project() -> Project:
    """The whole project, compiled."""
    return compiled_project()


@pytest.fixture(scope="session")
def scenario(request: pytest.FixtureRequest, project: Project) -> Iterator[Scenario]:
    """The scenario of the folder that the test is parametrized with, made once for all tests of it in a row.

    pytest runs those with the same parameter of this scope after one another, however it shuffles the others.
    """
    with build(project, given(request.param / "given")) as connection:
        yield Scenario(request.param, connection)
