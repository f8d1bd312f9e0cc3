"""Every dbt model is an asset, every dbt test a check on it."""

import json
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, DagsterDbtTranslatorSettings, DbtCliResource, DbtProject, dbt_assets

from veelocity_pipeline.build import NOTHING_NEW, is_up_to_date, project_files
from veelocity_pipeline.defs.resources import WAREHOUSE_POOL, Warehouse, dbt_resource, log
from veelocity_pipeline.operations.jobs import REFRESH_JOBS
from veelocity_pipeline.rules import SCHEMAS
from veelocity_pipeline.settings import CHECKOUT
from veelocity_pipeline.sources import SOURCES
from veelocity_pipeline.warehouse import SYNC_STATUS, Home, connect, exclusively, was_ever_read

if TYPE_CHECKING:
    from veelocity_pipeline.column_lineage import Parents

BUILD = ("build", "--exclude-resource-type", "unit_test")
"""Unit tests prove the models to us (`make test`); in production they would only be run again (dagster#34080)."""

LINEAGE = "column_lineage.json"
PARSED = "partial_parse.msgpack"
"""What dbt remembers of its parsing, which takes 5 of the 8 CPU-seconds that it needs before it builds."""


COMPILE = (
    *("compile", "--quiet", "--select", "resource_type:model"),
    # nothing asks the warehouse a question, so that none is opened; a Python model would all the same
    *("--no-introspect", "--no-populate-cache", "--exclude", "file:*.py"),
)


class ModelTranslator(DagsterDbtTranslator):
    """Groups models by their layer, as the folders do, and tells what each of their columns is made from."""

    def __init__(self, lineage: "Mapping[str, Parents]") -> None:
        super().__init__(DagsterDbtTranslatorSettings(enable_code_references=True, enable_source_tests_as_checks=True))
        self._lineage = lineage
        self._keys: dict[str, dg.AssetKey] = {}

    def get_asset_spec(self, manifest: Mapping[str, Any], unique_id: str, project: DbtProject | None) -> dg.AssetSpec:
        """The model's (seed's, source's) asset."""
        spec = super().get_asset_spec(manifest, unique_id, project)
        resource = manifest["nodes"].get(unique_id)
        if resource is None:
            return spec
        layer = "seeds" if resource["resource_type"] == "seed" else resource["fqn"][1]
        spec = spec.replace_attributes(group_name=layer, kinds={"dbt", "duckdb"})
        parents = self._lineage.get(f"{resource['schema']}.{resource['name']}")
        return spec if parents is None else spec.merge_attributes(metadata=self._columns(manifest, resource, parents))

    def _columns(self, manifest: Mapping[str, Any], model: Mapping[str, Any], parents: "Parents") -> dict[str, Any]:
        if not self._keys:
            nodes = [*manifest["nodes"].values(), *manifest["sources"].values()]
            self._keys = {
                f"{node['schema']}.{node['name']}": self.get_asset_key(node)
                for node in nodes
                if node["resource_type"] in ("model", "seed", "source")
            }
        described = {name: (said["data_type"], said["description"]) for name, said in model["columns"].items()}
        columns = []
        for name, made_from in parents.items():
            kind, text = described.get(name, (None, ""))
            origin = ", ".join(f"{table.rpartition('.')[2]}.{column}" for table, column in made_from)
            shown = " ".join(filter(None, (text, origin and f"From {origin}.")))
            columns.append(dg.TableColumn(name, kind or "?", description=shown))
        return {
            "dagster/column_schema": dg.TableSchema(columns),
            "dagster/column_lineage": dg.TableColumnLineage(
                {
                    name: [dg.TableColumnDep(self._keys[table], column) for table, column in made_from]
                    for name, made_from in parents.items()
                }
            ),
        }


def prepared(project: DbtProject, home: Home) -> DbtProject:
    """The project with a manifest and a column lineage that are newer than every file of it; made only when not.

    That needs no setting, no network and no warehouse, so that definitions load on a bare machine.
    """
    folder = Path(project.target_path)
    made = [project.manifest_path, folder / LINEAGE]

    def is_made() -> bool:
        files = [*project_files(Path(project.project_dir)), CHECKOUT / "veelocity_pipeline" / "column_lineage.py"]
        newest = max(path.stat().st_mtime for path in files)
        return all(path.exists() and path.stat().st_mtime >= newest for path in made)

    if not is_made():
        with exclusively(folder / ".parse.lock"):
            if not is_made():
                # a part of what dbt remembers of its parsing, so that a build goes on from it
                os.environ["VEELOCITY_WAREHOUSE"] = str(home.working)
                # (the library's own preparer looks for dbt on PATH)
                dbt_resource(project).cli(list(COMPILE), target_path=folder).wait()
                project.manifest_path.touch()
                _write_lineage(project, folder)
    return project


def _write_lineage(project: DbtProject, folder: Path) -> None:
    from veelocity_pipeline.column_lineage import of_project  # imported late: what it needs is seldom needed

    manifest = json.loads(project.manifest_path.read_text(encoding="utf-8"))
    compiled = folder / "compiled" / project.name
    found = of_project(manifest, compiled, Path(project.project_dir), loaded_columns())
    (folder / LINEAGE).write_text(json.dumps(found), encoding="utf-8")


def loaded_columns() -> dict[str, list[str]]:
    """The columns of each table that models read and do not make, by ``schema.table``."""
    raw = {
        f"{entry.dataset}.{name}": list(table.columns)
        for entry in SOURCES.values()
        for name, table in entry.tables.items()
    }
    config = {f"config.{name}": schema.names for name, schema in SCHEMAS.items()}
    return {**raw, **config, "operations.sync_status": SYNC_STATUS.names}


def transform_assets(project: DbtProject) -> dg.AssetsDefinition:
    """All models, in one step: dbt orders and threads them better than an orchestrator would."""

    @dbt_assets(
        manifest=project.manifest_path,
        project=project,
        name="build_models",
        dagster_dbt_translator=ModelTranslator(json.loads((Path(project.target_path) / LINEAGE).read_text("utf-8"))),
        pool=WAREHOUSE_POOL,
    )
    def _build(context: dg.AssetExecutionContext, dbt: DbtCliResource, warehouse: Warehouse) -> Iterator[Any]:
        if context.run.job_name in REFRESH_JOBS and is_up_to_date(warehouse.home, warehouse.settings):
            # yielding nothing skips this step's assets and, after them, the publish step and the report
            log.info(NOTHING_NEW)
            return
        if not was_ever_read(warehouse.home):
            log.info("Nothing could be read yet: there is nothing to build")
            return
        log.info("Building the models and testing them")
        # one folder for all runs: each would leave a new one behind, and never two build at a time
        folder = warehouse.home.dbt / "run"
        if not (folder / PARSED).exists() and (Path(project.target_path) / PARSED).exists():
            folder.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(Path(project.target_path) / PARSED, folder / PARSED)
        build = dbt.cli(list(BUILD), context=context, target_path=folder)
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
