"""``veelocity compact`` and ``backup``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from veelocity_pipeline.config.load import expanded, load_settings
from veelocity_pipeline.faces.cli.terminal import out
from veelocity_pipeline.faces.cli.wording import CALLED_FROM, megabytes, say, shown
from veelocity_pipeline.operations.upkeep import shrink_history
from veelocity_pipeline.safety.files import WarehouseError
from veelocity_pipeline.warehouse.home import Home
from veelocity_pipeline.warehouse.store import store_of


def compact() -> None:
    """Give back the disk space that the working file, the run history and the logs no longer need."""
    settings = load_settings()
    home = Home.of(settings)
    if not store_of(home).exists():
        raise WarehouseError("there is nothing to compact yet: run `veelocity refresh` first")
    from veelocity_pipeline.warehouse.lock import writing
    from veelocity_pipeline.warehouse.upkeep import compact as write_anew
    from veelocity_pipeline.warehouse.upkeep import forget_old_loads

    with writing(home, "veelocity compact", waiting=say):
        if home.dagster.joinpath("dagster.yaml").exists():
            from veelocity_pipeline.defs.execute import prune_runs

            out.print(f"{prune_runs(settings):,} old runs deleted")
        shrink_history(home)
        forget_old_loads(home)
        done = write_anew(home)
    sizes_said = f"{megabytes(done.before)} before, {megabytes(done.after)} now"
    out.print(f"{shown(home.working)}: {sizes_said}", soft_wrap=True)


def backup(folder: Annotated[Path, typer.Argument(help="Where to: it is made if it is not there.")]) -> None:
    """Copy the warehouse and the published marts, as they are between two refreshes, into a folder."""
    home = Home.of(load_settings())
    from veelocity_pipeline.warehouse.lock import writing
    from veelocity_pipeline.warehouse.upkeep import back_up

    with writing(home, "veelocity backup", waiting=say):
        for copy in back_up(home, CALLED_FROM / expanded(folder, "the backup's folder")):
            out.print(f"{shown(copy)}: {megabytes(copy.stat().st_size)}", soft_wrap=True)
    out.print("Settings and tokens (veelocity.toml, .env) are not in it; keep them where you keep secrets.")
