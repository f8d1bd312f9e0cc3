"""Every scenario's marts are what a person worked out by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from .harness import SCENARIOS, Project, build, differences, failed_tests, given

_FOLDERS = sorted(path for path in SCENARIOS.iterdir() if (path / "expected").is_dir())


@pytest.mark.parametrize("folder", _FOLDERS, ids=lambda path: path.name)
def test_scenario(project: Project, folder: Path) -> None:
    with build(project, given(folder / "given")) as connection:
        wrong = [
            line
            for expected in sorted((folder / "expected").glob("*.csv"))
            for line in differences(project, connection, expected)
        ]
        assert not wrong, "\n" + "\n".join(wrong)
        assert not failed_tests(project, connection)
