"""What may import what: the contracts in pyproject.toml, kept by the package and broken on purpose by a made-up one."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from veelocity_pipeline.config.settings import CHECKOUT

PACKAGE = "veelocity_pipeline"
CONTRACTS: list[dict[str, Any]] = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))["tool"][
    "importlinter"
]["contracts"]

MADE_UP = (
    *("safety.files", "config.settings", "sources.kit.tables", "sources.github.shape", "sources.linear.shape"),
    *("sources.asana.shape", "warehouse.home", "warehouse.lock", "warehouse.upkeep", "warehouse.status"),
    *("loading.read", "transform.project", "operations.alerts", "published.open", "faces.report.render"),
    *("faces.cli.main", "defs.jobs", "defs.sensors", "definitions", "licences"),
    *("simulator.server", "simulator.__main__", "simulator.graphql_http", "simulator.world", "simulator.cost"),
    *("simulator.engine", "simulator.faults", "simulator.organization.life", "simulator.github.face"),
    *("simulator.linear.face", "simulator.asana.face"),
)
"""One module or two of every room, and of a vendor that no contract names."""

ALLOWED = {
    "config.settings": "safety.files",
    "sources.github.shape": "sources.kit.tables",
    "warehouse.home": "config.settings",
    "loading.read": "sources.github.shape",
    "operations.alerts": "transform.project",
    "published.open": "warehouse.home",
    "defs.jobs": "faces.report.render",
    "faces.cli.main": "defs.jobs",
    "definitions": "defs.sensors",
    "simulator.linear.face": "simulator.world",
}
"""Imports that break nothing, by the module that has them."""


def made_up(folder: Path, imports: dict[str, str]) -> None:
    """Write the made-up package: empty modules, and some that import one other."""
    for module in (*MADE_UP, *imports):
        path = folder.joinpath(PACKAGE, *module.split(".")).with_suffix(".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    for path in [folder / PACKAGE, *folder.joinpath(PACKAGE).rglob("*/")]:
        (path / "__init__.py").touch()
    for importer, imported in imports.items():
        path = folder.joinpath(PACKAGE, *importer.split(".")).with_suffix(".py")
        path.write_text(f"import {PACKAGE}.{imported}\n", encoding="utf-8")


def broken(folder: Path) -> set[str]:
    """Ids of the contracts that the made-up package breaks."""
    lines = ["[tool.importlinter]", f'root_package = "{PACKAGE}"']
    for contract in CONTRACTS:
        # what today's code is excused for is not in the made-up package
        lines += ["[[tool.importlinter.contracts]]", 'unmatched_ignore_imports_alerting = "none"']
        lines += [f"{key} = {json.dumps(value)}" for key, value in contract.items()]
    (folder / "pyproject.toml").write_text("\n".join(lines), encoding="utf-8")
    said = lint(folder, PYTHONPATH=str(folder))
    found = {each["id"] for each in CONTRACTS if f"{each['name']} BROKEN" in said}
    kept = {each["id"] for each in CONTRACTS if f"{each['name']} KEPT" in said}
    assert found | kept == {each["id"] for each in CONTRACTS}, said
    return found


def lint(folder: Path, **environment: str) -> str:
    """What import-linter says of the package in a folder."""
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache", "--no-logo"]
    result = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, "COLUMNS": "300", **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    return result.stdout + result.stderr


def test_the_package_keeps_every_contract() -> None:
    said = lint(CHECKOUT)
    assert f"Contracts: {len(CONTRACTS)} kept, 0 broken." in said, said


def test_imports_that_are_allowed_break_no_contract(tmp_path: Path) -> None:
    made_up(tmp_path, ALLOWED)
    assert broken(tmp_path) == set()


@pytest.mark.parametrize(
    ("importer", "imported", "contracts"),
    [
        ("safety.files", "config.settings", {"layers"}),
        ("config.settings", "warehouse.home", {"layers"}),
        ("warehouse.home", "sources.kit.tables", {"layers"}),
        ("sources.kit.tables", "warehouse.home", {"layers"}),
        ("loading.read", "transform.project", {"layers"}),
        ("operations.alerts", "published.open", {"layers"}),
        ("operations.alerts", "defs.jobs", {"layers"}),
        ("a_new_room.module", "safety.files", {"layers"}),
        ("published.open", "sources.kit.tables", {"published"}),
        ("published.open", "warehouse.lock", {"published"}),
        ("defs.jobs", "faces.cli.main", {"faces"}),
        ("faces.report.render", "defs.jobs", {"faces"}),
        ("sources.linear.shape", "sources.github.shape", {"vendors"}),
        ("sources.asana.shape", "sources.linear.shape", {"vendors"}),
        ("sources.kit.tables", "sources.github.shape", {"vendors"}),
        ("simulator.world", "safety.files", {"simulator"}),
        ("simulator.organization.life", "simulator.world", {"simulated"}),
        ("simulator.asana.face", "simulator.github.face", {"simulated_vendors"}),
    ],
)
def test_a_wrong_import_breaks_its_contract(importer: str, imported: str, contracts: set[str], tmp_path: Path) -> None:
    made_up(tmp_path, {importer: imported})
    assert broken(tmp_path) == contracts


def test_a_cycle_within_a_room_is_one(tmp_path: Path) -> None:
    made_up(tmp_path, {"defs.jobs": "defs.sensors", "defs.sensors": "defs.jobs"})
    assert broken(tmp_path) == {"cycles"}


def imported_at_once(source: str) -> Iterator[str]:
    """Modules that a module imports as soon as it is imported itself; what only type checkers see is left out."""
    waiting: list[ast.AST] = [ast.parse(source)]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            waiting += node.orelse
            continue
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names)
        if isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{each.name}" for each in node.names)
        waiting += ast.iter_child_nodes(node)


def early(source: str) -> list[str]:
    """What a module outside ``defs`` imports too early: Dagster, or what needs it."""
    heavy = ("dagster", f"{PACKAGE}.defs.", f"{PACKAGE}.definitions")
    return [each for each in imported_at_once(source) if f"{each}.".startswith(heavy)]


def test_dagster_is_imported_late_outside_defs() -> None:
    """Else each command would wait for it."""
    modules = [path for path in (CHECKOUT / PACKAGE).rglob("*.py") if "defs" not in path.parts]
    found = {path.name: early(path.read_text(encoding="utf-8")) for path in modules if path.name != "definitions.py"}
    assert {name: imports for name, imports in found.items() if imports} == {}


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("from veelocity_pipeline.defs.execute import refresh", ["veelocity_pipeline.defs.execute.refresh"]),
        ("from veelocity_pipeline.defs import execute", ["veelocity_pipeline.defs.execute"]),
        ("import dagster as dg", ["dagster"]),
        ("try:\n    import dagster_dlt\nexcept ImportError:\n    pass", ["dagster_dlt"]),
        ("if TYPE_CHECKING:\n    import dagster", []),
        ("def command():\n    from veelocity_pipeline.defs.execute import refresh", []),
        ("from veelocity_pipeline.safety import files", []),
    ],
)
def test_an_early_import_is_seen(source: str, found: list[str]) -> None:
    assert early(source) == found
