"""Every scenario's marts are what a person worked out by hand."""

from __future__ import annotations

import pytest

from .harness import FOLDERS, Scenario, differences, failed_tests
from .project import Project


@pytest.mark.parametrize("scenario", FOLDERS, indirect=True, ids=lambda path: path.name)
def test_scenario(project: Project, scenario: Scenario) -> None:
    wrong = [
        line
        for expected in sorted((scenario.folder / "expected").glob("*.csv"))
        for line in differences(project, scenario.connection, expected)
    ]
    assert not wrong, "\n" + "\n".join(wrong)
    assert not failed_tests(project, scenario.connection)
