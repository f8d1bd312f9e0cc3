"""dbt, run in this process on a manifest that is in memory.

A process of its own would import dbt again, parse or read the project again and tell what it did as lines of JSON: four
seconds of a build that takes ten. Inside the process dbt ends when the run does, however that ends, and leaves no lock
behind. The connections that it opens are closed when it is done, so that others may open the warehouse.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from veelocity_pipeline.safety.files import WarehouseError
from veelocity_pipeline.safety.foreign import sentence
from veelocity_pipeline.transform.project import Project
from veelocity_pipeline.warehouse.duckdb_file import Target
from veelocity_pipeline.warehouse.home import Home
from veelocity_pipeline.warehouse.store import store_of

if TYPE_CHECKING:
    from dbt.contracts.graph.manifest import Manifest

_QUIET = ("--quiet", "--no-use-colors", "--no-version-check", "--no-send-anonymous-usage-stats")
_LOG = ("--log-level-file=info", "--log-file-max-bytes=2000000")
"""At its own level dbt logs ten megabytes a build; of this size five earlier ones are kept."""


_NOWHERE = Home(Path("/nowhere"))
"""Relations are named by their store, so one is needed to parse. It is always this one, which nothing opens: dbt parses
everything again where a profile changes."""


class BuildError(WarehouseError):
    """dbt could not build a model, or a test of one found something."""


@dataclass(frozen=True)
class Done:
    """What became of a node.

    Attributes:
        unique_id: as the manifest has it.
        status: dbt's: success, pass, fail, error, skipped, warn.
        seconds: it took.
        message: dbt's own, of an error.
        failures: rows that a test found.
        sql: that a test ran.
    """

    unique_id: str
    status: str
    seconds: float
    message: str = ""
    failures: int = 0
    sql: str = ""

    @property
    def is_good(self) -> bool:
        """Whether what depends on it may go on."""
        return self.status in ("success", "pass", "warn")


@dataclass
class Runner:
    """Runs dbt's commands on one manifest, one after another.

    Attributes:
        on_built: called with the unique id of each model and seed when it is built, in any thread.
    """

    project: Project
    home: Home
    on_built: Callable[[str], None] = lambda _unique_id: None
    _manifest: Manifest | None = field(default=None, init=False)

    def build(self, select: Sequence[str], *, with_tests: bool = True) -> list[Done]:
        """Build what is selected.

        Args:
            select: dbt's selection; it may not be empty.
            with_tests: run the tests of it, too. (Unit tests prove the models to us; in production they would only be
                run again, dagster#34080.)

        Returns:
            what became of each node, in the order in which they ended; a failed one raises nothing.

        Raises:
            BuildError: dbt could not begin.
            KeyboardInterrupt: a signal asked to stop. Queries that ran were cancelled.
        """
        from dbt.contracts.graph.manifest import Manifest

        if self._manifest is None:
            self._manifest = Manifest.from_msgpack(self.project.parsed_path.read_bytes())
            self._manifest.build_flat_graph()
        command = [
            *("build", "--no-write-json", "--exclude-resource-type", "unit_test", *_LOG),
            *(() if with_tests else ("--exclude-resource-type", "test")),
            *("--target-path", str(self.home.dbt / "run"), "--log-path", str(self.home.dbt / "logs")),
            *("--select", *select),
        ]
        result = _invoke(command, self.project.models, store_of(self.home).dbt_target(), self._manifest, [self._hear])
        return [_done(each) for each in getattr(result, "results", ())]  # none where nothing was selected

    def _hear(self, event: Any) -> None:
        if event.info.name == "NodeFinished":
            node = event.data.node_info
            if node.resource_type in ("model", "seed") and node.node_status == "success":
                self.on_built(node.unique_id)


def compiled(project: Path, folder: Path, select: str = "resource_type:model") -> None:
    """Parse a project and compile models of it into a folder; no warehouse is opened.

    What dbt parsed in that folder before is gone on from.

    Raises:
        BuildError: the project cannot be parsed or compiled; its cause is dbt's own error.
    """
    command = [
        # nothing asks the warehouse a question, so that none is opened; a Python model would all the same
        *("compile", "--select", select, "--no-introspect", "--no-populate-cache", "--exclude", "file:*.py", *_LOG),
        *("--target-path", str(folder), "--log-path", str(folder / "logs")),
    ]
    _invoke(command, project, store_of(_NOWHERE).dbt_target())


def _invoke(
    command: list[str],
    project: Path,
    target: Target,
    manifest: Manifest | None = None,
    callbacks: list[Callable[[Any], None]] | None = None,
) -> Any:
    """Call dbt; what it opened is closed when it returns.

    Raises:
        BuildError: it could not begin.
        KeyboardInterrupt: a signal asked to stop.
    """
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager
    from dbt.adapters.factory import reset_adapters
    from dbt.cli.main import dbtRunner

    place = ("--project-dir", str(project), "--profiles-dir", str(project), "--target", target.name)
    folder = Path.cwd()
    os.environ.update(target.environment)
    try:
        with _interruptible():
            result = dbtRunner(manifest, callbacks).invoke([*command, *_QUIET, *place])
    finally:
        os.chdir(folder)
        reset_adapters()
        DuckDBConnectionManager.close_all_connections()
    if isinstance(result.exception, KeyboardInterrupt):
        raise result.exception
    if result.exception is not None:
        said = sentence(result.exception) or type(result.exception).__name__
        raise BuildError(f"dbt could not begin: {said}") from result.exception
    return result.result


@contextlib.contextmanager
def _interruptible() -> Iterator[None]:
    """Have dbt cancel its queries when this process is asked to stop: it does so for KeyboardInterrupt alone.

    Dagster's own exception would leave them running until they end by themselves.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {each: signal.signal(each, signal.default_int_handler) for each in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _done(result: Any) -> Done:
    return Done(
        unique_id=result.node.unique_id,
        status=str(result.status),
        seconds=result.execution_time,
        message=result.message or "",
        failures=result.failures or 0,
        sql=getattr(result.node, "compiled_code", None) or "",
    )
