"""No module has more than about 500 lines; those that have are listed, and the list can only shrink."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from veelocity_pipeline.config.settings import CHECKOUT

MOST = 500
FOLDERS = ("veelocity_pipeline", "tests", "bench")

MADE = {"report.js"}
"""Files that are made from modules."""

LARGER = {
    "veelocity_pipeline/simulator/organization/delivery.py": 574,
    "tests/defs/test_history.py": 571,
    "tests/golden/story.py": 776,
    "tests/histories/world.py": 592,
    "tests/integration/test_refresh.py": 514,
    "tests/integration/test_truth.py": 527,
    "tests/integration/truth.py": 750,
    "tests/sources/official.py": 530,
    "tests/sources/test_github.py": 557,
    "tests/sources/test_github_actions.py": 740,
    "tests/sources/test_http.py": 715,
    "tests/sources/test_linear.py": 845,
    "tests/sources/test_loading.py": 575,
}
"""Modules to split, with the size that they may not exceed until then."""


def faults(root: Path, larger: Mapping[str, int]) -> list[str]:
    """What is wrong with the sizes of the modules below a folder, and with the list of larger ones."""
    sizes = {
        path.relative_to(root).as_posix(): len(path.read_text(encoding="utf-8").splitlines())
        for folder in FOLDERS
        for path in (root / folder).rglob("*.*")
        if path.suffix in {".py", ".js"} and "node_modules" not in path.parts and path.name not in MADE
    }
    found = [
        f"{name} has {size} lines, more than {larger.get(name, MOST)}: split it by what it does"
        for name, size in sorted(sizes.items())
        if size > larger.get(name, MOST)
    ]
    return found + [
        f"{name} has {sizes.get(name, 'no')} lines: take it off the list of larger modules"
        for name in larger
        if sizes.get(name, 0) <= MOST
    ]


def test_no_module_is_too_large() -> None:
    assert faults(CHECKOUT, LARGER) == []


@pytest.mark.parametrize(
    ("lines", "larger", "found"),
    [
        (500, {}, []),
        (501, {}, ["bench/room/module.py has 501 lines, more than 500: split it by what it does"]),
        (600, {"bench/room/module.py": 600}, []),
        (
            601,
            {"bench/room/module.py": 600},
            ["bench/room/module.py has 601 lines, more than 600: split it by what it does"],
        ),
        (
            500,
            {"bench/room/module.py": 600},
            ["bench/room/module.py has 500 lines: take it off the list of larger modules"],
        ),
        (1, {"tests/moved.py": 600}, ["tests/moved.py has no lines: take it off the list of larger modules"]),
    ],
)
def test_a_module_that_is_too_large_is_seen(
    lines: int, larger: Mapping[str, int], found: list[str], tmp_path: Path
) -> None:
    module = tmp_path / "bench" / "room" / "module.py"
    module.parent.mkdir(parents=True)
    module.write_text("\n" * lines, encoding="utf-8")
    assert faults(tmp_path, larger) == found


def test_a_script_is_a_module_too(tmp_path: Path) -> None:
    for name in ("bench/charts.js", "bench/report.js", "bench/node_modules/other.js", "bench/rows.sql"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("\n" * 501, encoding="utf-8")
    assert faults(tmp_path, {}) == ["bench/charts.js has 501 lines, more than 500: split it by what it does"]
