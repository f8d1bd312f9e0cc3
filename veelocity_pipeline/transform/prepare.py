"""Parse the dbt project ahead: once at set-up, or in a home whose project has changed since."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from pathlib import Path

from veelocity_pipeline.transform.project import MODELS, Project, digest, loaded_columns
from veelocity_pipeline.warehouse.home import Home
from veelocity_pipeline.warehouse.lock import exclusively

SHIPPED = MODELS / "target" / "prepared"
"""Where ``make setup`` leaves what dbt parsed; nothing is written here at run time."""


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

    compiled(folder)
    manifest = json.loads((folder / "manifest.json").read_bytes())
    found = of_project(manifest, folder / "compiled" / "veelocity", MODELS, loaded_columns())
    (folder / "column_lineage.json").write_text(json.dumps(found), encoding="utf-8")


def main() -> None:
    """Entry point of ``make setup``."""
    os.umask(0o022)  # as the checkout's own files
    ship()


if __name__ == "__main__":
    main()
