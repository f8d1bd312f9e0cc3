"""What a build of the models is made from: their files, and what is loaded. Imports neither Dagster nor dbt."""

from __future__ import annotations

import hashlib
from pathlib import Path

from veelocity_pipeline.settings import CHECKOUT, Settings
from veelocity_pipeline.warehouse import Home, build_inputs, last_build

MODELS = CHECKOUT / "dbt_project"

NOTHING_NEW = "Nothing new was loaded, no rule changed and no day passed: what is published stands"


def project_files(folder: Path) -> list[Path]:
    """Every file of a dbt project that says what its models are."""
    parts = [path for name in ("models", "macros", "seeds", "tests", "docs") for path in (folder / name).rglob("*")]
    return sorted(path for path in [*parts, folder / "dbt_project.yml"] if path.is_file())


def inputs(home: Home, settings: Settings) -> str:
    """What a build of the models would be made from now (``warehouse.build_inputs``)."""
    digest = hashlib.sha256()
    for path in (*project_files(MODELS), CHECKOUT / "veelocity_pipeline" / "lineage.py"):
        digest.update(path.read_bytes())
    return build_inputs(home, settings.timezone, digest.hexdigest())


def is_up_to_date(home: Home, settings: Settings) -> bool:
    """Whether a build now would publish what is published."""
    return inputs(home, settings) == last_build(home)
