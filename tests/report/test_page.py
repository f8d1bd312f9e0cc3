"""The report's script is what its modules say, and TypeScript has nothing against them."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.npm import installed
from veelocity_pipeline.config.settings import CHECKOUT

PAGE = CHECKOUT / "veelocity_pipeline" / "faces" / "report" / "page"
PACKAGES = [PAGE / name for name in (".npmrc", "package.json", "package-lock.json")]


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the modules, with the tools beside it."""
    copy = tmp_path_factory.mktemp("report") / "page"
    shutil.copytree(PAGE, copy, ignore=shutil.ignore_patterns("node_modules"))
    (copy / "node_modules").symlink_to(installed(PACKAGES, "page") / "node_modules")
    return copy


def npm(page: Path, script: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["npm", "run", "--silent", script], cwd=page, capture_output=True, text=True, check=False, timeout=120
    )


def test_the_modules_are_typed(page: Path) -> None:
    found = npm(page, "check")
    assert (found.returncode, found.stdout) == (0, "")


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("grouped(null);", "TS2345"),
        ("const unused = 1;", "TS6133"),
        ("/** @param {Card} card */ export const half = (card) => card.value / 2;", "TS18049"),
        ("export const loose = (anything) => anything;", "TS7006"),
    ],
)
def test_a_wrong_type_is_found(page: Path, line: str, complaint: str) -> None:
    wrong = page / "wrong.js"
    wrong.write_text(f'import {{ grouped }} from "./format.js";\ngrouped(1);\n{line}\n', encoding="utf-8")
    try:
        found = npm(page, "check")
    finally:
        wrong.unlink()
    assert found.returncode != 0
    assert f"wrong.js(3,{found.stdout.split('(3,')[1].split(')')[0]}): error {complaint}" in found.stdout


def test_the_script_on_the_page_is_made_from_the_modules(page: Path) -> None:
    built = npm(page, "build")
    assert built.returncode == 0, built.stderr
    shipped = (PAGE.parent / "report.js").read_text(encoding="utf-8")
    assert (page.parent / "report.js").read_text(encoding="utf-8") == shipped, "run make page"


def test_the_lock_file_names_no_registry() -> None:
    assert '"resolved"' not in (PAGE / "package-lock.json").read_text(encoding="utf-8")
