"""The folder `VEELOCITY_HOME` and the names of what is in it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from veelocity_pipeline.safety.files import (
    HomeError,
    WarehouseError,
    check_folder,
    claim_folder,
    make_folder,
    open_text,
    refuse_link,
)

if TYPE_CHECKING:
    from veelocity_pipeline.config.settings import Settings

DEMO = "VEELOCITY_DEMO"
"""Set by `veelocity demo` alone, for its own process: what it loads is simulated and stays apart from real data."""


@dataclass(frozen=True)
class Home:
    """The folder for everything that the program writes, and the names in it.

    Attributes:
        is_shared: it is taken as it is, even where others may write it.
    """

    path: Path
    is_shared: bool = False

    @classmethod
    def of(cls, settings: Settings) -> Home:
        """Return the folder that the settings name."""
        return cls(settings.home, settings.allow_shared_folders)

    @property
    def published(self) -> Path:
        """The marts that people, BI tools and the report read."""
        return self.path / "veelocity.duckdb"

    @property
    def working(self) -> Path:
        """Raw, config, staging, intermediate and marts: the pipeline's own."""
        return self.path / "warehouse.duckdb"

    @property
    def working_log(self) -> Path:
        """What DuckDB has written and not yet put into the working file; there while it is open, or after a kill."""
        return self.path / "warehouse.duckdb.wal"

    @property
    def lock(self) -> Path:
        """Held by the one process that writes."""
        return self.path / "warehouse.lock"

    @property
    def status(self) -> Path:
        """Every source's, table's and repository's last attempt, as JSON."""
        return self.path / "status.json"

    @property
    def dagster(self) -> Path:
        """Dagster's home: runs, events, schedules."""
        return self.path / "dagster"

    @property
    def dlt(self) -> Path:
        """dlt's pipelines folder. Their state lives in the warehouse; this may be deleted."""
        return self.path / "dlt"

    @property
    def dbt(self) -> Path:
        """dbt's target and logs."""
        return self.path / "dbt"

    @property
    def report(self) -> Path:
        """The report: one HTML file."""
        return self.path / "report" / "index.html"

    @property
    def log(self) -> Path:
        """What the pipeline says while it runs: one JSON object a line."""
        return self.path / "logs" / "veelocity.jsonl"

    @property
    def _demo_mark(self) -> Path:
        return self.path / ".demo"

    @property
    def is_demo(self) -> bool:
        """Whether what is in here is simulated."""
        return self._demo_mark.exists()

    def claim_for_demo(self) -> None:
        """Say that what is written here is simulated.

        Raises:
            WarehouseError: the folder holds real data, which simulated ones must not mix with.
        """
        self.make()
        if self.working.exists() and not self._demo_mark.exists():
            raise WarehouseError(
                f"{self.path} holds your own data; give the demo another folder: VEELOCITY_HOME=data/demo make demo"
            )
        open_text(self._demo_mark, "a").close()

    def check_rebuilds(self) -> None:
        """Check that what is loaded here may be rebuilt with the user's own rules.

        Raises:
            WarehouseError: it is the demo's, whose rules went with its simulator.
        """
        if self.is_demo and DEMO not in os.environ:
            raise WarehouseError(
                f"{self.path} holds the demo's data, which have rules of their own: run `make demo` to rebuild them, "
                "or `veelocity refresh` with your own token to replace them"
            )

    def clear_demo(self) -> bool:
        """Take the demo's data away, so that real ones never mix with them; False where there are none."""
        if not self._demo_mark.exists():
            return False
        for path in (self.working, self.working_log, self.published, self.status):
            path.unlink(missing_ok=True)
        self._demo_mark.unlink()
        return True

    def make(self) -> None:
        """Create the folder, for its owner alone to write, and see that nothing in it leads elsewhere.

        Raises:
            FolderError: the folder cannot be made or written, others may write it, or something in it is a link.
        """
        check_folder(self.path, "VEELOCITY_HOME", shared=self.is_shared)
        try:
            # others reach the published file; everything else is closed by its own mode
            make_folder(self.path, 0o755)
            if not os.access(self.path, os.W_OK | os.X_OK):
                raise PermissionError("it is not writable")
            for folder in (self.dagster, self.dlt, self.dbt, self.log.parent, self.report.parent):
                claim_folder(folder)
            refuse_links(self)
        except OSError as error:
            raise HomeError(
                f"VEELOCITY_HOME: {self.path} cannot be used ({error}); name a folder you may write"
            ) from None


def refuse_links(home: Home) -> None:
    """See that DuckDB, which opens the working file and its log by their names, follows no link there."""
    for file in (home.working, home.working_log):
        refuse_link(file)
