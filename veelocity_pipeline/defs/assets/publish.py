"""The marts become the file that everyone reads, and that becomes the report."""

import time
from collections.abc import Sequence

import dagster as dg

from veelocity_pipeline.defs import checks
from veelocity_pipeline.defs.launch import NOTHING
from veelocity_pipeline.defs.resources import WAREHOUSE_POOL, Warehouse, log
from veelocity_pipeline.faces.report import render_report
from veelocity_pipeline.published.export import Format, export
from veelocity_pipeline.published.open import read_published
from veelocity_pipeline.transform.fingerprint import inputs
from veelocity_pipeline.transform.own import own_problems, own_tables, stale_tables
from veelocity_pipeline.transform.project import Project
from veelocity_pipeline.warehouse.home import Home
from veelocity_pipeline.warehouse.publish import publish
from veelocity_pipeline.warehouse.status import remember_build
from veelocity_pipeline.warehouse.upkeep import tidy

PUBLISHED = dg.AssetKey(["published", "veelocity"])
REPORT = dg.AssetKey(["published", "report"])
EXPORT = dg.AssetKey(["published", "export"])


def publish_assets(marts: Sequence[dg.AssetKey], project: Project) -> list[dg.AssetsDefinition]:
    """The publish step over these marts, and the report made from it.

    A failed test of the models fails their step, and then neither of the two runs: what was published stays. What a
    user's own models miss keeps nothing else from being published, so the step does not depend on them.
    """
    named = [checks.AUTHORS_KNOWN, checks.CHANGES_SHIPPED]
    if project.own_folder is not None:
        named.append(checks.OWN_MODELS)

    @dg.asset(
        key=PUBLISHED,
        deps=marts,
        group_name="published",
        kinds={"duckdb"},
        description="veelocity.duckdb: the marts as SQL users, Metabase, Evidence and the report read them.",
        check_specs=[checks.spec(name, PUBLISHED) for name in named],
        pool=WAREHOUSE_POOL,
        config_schema=NOTHING,
    )
    def published_marts(warehouse: Warehouse) -> dg.MaterializeResult:  # type: ignore[type-arg]  # Dagster compares it
        begun = time.monotonic()
        home = warehouse.home
        published = publish(home, own_tables(project), stale_tables(home, project))
        problems = {**own_problems(home, project), **published.refused}
        for file, problem in published.refused.items():
            log.error("%s: %s", file, problem)
        _tidy(home)
        if not problems:  # else the next refresh tries again, and says so again
            remember_build(home, inputs(home, warehouse.settings))
        log.info("Published %d tables, %d rows", len(published.rows), sum(published.rows.values()))
        return dg.MaterializeResult(
            metadata={
                "path": dg.MetadataValue.path(published.path),
                "dagster/row_count": sum(published.rows.values()),
                "bytes": published.size,
                "seconds": round(time.monotonic() - begun, 1),
                "rows": dg.MetadataValue.table(
                    [dg.TableRecord({"table": table, "rows": count}) for table, count in published.rows.items()]
                ),
            },
            check_results=[
                *checks.published_checks(PUBLISHED, published.path),
                *([checks.own_models(PUBLISHED, problems)] if project.own_folder is not None else []),
            ],
        )

    @dg.asset(
        key=REPORT,
        deps=[PUBLISHED],
        group_name="published",
        kinds={"html"},
        description="The report: one file that opens without a network.",
        config_schema=NOTHING,
    )
    def report(warehouse: Warehouse) -> dg.MaterializeResult:  # type: ignore[type-arg]  # Dagster compares it
        begun = time.monotonic()
        path = render_report(warehouse.home.published, warehouse.home.report, is_demo=warehouse.home.is_demo)
        path.chmod(0o600)
        with read_published(warehouse.home.published) as connection:
            points = connection.execute("select count(*) from marts.dora_metrics").fetchall()[0][0]
        return dg.MaterializeResult(
            metadata={
                "path": dg.MetadataValue.path(path),
                "bytes": path.stat().st_size,
                "seconds": round(time.monotonic() - begun, 1),
                "dagster/row_count": points,
            }
        )

    return [published_marts, report]


def _tidy(home: Home) -> None:
    """Keep the working file small. That this fails, for want of room perhaps, is no reason not to publish."""
    try:
        if compacted := tidy(home):
            log.info("Compacted the warehouse from %.0f to %.0f MB", compacted.before / 1e6, compacted.after / 1e6)
    except Exception as error:
        log.warning("The warehouse could not be made smaller: %s", error)


def export_asset(kind: Format) -> dg.AssetsDefinition:
    """The published tables as files for other tools, where the settings name a folder for them."""

    @dg.asset(
        key=EXPORT,
        deps=[PUBLISHED],
        group_name="published",
        kinds={kind},
        description="Every published table as a file of its own, in the folder that VEELOCITY_EXPORT_TO names.",
        config_schema=NOTHING,
    )
    def _export(warehouse: Warehouse) -> dg.MaterializeResult:  # type: ignore[type-arg]  # Dagster compares it
        settings = warehouse.settings
        folder = settings.export_to
        assert folder is not None  # else there is no such asset
        rows = export(
            warehouse.home.published,
            folder,
            settings.export_format,
            verbatim=settings.export_verbatim,
            shared=settings.allow_shared_folders,
            setting="VEELOCITY_EXPORT_TO",
        )
        return dg.MaterializeResult(
            metadata={"path": dg.MetadataValue.path(folder), "dagster/row_count": sum(rows.values())}
        )

    return _export
