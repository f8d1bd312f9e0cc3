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
_PACKAGES = ("dbt-core", "dbt-duckdb", "sqlglot")


@dataclass(frozen=True)
class Project:
    """The dbt project as dbt parsed it.

    Attributes:
        folder: holds the files below.
    """

    folder: Path

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
