"""One asset per raw table, made from the registry of sources; one step per source loads them all.

A step always yields every one of its assets: what could not be read is a failed check beside them and a
row of ``sync_status``, and everything downstream is built from what there is.
"""

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import dagster as dg
import pyarrow as pa
from dagster_dlt import DagsterDltTranslator, build_dlt_asset_specs
from dagster_dlt.translator import DltResourceTranslatorData

from veelocity_pipeline.config.rules import SCHEMAS, config_tables
from veelocity_pipeline.defs import checks
from veelocity_pipeline.defs.launch import NOTHING, REFRESH_CONFIG
from veelocity_pipeline.defs.loaded import CONFIGURED, RAW_KEYS, SYNC_STATUS, first_table, results
from veelocity_pipeline.defs.resources import WAREHOUSE_POOL, Warehouse, log
from veelocity_pipeline.loading.dlt import make_pipeline, prepare, source_of
from veelocity_pipeline.loading.read import load
from veelocity_pipeline.operations.decisions import Configuration
from veelocity_pipeline.operations.measured import measure
from veelocity_pipeline.operations.requested import day_since
from veelocity_pipeline.safety.redaction import without_secrets
from veelocity_pipeline.sources import SOURCES, Outcome, RefreshRequest, SourceEntry
from veelocity_pipeline.warehouse import status
from veelocity_pipeline.warehouse.status import forget_attempts, read_status, record_attempts
from veelocity_pipeline.warehouse.store import connect, store_of, write_tables

CONFIGURATION = "configuration"
"""In the metadata of ``CONFIGURED``: the settings that the marts are built from, for what cannot open the warehouse."""


class RawTranslator(DagsterDltTranslator):
    """Names a raw table as dbt names its source, so that the two graphs join, and gives it no phantom parent."""

    def __init__(self, entry: SourceEntry) -> None:
        self._entry = entry

    def get_asset_spec(self, data: DltResourceTranslatorData) -> dg.AssetSpec:
        """The raw table's asset."""
        table = self._entry.tables[data.resource.name]
        return (
            super()
            .get_asset_spec(data)
            .replace_attributes(
                key=dg.AssetKey([self._entry.name, table.name]),
                deps=[],
                group_name=self._entry.dataset,
                description=table.description,
                kinds={"dlt", "duckdb"},
            )
            .merge_attributes(
                metadata={
                    "dagster/table_name": f"{self._entry.dataset}.{table.name}",
                    "dagster/column_schema": dg.TableSchema(
                        columns=[dg.TableColumn(name, str(kind)) for name, kind in table.stored_columns.items()]
                    ),
                }
            )
        )


def ingest_assets(entry: SourceEntry) -> dg.AssetsDefinition:
    """All raw tables of one source, and the step that loads them."""
    specs = [
        # the library keeps the source and pipeline objects in the metadata; only its own decorator reads them
        spec.replace_attributes(
            metadata={key: value for key, value in spec.metadata.items() if not key.startswith("dagster_dlt/")}
        )
        for spec in build_dlt_asset_specs(source_of(entry), make_pipeline(entry, None), RawTranslator(entry))
    ]

    @dg.multi_asset(
        name=f"ingest_{entry.name}",
        specs=specs,
        check_specs=[
            *(checks.spec(name, spec.key) for spec in specs for name in (checks.COMPLETE, checks.ROWS_KEPT)),
            checks.spec(checks.BUDGET_LEFT, first_table(entry)),
            checks.spec(checks.NOTHING_SKIPPED, first_table(entry)),
        ],
        pool=WAREHOUSE_POOL,
        can_subset=False,
        config_schema=REFRESH_CONFIG,
    )
    def _ingest(context: dg.AssetExecutionContext, warehouse: Warehouse) -> Iterator[dg.MaterializeResult[Any]]:
        config = context.op_execution_context.op_config
        since = day_since(config["since"], config["full"], warehouse.settings.start_date)
        request = RefreshRequest(config["full"], tuple(config["repositories"]), run=context.run_id, since=since)
        begun = time.monotonic()
        outcomes = refresh_source(entry, warehouse, request)
        yield from results(entry, outcomes, measure(entry, warehouse.home, outcomes, time.monotonic() - begun))

    return _ingest


def refresh_source(entry: SourceEntry, target: Warehouse, request: RefreshRequest) -> list[Outcome]:
    """Load one source and write down what became of each table, failures included."""
    if not entry.is_read(target.settings):
        log.info("%s: %s", entry.title, entry.missing)
    else:
        log.info("%s: %s refresh", entry.title, "full" if request.full else "incremental")
    outcomes: list[Outcome] = []
    for settings in entry.connected(target.settings):
        asked = settings.scopes_asked(entry.vendor, request.scopes)
        if request.scopes and not asked:
            continue
        pipeline = make_pipeline(entry, target.home, settings.connection)
        with without_secrets():  # Dagster keeps what is raised, and what that came from
            outcomes += load(entry, settings, pipeline, replace(request, scopes=asked), on_progress=log.info)
    record_attempts(target.home, [outcome.to_row() for outcome in outcomes])
    failed = {(outcome.scope_name, outcome.error) for outcome in outcomes if outcome.error}
    for scope, error in sorted(failed):
        log.error("%s: %s: %s", entry.title, scope, error)
    return outcomes


def _columns(schema: pa.Schema) -> dict[str, dg.TableSchema]:
    return {"dagster/column_schema": dg.TableSchema([dg.TableColumn(each.name, str(each.type)) for each in schema])}


@dg.multi_asset(
    name="write_config",
    specs=[
        dg.AssetSpec(
            ["config", table],
            group_name="config",
            kinds={"python", "duckdb"},
            description=f"The settings' {table.replace('_', ' ')}, as rows that the models join.",
            metadata=_columns(schema),
        )
        for table, schema in SCHEMAS.items()
    ],
    pool=WAREHOUSE_POOL,
    config_schema=NOTHING,
)
def config_assets(warehouse: Warehouse) -> Iterator[dg.MaterializeResult[Any]]:
    """The rules of the settings reach SQL as tables, so that a number can name the rule that made it."""
    yield from write_config(warehouse)


def write_config(target: Warehouse) -> Iterator[dg.MaterializeResult[Any]]:
    """Write ``config.*``; each table says whether it changed."""
    tables = config_tables(target.settings)
    changed = write_tables(target.home, "config", tables)
    present = Configuration.of(target.settings)
    for name, table in tables.items():
        yield dg.MaterializeResult(
            asset_key=dg.AssetKey(["config", name]),
            metadata={
                "dagster/row_count": table.num_rows,
                "changed": changed[name],
                **({CONFIGURATION: dg.MetadataValue.json(present.to_json())} if name == CONFIGURED.path[-1] else {}),
            },
        )


@dg.asset(
    key=SYNC_STATUS,
    deps=RAW_KEYS,
    group_name="operations",
    kinds={"python", "duckdb"},
    metadata=_columns(status.SYNC_STATUS),
    description="One row per source, table and repository: last attempt, last success, rows, watermark, error.",
    check_specs=[checks.spec(checks.READ_ON_TIME, SYNC_STATUS)],
    pool=WAREHOUSE_POOL,
    config_schema=NOTHING,
)
def sync_status(warehouse: Warehouse) -> dg.MaterializeResult:  # type: ignore[type-arg]  # Dagster compares it
    """What the ingest steps wrote down; empty, but there, before the first of them."""
    return _sync_status_result(warehouse)


def _sync_status_result(target: Warehouse) -> dg.MaterializeResult[Any]:
    make_missing_tables(target)
    record_attempts(target.home, [])
    connections = [each.name for each in target.settings.connections]
    forget_attempts(target.home, target.settings.repository_entries, connections)
    rows = read_status(target.home)
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": len(rows),
            "failing": sum(row["error"] is not None for row in rows),
            "bytes_of_warehouse": store_of(target.home).size(),
        },
        check_results=[checks.read_on_time(SYNC_STATUS, rows, target.settings, datetime.now(UTC))],
    )


def make_missing_tables(target: Warehouse) -> None:
    """Make the raw tables, and columns, that no run has made yet, which the models need all the same."""
    with connect(target.home) as connection:
        rows = connection.execute("select schema_name, table_name, column_name from duckdb_columns()").fetchall()
    for entry in SOURCES.values():
        if not {
            (entry.dataset, name, column) for name, table in entry.tables.items() for column in table.schema.names
        } <= set(rows):
            prepare(entry, make_pipeline(entry, target.home))


INGEST = [ingest_assets(entry) for entry in SOURCES.values()]
