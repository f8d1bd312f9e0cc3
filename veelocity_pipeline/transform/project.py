"""What dbt makes of the project's files: its manifest and the origin of each column, kept by the hash of those files.

Parsing and compiling take ten seconds of CPU and depend on nothing but the project's files, so nobody does it twice:
``make setup`` ships the result beside the project, and a project that was changed since is parsed once per home.
"""

from __future__ import annotations

import functools
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from veelocity_pipeline.config.rules import SCHEMAS
from veelocity_pipeline.config.settings import CHECKOUT
from veelocity_pipeline.sources import SOURCES
from veelocity_pipeline.warehouse.home import Home
from veelocity_pipeline.warehouse.lock import exclusively
from veelocity_pipeline.warehouse.status import SYNC_STATUS

if TYPE_CHECKING:
    from veelocity_pipeline.transform.column_lineage import Parents

MODELS = CHECKOUT / "dbt_project"

SHIPPED = MODELS / "target" / "prepared"
"""Where ``make setup`` leaves what dbt parsed; nothing is written here at run time."""

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
        f"{entry.dataset}.{name}": list(table.columns)
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


def prepared(home: Home) -> Project:
    """The project as dbt parsed it: as it was shipped, or made in this home where its files are others since.

    Needs no setting, no network and no warehouse, so that definitions load on a bare machine.
    """
    name = digest()
    shipped = Project(SHIPPED / name)
    return shipped if shipped.is_there() else _made(home.dbt / "prepared", name)


def ship() -> Project:
    """Parse the project as it is now and leave the result beside it."""
    return _made(SHIPPED, digest())


def _made(base: Path, name: str) -> Project:
    """The project's parse below a folder, made if it is not there; those of other states are removed."""
    project = Project(base / name)
    if project.is_there():
        return project
    base.mkdir(parents=True, exist_ok=True)
    with exclusively(base / ".lock"):
        if not project.is_there():
            with tempfile.TemporaryDirectory(dir=base, prefix=".making-") as folder:
                _make(Path(folder))
                staged = Path(folder) / "ready"
                staged.mkdir()
                for path in (project.manifest_path, project.parsed_path, project.lineage_path):
                    (Path(folder) / path.name).rename(staged / path.name)
                shutil.rmtree(project.folder, ignore_errors=True)
                staged.rename(project.folder)
            for other in base.iterdir():
                if other.is_dir() and other != project.folder:
                    shutil.rmtree(other, ignore_errors=True)
    return project


def _make(folder: Path) -> None:
    from veelocity_pipeline.transform.column_lineage import of_project  # imported late: what it needs is seldom needed
    from veelocity_pipeline.transform.runner import compiled

    # relations are named by the file's name; the file itself is not opened
    compiled(folder, warehouse=folder / "warehouse.duckdb")
    manifest = json.loads((folder / "manifest.json").read_bytes())
    found = of_project(manifest, folder / "compiled" / "veelocity", MODELS, loaded_columns())
    (folder / "column_lineage.json").write_text(json.dumps(found), encoding="utf-8")


def main() -> None:
    """Entry point of ``make setup``."""
    os.umask(0o022)  # as the checkout's own files
    ship()


if __name__ == "__main__":
    main()
