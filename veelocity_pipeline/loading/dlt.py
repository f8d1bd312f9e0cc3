"""How dlt loads a source: its pipeline into the warehouse, its tables, and the state that is saved with them."""

from __future__ import annotations

import contextlib
import functools
import os
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from veelocity_pipeline.safety.files import WarehouseError
from veelocity_pipeline.sources.kit.connector import SourceEntry
from veelocity_pipeline.sources.kit.http.errors import SourceError
from veelocity_pipeline.sources.kit.tables import GONE_COLUMN
from veelocity_pipeline.warehouse.home import Home
from veelocity_pipeline.warehouse.store import store_of

if TYPE_CHECKING:
    import dlt
    from dlt.extract import DltSource


class LoadError(SourceError):
    """The warehouse did not take the rows; nothing of the batch counts as read."""


_SCOPES = "scopes"
"""Key of the source's state in dlt: scope's id → its ``name`` and ``mark``."""


def source_of(
    entry: SourceEntry,
    batch: Mapping[str, pa.Table] | None = None,
    scopes: Mapping[str, Mapping[str, Any]] | None = None,
) -> DltSource:
    """Make a dlt source, with one resource for each table of ``batch`` (all of them, and no row, without one).

    Needs no setting: assets are made from it, too.

    Args:
        batch: what to load, by table, in the tables' declared schemas.
        scopes: what to remember of each scope in the state that is saved with this load.
    """
    import dlt

    tables = {name: table.arrow([]) for name, table in entry.tables.items()} if batch is None else batch

    def remember() -> Iterator[pa.Table]:
        dlt.current.source_state().setdefault(_SCOPES, {}).update(scopes or {})
        yield from ()

    @dlt.source(name=entry.name, section=entry.name, max_table_nesting=0)
    def build() -> Iterator[Any]:
        for number, (name, content) in enumerate(tables.items()):
            table = entry.tables[name]

            def rows(content: pa.Table = content, is_first: bool = number == 0) -> Iterator[pa.Table]:
                if is_first:
                    yield from remember()
                yield content

            keys: dict[str, Any] = (
                {"primary_key": table.primary_key}
                if table.primary_key
                else {
                    "merge_key": table.merge_key,
                    "columns": {GONE_COLUMN: {"data_type": "bool", "hard_delete": True}},
                }
            )
            yield dlt.resource(
                rows(),
                name=name,
                write_disposition="merge",
                schema_contract={"tables": "evolve", "columns": "evolve", "data_type": "freeze"},
                **keys,
            )

    return build()


@functools.cache
def _scratch() -> tempfile.TemporaryDirectory[str]:
    """A folder for pipelines that never run; gone when the process ends."""
    return tempfile.TemporaryDirectory(prefix="veelocity-dlt-")


def pipeline_name(entry: SourceEntry, connection: str) -> str:
    # dlt keeps a state by pipeline, so each connection has its own marks
    return f"veelocity_{entry.name}" + (f"_{connection}" if connection else "")


def make_pipeline(entry: SourceEntry, home: Home | None, connection: str = "") -> dlt.Pipeline:
    """The source's dlt pipeline into the warehouse; without a home one that only describes itself.

    Args:
        connection: whose rows and marks it loads; empty for the vendor's own.
    """
    import dlt

    # The caller decides what a signal means; dlt would turn it into a failed load, and the run would go on.
    os.environ["RUNTIME__INTERCEPT_SIGNALS"] = "false"
    # Neither files nor rows of a load that ended well stay beside the tables that it went into.
    os.environ["LOAD__DELETE_COMPLETED_JOBS"] = "true"
    os.environ["LOAD__TRUNCATE_STAGING_DATASET"] = "true"
    folder = str(home.dlt) if home else _scratch().name
    return dlt.pipeline(
        pipeline_name(entry, connection),
        pipelines_dir=folder,
        destination=store_of(home).dlt_destination() if home else dlt.destinations.duckdb(":memory:"),
        dataset_name=entry.dataset,
    )


def prepare(entry: SourceEntry, pipeline: dlt.Pipeline) -> None:
    """Make the pipeline go on from what the warehouse holds, and every raw table exist.

    Whatever a killed run left in dlt's own folder is thrown away: rows that were not loaded will be
    read again, since their mark was not saved either.

    Raises:
        LoadError: the warehouse cannot be used.
    """
    make_tables(entry, pipeline, go_on(entry, pipeline))


def go_on(entry: SourceEntry, pipeline: dlt.Pipeline) -> dict[str, pa.Table]:
    """The first half of ``prepare``. Returns what is still to be made: tables that are not there, or lack a column."""
    with loading(pipeline):
        pipeline.drop()
        pipeline.sync_destination()
    there = pipeline.schemas[entry.name].tables if entry.name in pipeline.schemas else {}
    return {
        name: table.arrow([])
        for name, table in entry.tables.items()
        if not set(table.schema.names) <= set(there.get(name, {}).get("columns", {}))
    }


def make_tables(entry: SourceEntry, pipeline: dlt.Pipeline, missing: Mapping[str, pa.Table]) -> None:
    if missing:
        with loading(pipeline):
            pipeline.run(source_of(entry, missing), loader_file_format="parquet")


@contextlib.contextmanager
def loading(pipeline: dlt.Pipeline) -> Iterator[None]:
    """Keep the warehouse open, and turn what dlt raises into one sentence.

    For each of its jobs, two or three a table, dlt opens the file and closes it again, with a checkpoint: a third of
    the CPU of a small load (3.1 against 2.0 s, November 2026). While another connection of this process is open, both
    cost nothing.
    """
    from dlt.common.destination.exceptions import DestinationException
    from dlt.pipeline.exceptions import PipelineStepFailed

    store = store_of(Home(Path(pipeline.pipelines_dir).parent))
    try:
        with store.connect():
            yield
    except WarehouseError as error:
        raise LoadError(str(error)) from error
    except (PipelineStepFailed, DestinationException, OSError) as error:
        cause = error.exception if isinstance(error, PipelineStepFailed) and error.exception else error
        if (known := store.explained(cause)) is not cause:
            raise LoadError(str(known)) from error
        lines = [line.strip() for line in str(cause).splitlines() if line.strip()]
        raise LoadError(
            f"The warehouse could not be written: {lines[-1] if lines else type(cause).__name__}"
        ) from error


def scopes_of(entry: SourceEntry, state: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """What the state of the source's pipeline remembers of each scope."""
    scopes: dict[str, dict[str, Any]] = (state.get("sources") or {}).get(entry.name, {}).get(_SCOPES, {})
    return scopes
