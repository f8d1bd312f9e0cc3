"""The compiled dbt project: its models and tests as SQL that DuckDB runs by itself.

Compiling takes seconds and depends on nothing but the project, so its result is kept beside dbt's own, by the hash of
all that it is made from: every test session, worker and engineer's loop after the first reads one JSON file.
"""

from __future__ import annotations

import contextlib
import graphlib
import hashlib
import json
import os
import re
import sys
import tempfile
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import duckdb

from veelocity_pipeline.sources.kit.tables import Row
from veelocity_pipeline.transform.prepare import ship
from veelocity_pipeline.transform.project import MODELS, digest
from veelocity_pipeline.warehouse.lock import exclusively

from .raw import create_raw_tables

DATABASE = "warehouse"
"""Name of the database in the compiled SQL, which dbt takes from the file's name."""

CACHE = MODELS / "target" / "compiled-for-tests"
KEPT = 3
"""Compiled projects in the cache: one can go back and forth between branches."""

_PARTS = ("nodes", "sources", "unit_tests")
"""Of the manifest, what is kept."""


@dataclass(frozen=True)
class Node:
    """A compiled dbt node: how it is named in the warehouse and what it runs."""

    unique_id: str
    name: str
    kind: str  # model, seed, test
    layer: str
    relation: str
    code: str
    is_python: bool = False
    materialized: str = ""
    contract: Mapping[str, str] = field(default_factory=dict)
    seed: Path | None = None
    seed_types: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class UnitTest:
    """A unit test as it is written beside its model: rows, or SQL that makes them."""

    name: str
    model: str
    given: Mapping[str, list[Row] | str]
    expected: list[Row] | str


@dataclass(frozen=True)
class Project:
    """The compiled project.

    Attributes:
        nodes: seeds and models, in the order they are built.
        tests: data tests.
        manifest: nodes, sources and unit tests as dbt's ``manifest.json`` has them.
        parents: by unique id.
    """

    nodes: tuple[Node, ...]
    tests: tuple[Node, ...]
    manifest: Mapping[str, Any]
    parents: Mapping[str, list[str]]
    unit_tests: tuple[UnitTest, ...]

    def relation(self, name: str) -> str:
        """Return the quoted table of a model or seed."""
        for node in self.nodes:
            if node.name == name:
                return node.relation
        raise KeyError(f"there is no model {name}")

    def node(self, name: str) -> Node:
        """Return a model or seed."""
        return next(node for node in self.nodes if node.name == name)

    def descendants(self, node: Node) -> list[Node]:
        """Return all that is made from a model, directly or not, in the order of building."""
        made = {node.unique_id}
        found = []
        for each in self.nodes:
            if made.intersection(self.parents.get(each.unique_id, ())):
                made.add(each.unique_id)
                found.append(each)
        return found


# ---------------------------------------------------------------------------------------------------------- dbt


@contextlib.contextmanager
def dbt_environment(warehouse: Path) -> Iterator[None]:
    """Have dbt find the warehouse and send nothing anywhere, for as long as the block runs."""
    changed = {"VEELOCITY_WORKING_FILE": str(warehouse), "DBT_SEND_ANONYMOUS_USAGE_STATS": "false"}
    before = {name: os.environ.get(name) for name in changed}
    os.environ.update(changed)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def dbt(work: Path, *arguments: str) -> Any:
    """Run dbt in this process on ``work/warehouse.duckdb``; its files go under ``work`` too.

    It goes on from what was parsed once for all (``transform.project``).

    Raises:
        AssertionError: dbt failed; with what it says of each failed node.
    """
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager  # imported late: it takes a second
    from dbt.adapters.factory import reset_adapters
    from dbt.cli.main import dbtRunner
    from dbt.contracts.graph.manifest import Manifest

    manifest = Manifest.from_msgpack(ship().parsed_path.read_bytes())
    manifest.build_flat_graph()
    folder = Path.cwd()
    with dbt_environment(work / f"{DATABASE}.duckdb"):
        try:
            result = dbtRunner(manifest).invoke(
                [
                    *arguments,
                    *("--project-dir", str(MODELS), "--profiles-dir", str(MODELS)),
                    *("--target-path", str(work / "target"), "--log-path", str(work / "logs"), "--quiet"),
                ]
            )
        finally:  # dbt leaves both behind
            os.chdir(folder)
            reset_adapters()
            DuckDBConnectionManager.close_all_connections()
    problems = [] if result.exception is None else [str(result.exception)]
    if not result.success:
        problems += [
            f"{each.node.unique_id}: {each.message}"
            for each in getattr(result.result, "results", [])
            if str(each.status) in {"error", "fail", "runtime error"}
        ]
    assert result.success, "\n".join(problems) or "dbt failed"
    return result


# ---------------------------------------------------------------------------------------------------- compiling


def compiled_project(cache: Path = CACHE) -> Project:
    """Return the project as it is now, compiled; dbt is run only where its like was never compiled before."""
    kept = cache / f"{_key()}.json"
    if not kept.exists():
        with exclusively(cache / ".lock"):
            if not kept.exists():
                _compile(kept)
                _forget_all_but(kept)
    return _project(json.loads(kept.read_bytes()))


def _key() -> str:
    """Return a short text that differs for any other project, other versions of its compilers and other code here."""
    parts = [digest(), version("duckdb"), sys.version, Path(__file__).read_text(encoding="utf-8")]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:20]


def _compile(kept: Path) -> None:
    with tempfile.TemporaryDirectory(dir=kept.parent, prefix=".compiling-") as folder:
        work = Path(folder)
        with duckdb.connect(str(work / f"{DATABASE}.duckdb")) as connection:
            create_raw_tables(connection)
        dbt(work, "compile")
        manifest = json.loads((work / "target" / "manifest.json").read_bytes())
        staged = work / "staged.json"
        staged.write_text(json.dumps({part: manifest[part] for part in _PARTS}), encoding="utf-8")
        staged.replace(kept)


def _forget_all_but(kept: Path) -> None:
    by_age = sorted(kept.parent.glob("*.json"), key=lambda path: path.stat().st_mtime, reverse=True)
    for path in [path for path in by_age if path != kept][KEPT - 1 :]:
        path.unlink(missing_ok=True)


def _project(manifest: Mapping[str, Any]) -> Project:
    nodes: dict[str, Node] = {}
    parents: dict[str, list[str]] = {}
    for unique_id, node in manifest["nodes"].items():
        kind = node["resource_type"]
        if kind not in {"model", "seed", "test"} or node["config"]["materialized"] == "ephemeral":
            continue
        nodes[unique_id] = _node(unique_id, kind, node)
        parents[unique_id] = [] if kind == "seed" else node["depends_on"]["nodes"]
    order = graphlib.TopologicalSorter(parents).static_order()
    ordered = [nodes[unique_id] for unique_id in order if unique_id in nodes]
    return Project(
        nodes=tuple(node for node in ordered if node.kind != "test"),
        tests=tuple(node for node in ordered if node.kind == "test"),
        manifest=manifest,
        parents=parents,
        unit_tests=_unit_tests(manifest, nodes.values()),
    )


def _node(unique_id: str, kind: str, node: Mapping[str, Any]) -> Node:
    is_model, is_seed = kind == "model", kind == "seed"
    has_contract = is_model and node["config"]["contract"]["enforced"]
    return Node(
        unique_id=unique_id,
        name=node["name"],
        kind=kind,
        layer=node["fqn"][1],
        relation=node["relation_name"] or "",
        code="" if is_seed else node["compiled_code"],
        is_python=is_model and node["language"] == "python",
        materialized=node["config"]["materialized"],
        contract={column["name"]: column["data_type"] for column in node["columns"].values()} if has_contract else {},
        seed=MODELS / node["original_file_path"] if is_seed else None,
        seed_types=node["config"]["column_types"] if is_seed else {},
    )


def _unit_tests(manifest: Mapping[str, Any], nodes: Collection[Node]) -> tuple[UnitTest, ...]:
    """Return dbt's unit tests of the project, their inputs by quoted table."""
    relations = {node.name: node.relation for node in nodes}

    def relation(name: str) -> str:
        words = re.findall(r"'(\w+)'", name)
        return f'"{DATABASE}"."{words[0]}"."{words[1]}"' if name.startswith("source") else relations[words[0]]

    return tuple(
        UnitTest(
            name=each["name"],
            model=each["model"],
            given={relation(given["input"]): given["rows"] for given in each["given"]},
            expected=each["expect"]["rows"],
        )
        for each in manifest["unit_tests"].values()
    )
