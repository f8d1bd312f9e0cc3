"""What dbt makes of the project's files: its manifest and the origin of each column, kept by the hash of those files.

Parsing and compiling take ten seconds of CPU and depend on nothing but the project's files, so nobody does it twice:
``make setup`` ships the result beside the project, and a project that was changed since is parsed once per home.
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from veelocity_pipeline.config.rules import SCHEMAS
from veelocity_pipeline.config.settings import CHECKOUT
from veelocity_pipeline.sources import SOURCES
from veelocity_pipeline.warehouse.status import SYNC_STATUS

if TYPE_CHECKING:
    from veelocity_pipeline.transform.column_lineage import Parents

MODELS = CHECKOUT / "dbt_project"
CUSTOM = "custom"
"""Folder of a user's own models below ``models``, in a copy of the project that has them (``own.py``)."""
_PACKAGES = ("dbt-core", "dbt-duckdb", "sqlglot")


@dataclass(frozen=True)
class LeftOut:
    """A file of a user's own models that dbt cannot read, and why."""

    file: str
    problem: str


@dataclass(frozen=True)
class Project:
    """The dbt project as dbt parsed it.

    Attributes:
        folder: holds the files below.
    """

    folder: Path

    @property
    def models(self) -> Path:
        """The project itself; a copy of it if there are a user's own models beside it."""
        return self.copy if self.copy.exists() else MODELS

    @property
    def copy(self) -> Path:
        """Where such a copy would be."""
        return self.folder / "project"

    @property
    def manifest_path(self) -> Path:
        """dbt's manifest as JSON, which Dagster makes assets from."""
        return self.folder / "manifest.json"

    @property
    def parsed_path(self) -> Path:
        """The same as dbt itself keeps it, which it builds from without parsing."""
        return self.folder / "partial_parse.msgpack"

    @property
    def lineage_path(self) -> Path:
        """What each column is made from."""
        return self.folder / "column_lineage.json"

    @functools.cached_property
    def manifest(self) -> Mapping[str, Any]:
        """dbt's manifest."""
        content: Mapping[str, Any] = json.loads(self.manifest_path.read_bytes())
        return content

    def lineage(self) -> Mapping[str, Parents]:
        """What each column is made from, by ``schema.table``."""
        content: Mapping[str, Parents] = json.loads(self.lineage_path.read_bytes())
        return content

    @property
    def own_path(self) -> Path:
        """What is known of the user's own models."""
        return self.folder / "own.json"

    @functools.cached_property
    def own(self) -> Mapping[str, str]:
        """The files of the user's own models, relative to their folder, by dbt's unique id."""
        return {
            name: self.own_file(name)
            for name, node in self.manifest["nodes"].items()
            if node["resource_type"] == "model" and node["fqn"][1] == CUSTOM
        }

    @property
    def own_folder(self) -> Path | None:
        """The user's folder of models."""
        return Path(self._own["folder"]) if self._own else None

    @property
    def left_out(self) -> list[LeftOut]:
        """The user's files that dbt cannot read."""
        return [LeftOut(*each) for each in self._own.get("left_out", ())]

    @functools.cached_property
    def _own(self) -> Mapping[str, Any]:
        content: Mapping[str, Any] = json.loads(self.own_path.read_bytes()) if self.own_path.exists() else {}
        return content

    def own_file(self, unique_id: str) -> str:
        """Return the file of a node of the user's, relative to their folder."""
        path: str = self.manifest["nodes"][unique_id]["original_file_path"]
        return path.removeprefix(f"models/{CUSTOM}/")

    def own_of(self, unique_id: str) -> str | None:
        """Return the user's own model that a node is or tests, or the test if it tests something else; else None."""
        node = self.manifest["nodes"].get(unique_id)
        if node is None or not node["original_file_path"].startswith(f"models/{CUSTOM}/"):
            return None
        tested: str = node.get("attached_node") or ""
        return tested if tested in self.own else unique_id

    def is_there(self) -> bool:
        """Whether all of it was made."""
        return all(path.exists() for path in (self.manifest_path, self.parsed_path, self.lineage_path))


def project_files(folder: Path) -> list[Path]:
    """Every file of a dbt project that says what its models are."""
    parts = [path for name in ("models", "macros", "seeds", "tests", "docs") for path in (folder / name).rglob("*")]
    return sorted(path for path in [*parts, *folder.glob("*.yml")] if path.is_file())


def loaded_columns() -> dict[str, list[str]]:
    """The columns of each table that models read and do not make, by ``schema.table``."""
    raw = {
        f"{entry.dataset}.{name}": list(table.stored_columns)
        for entry in SOURCES.values()
        for name, table in entry.tables.items()
    }
    config = {f"config.{name}": schema.names for name, schema in SCHEMAS.items()}
    return {**raw, **config, "operations.sync_status": SYNC_STATUS.names}


def digest() -> str:
    """A short text that is another for any other project, and for other versions of what reads it."""
    found = hashlib.sha256()
    for path in project_files(MODELS):
        found.update(f"{path.relative_to(MODELS)}\n".encode())
        found.update(path.read_bytes())
    found.update((CHECKOUT / "veelocity_pipeline" / "transform" / "column_lineage.py").read_bytes())
    found.update(json.dumps([MODELS.as_posix(), [version(name) for name in _PACKAGES], loaded_columns()]).encode())
    return found.hexdigest()[:20]
