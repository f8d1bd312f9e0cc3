"""Parse the dbt project ahead: once at set-up, or in a home whose project has changed since."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from veelocity_pipeline.transform.own import Copy, whole_digest
from veelocity_pipeline.transform.project import CUSTOM, MODELS, Project, digest, loaded_columns
from veelocity_pipeline.warehouse.home import Home
from veelocity_pipeline.warehouse.lock import exclusively

SHIPPED = MODELS / "target" / "prepared"
"""Where ``make setup`` leaves what dbt parsed; nothing is written here at run time."""


def prepared(home: Home, own: Path | None = None) -> Project:
    """The project as dbt parsed it: as it was shipped, or made in this home where its files are others since.

    Needs no setting, no network and no warehouse, so that definitions load on a bare machine.

    Args:
        own: a folder of a user's own models, which become part of it.
    """
    name = digest()
    shipped = Project(SHIPPED / name)
    project = shipped if shipped.is_there() else _made(home.dbt / "prepared", name, _parse)
    if own is None:
        return project
    return _made(home.dbt / "own", whole_digest(own), lambda made, work: _parse_with_own(made, work, project, own))


def ship() -> Project:
    """Parse the project as it is now and leave the result beside it."""
    return _made(SHIPPED, digest(), _parse)


def _made(base: Path, name: str, make: Callable[[Project, Path], None]) -> Project:
    """The project's parse below a folder, made if it is not there; those of other states are removed.

    Args:
        make: writes the files of a project into a folder of work.
    """
    project = Project(base / name)
    if project.is_there():
        return project
    base.mkdir(parents=True, exist_ok=True)
    with exclusively(base / ".lock"):
        if not project.is_there():
            shutil.rmtree(project.folder, ignore_errors=True)  # left by one that was killed
            project.folder.mkdir()
            with tempfile.TemporaryDirectory(dir=base, prefix=".making-") as folder:
                make(project, Path(folder))
                for path in (project.manifest_path, project.parsed_path, project.lineage_path):
                    (Path(folder) / path.name).rename(path)
            for other in base.iterdir():
                if other.is_dir() and other != project.folder:
                    shutil.rmtree(other, ignore_errors=True)
    return Project(project.folder)


def _parse(_project: Project, work: Path) -> None:
    from veelocity_pipeline.transform.column_lineage import of_project  # imported late: what it needs is seldom needed
    from veelocity_pipeline.transform.runner import compiled

    compiled(MODELS, work)
    manifest = json.loads((work / "manifest.json").read_bytes())
    found = of_project(manifest, work / "compiled" / "veelocity", MODELS, loaded_columns())
    (work / "column_lineage.json").write_text(json.dumps(found), encoding="utf-8")


def _parse_with_own(project: Project, work: Path, base: Project, own: Path) -> None:
    """Parse a copy of the project with a user's own models, going on from what dbt parsed of the project itself."""
    from veelocity_pipeline.transform.column_lineage import of_project
    from veelocity_pipeline.transform.runner import compiled

    def parse() -> dict[str, str]:
        shutil.copyfile(base.parsed_path, work / base.parsed_path.name)
        compiled(project.copy, work, f"path:models/{CUSTOM}")
        seen = Project(work)
        return {file: seen.manifest["nodes"][name]["schema"] for name, file in seen.own.items()}

    names = [node["name"] for node in base.manifest["nodes"].values() if node["resource_type"] in ("model", "seed")]
    copy = Copy(project.copy, own, names, parse, [])
    copy.make()
    copy.settle()
    manifest = json.loads((work / "manifest.json").read_bytes())
    found = of_project(manifest, work / "compiled" / "veelocity", project.copy, loaded_columns(), known=base.lineage())
    (work / "column_lineage.json").write_text(json.dumps(found), encoding="utf-8")
    said = {"folder": str(own), "left_out": [[each.file, each.problem] for each in copy.left_out]}
    project.own_path.write_text(json.dumps(said), encoding="utf-8")


def main() -> None:
    """Entry point of ``make setup``."""
    os.umask(0o022)  # as the checkout's own files
    ship()


if __name__ == "__main__":
    main()
