"""Every dbt model is an asset, every dbt test a check on it."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, DagsterDbtTranslatorSettings, DbtCliResource, DbtProject, dbt_assets

from veelocity_pipeline.build import is_up_to_date, project_files
from veelocity_pipeline.defs.resources import WAREHOUSE_POOL, Warehouse, dbt_resource, log
from veelocity_pipeline.operations.jobs import REFRESH_JOBS
from veelocity_pipeline.warehouse import Home, connect, exclusively, was_ever_read

BUILD = ("build", "--exclude-resource-type", "unit_test")
"""Unit tests prove the models to us (`make test`); in production they would only be run again (dagster#34080)."""


class ModelTranslator(DagsterDbtTranslator):
    """Groups models by their layer, as the folders do."""

    def get_asset_spec(self, manifest: Mapping[str, Any], unique_id: str, project: DbtProject | None) -> dg.AssetSpec:
        """The model's (seed's, source's) asset."""
        spec = super().get_asset_spec(manifest, unique_id, project)
        resource = manifest["nodes"].get(unique_id)
        if resource is None:
            return spec
        layer = "seeds" if resource["resource_type"] == "seed" else resource["fqn"][1]
        return spec.replace_attributes(group_name=layer, kinds={"dbt", "duckdb"})


def prepared(project: DbtProject) -> DbtProject:
    """The project with a manifest that is newer than every file of it; parsed only when it is not.

    Parsing needs no setting, no network and no warehouse, so that definitions load on a bare machine.
    """
    manifest = project.manifest_path
    newest = max(path.stat().st_mtime for path in project_files(Path(project.project_dir)))
    if not manifest.exists() or manifest.stat().st_mtime < newest:
        with exclusively(project.project_dir.joinpath(project.target_path) / ".parse.lock"):
            if not manifest.exists() or manifest.stat().st_mtime < newest:
                # (the library's own preparer looks for dbt on PATH)
                dbt_resource(project).cli(["parse", "--quiet"], target_path=Path(project.target_path)).wait()
                manifest.touch()
    return project


def transform_assets(project: DbtProject) -> dg.AssetsDefinition:
    """All models, in one step: dbt orders and threads them better than an orchestrator would."""

    @dbt_assets(
        manifest=project.manifest_path,
        project=project,
        name="build_models",
        dagster_dbt_translator=ModelTranslator(
            settings=DagsterDbtTranslatorSettings(enable_code_references=True, enable_source_tests_as_checks=True)
        ),
        pool=WAREHOUSE_POOL,
    )
    def _build(context: dg.AssetExecutionContext, dbt: DbtCliResource, warehouse: Warehouse) -> Iterator[Any]:
        if context.run.job_name in REFRESH_JOBS and is_up_to_date(warehouse.home, warehouse.settings):
            # yielding nothing skips this step's assets and, after them, the publish step and the report
            log.info("Nothing new was loaded, no rule changed and no day passed: what is published stands")
            return
        if not was_ever_read(warehouse.home):
            log.info("Nothing could be read yet: there is nothing to build")
            return
        log.info("Building the models and testing them")
        # one folder for all runs: each would leave a new one behind, and never two build at a time
        build = dbt.cli(list(BUILD), context=context, target_path=warehouse.home.dbt / "run")
        yield from with_row_counts(build.stream(), build.manifest, warehouse.home)

    return _build


def with_row_counts(events: Iterable[Any], manifest: Mapping[str, Any], home: Home) -> Iterator[Any]:
    """What dbt did, in its order, each table with its number of rows.

    All of it comes when dbt has ended, since nobody else can open the warehouse before. (The library's own
    ``fetch_row_counts`` waits for the same moment in a loop that keeps a core busy, and leaves a connection open.)
    """
    total = sum(node["resource_type"] in ("model", "seed") for node in manifest["nodes"].values())
    held: list[Any] = []
    failure: Exception | None = None
    built = 0
    try:
        for event in events:
            held.append(event)
            if isinstance(event, dg.Output):
                built += 1
                if built * 4 // total > (built - 1) * 4 // total:
                    log.info("%d of %d models built and tested", built, total)
    except Exception as error:  # what was built before is told, and then this
        failure = error
    with connect(home, read_only=True) as connection:
        for number, event in enumerate(held):
            if isinstance(event, dg.Output):
                relation = manifest["nodes"][str(event.metadata["unique_id"].value)]["relation_name"]
                [(count,)] = connection.execute(f"select count(*) from {relation}").fetchall()
                held[number] = event.with_metadata({**event.metadata, "dagster/row_count": count})
    yield from held
    if failure:
        raise failure
