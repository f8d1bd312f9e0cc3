"""What every writing step needs: the settings, the folder, and the one right to write in it."""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import dagster as dg
from pydantic import PrivateAttr

from veelocity_pipeline.config.load import load_settings
from veelocity_pipeline.config.settings import Settings
from veelocity_pipeline.defs.instance import prune_history
from veelocity_pipeline.operations.jobs import REBUILD
from veelocity_pipeline.operations.requested import check_requested
from veelocity_pipeline.safety import logs
from veelocity_pipeline.sources import SOURCES
from veelocity_pipeline.warehouse.home import DEMO, Home
from veelocity_pipeline.warehouse.lock import alive, writing
from veelocity_pipeline.warehouse.status import read_status

WAREHOUSE_POOL = "warehouse"
"""One run at a time may write; see ``dagster.yaml``. The lock in the folder holds where the daemon does not."""

log = logging.getLogger("veelocity")
"""Progress for people; Dagster keeps it with the run, the command line prints it."""


class Warehouse(dg.ConfigurableResource[Any]):
    """The working file, held from the first step of a run that writes to the last."""

    _settings: Settings = PrivateAttr()
    _home: Home = PrivateAttr()

    @property
    def settings(self) -> Settings:
        """As they were when the run began."""
        return self._settings

    @property
    def home(self) -> Home:
        """The folder that the run writes in."""
        return self._home

    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Iterator["Warehouse"]:
        """Wait for the lock, and let it go when the run ends."""
        self._settings = load_settings()
        self._home = Home.of(self._settings)
        run = context.run
        self._check_request(run)
        if run is not None and run.job_name == REBUILD:
            self._home.check_rebuilds()
        if self._settings.linear_api_key is None and (run is None or run.job_name != REBUILD):
            self._settings.require_sources(())
        os.umask(0o077)
        purpose = f"{run.job_name} (run {run.run_id[:8]})" if run else "a build"
        self._home.make()
        with (
            alive(self._home, run.run_id if run else str(os.getpid())),
            logs.kept(self._home.log, job=run.job_name if run else "", run=run.run_id if run else ""),
            writing(self._home, purpose, log.info),
        ):
            if DEMO not in os.environ and self._home.clear_demo():
                log.info("The demo's data made room for your own")
            try:
                yield self
            finally:
                self._tidy(context.instance)

    def _check_request(self, run: dg.DagsterRun | None) -> None:
        """Refuse before anything is read what the run is configured to read and the settings do not allow."""
        steps: dict[str, Any] = dict(run.run_config if run else {}).get("ops", {})  # type: ignore[assignment]
        for source in SOURCES:
            config = steps.get(f"ingest_{source}", {}).get("config", {})
            rows = read_status(self._home) if config.get("repositories") else []
            read = {row["repository"] for row in rows if row["succeeded_at"]}
            check_requested(self._settings, source, config, read)

    def _tidy(self, instance: dg.DagsterInstance | None) -> None:
        """Let old runs go; that this fails is no reason for the run to fail."""
        if instance is None or not instance.is_persistent:
            return
        try:
            prune_history(instance, self._settings.history_days)
        except Exception as error:
            log.warning("Old runs could not be deleted: %s", error)
