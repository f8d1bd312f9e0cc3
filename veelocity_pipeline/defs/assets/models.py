"""Every dbt model is an asset, the conditions that it keeps are a check on it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, DagsterDbtTranslatorSettings, DbtProject, dbt_assets

from veelocity_pipeline.defs.resources import WAREHOUSE_POOL, Warehouse, log
from veelocity_pipeline.operations.jobs import BUILD_TAG, EVERYTHING, REFRESH_JOBS
from veelocity_pipeline.safety.foreign import sentence
from veelocity_pipeline.transform.build import selector, steps
from veelocity_pipeline.transform.fingerprint import NOTHING_NEW, Building, Plan, is_up_to_date
from veelocity_pipeline.transform.own import remember_problems
from veelocity_pipeline.transform.project import MODELS, Project
from veelocity_pipeline.transform.runner import BuildError, Done, Runner
from veelocity_pipeline.warehouse.home import Home
from veelocity_pipeline.warehouse.publish import PUBLIC_SCHEMA
from veelocity_pipeline.warehouse.status import was_ever_read
from veelocity_pipeline.warehouse.store import connect

if TYPE_CHECKING:
    from veelocity_pipeline.transform.column_lineage import Parents

CONDITIONS = "conditions"
"""Name of the generic test of the project, and of the check that it is on each asset."""

MOST_EXAMPLES = 5
"""Rows that a failed check shows of each condition."""

_UNIQUE_ID = "dagster_dbt/unique_id"
"""Of the metadata of each model's and check's specification."""


class ModelTranslator(DagsterDbtTranslator):
    """Groups models by their layer, as the folders do, and tells what each of their columns is made from."""

    def __init__(self, project: Project) -> None:
        super().__init__(DagsterDbtTranslatorSettings(enable_code_references=True, enable_source_tests_as_checks=True))
        self._project = project
        self._lineage = project.lineage()
        self._keys: dict[str, dg.AssetKey] = {}

    def get_asset_spec(self, manifest: Mapping[str, Any], unique_id: str, project: DbtProject | None) -> dg.AssetSpec:
        """The model's (seed's, source's) asset."""
        spec = super().get_asset_spec(manifest, unique_id, project)
        resource = manifest["nodes"].get(unique_id)
        if resource is None:
            return spec
        layer = "seeds" if resource["resource_type"] == "seed" else resource["fqn"][1]
        spec = spec.replace_attributes(group_name=layer, kinds={"dbt", "duckdb"})
        if unique_id in self._project.own and self._project.own_folder is not None:
            file = self._project.own_folder / self._project.own[unique_id]
            spec = spec.merge_attributes(metadata=_code(file))
        parents = self._lineage.get(f"{resource['schema']}.{resource['name']}")
        return spec if parents is None else spec.merge_attributes(metadata=self._columns(manifest, resource, parents))

    def get_asset_check_spec(
        self,
        asset_spec: dg.AssetSpec,
        manifest: Mapping[str, Any],
        unique_id: str,
        project: DbtProject | None,
    ) -> dg.AssetCheckSpec | None:
        """The check that a test is; the conditions of a model are one, whose description lists them.

        It blocks nothing by itself, since the step fails with it. (A check of a raw table that did would have to come
        before whatever else reads the table, and Dagster would cut the step into parts.)
        """
        spec = super().get_asset_check_spec(asset_spec, manifest, unique_id, project)
        if spec is None:
            return None
        test = manifest["nodes"][unique_id].get("test_metadata") or {}
        if test.get("name") != CONDITIONS or self._project.own_of(unique_id):  # there may be several of them
            return spec._replace(blocking=False)
        return spec._replace(name=CONDITIONS, description=". ".join(conditions(test["kwargs"])), blocking=False)

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
                    name: [
                        dg.TableColumnDep(self._keys[table], column)
                        for table, column in made_from
                        if table in self._keys
                    ]
                    for name, made_from in parents.items()
                }
            ),
        }


def _code(file: Path) -> dict[str, Any]:
    """Where the code of an asset is, as metadata."""
    reference = dg.LocalFileCodeReference(file_path=str(file), line_number=1)
    return {"dagster/code_references": dg.CodeReferencesMetadataValue(code_references=[reference])}


def conditions(arguments: Mapping[str, Any]) -> list[str]:
    """The names of the conditions of a model, as its test calls them (``macros/conditions.sql``)."""
    keys = [[key] if isinstance(key, str) else key for key in arguments.get("unique", ())]
    return [
        *(["one row"] if arguments.get("one_row") else []),
        *(f"unique: {', '.join(key)}" for key in keys),
        *(f"not null: {column}" for column in arguments.get("not_null", ())),
        *(f"accepted values: {column}" for column in arguments.get("accepted_values", {})),
        *(f"relationship: {each['column']}" for each in arguments.get("relationships", ())),
        *(f"expression: {name}" for name in arguments.get("expressions", {})),
    ]


def transform_assets(project: Project) -> dg.AssetsDefinition:
    """All models, in one step: dbt orders and threads them better than an orchestrator would."""

    @dbt_assets(
        manifest=project.manifest,
        project=DbtProject(project_dir=MODELS, profiles_dir=MODELS, target_path=project.folder),
        name="build_models",
        dagster_dbt_translator=ModelTranslator(project),
        pool=WAREHOUSE_POOL,
    )
    def _build(context: dg.AssetExecutionContext, warehouse: Warehouse) -> Iterator[Any]:
        is_refresh = context.run.job_name in REFRESH_JOBS
        everything = context.run.tags.get(BUILD_TAG) == EVERYTHING
        if is_refresh and not everything and is_up_to_date(warehouse.home, warehouse.settings):
            # yielding nothing skips this step's assets and, after them, the publish step and the report
            log.info(NOTHING_NEW)
            return
        if not was_ever_read(warehouse.home):
            log.info("Nothing could be read yet: there is nothing to build")
            return
        for file in project.left_out:
            log.error("%s: %s", file.file, file.problem)
        step = _Step(context, project, warehouse.home)
        if step.is_part:
            yield from step.build_selected()
        else:
            building = Building(project, warehouse.home, everything=everything, trust=is_refresh)
            yield from step.build_changed(building)

    return _build


class _Step:
    """One run of the step that builds the models: calls dbt, and tells Dagster what came of it."""

    def __init__(self, context: dg.AssetExecutionContext, project: Project, home: Home) -> None:
        definition = context.assets_def
        self._project = project
        self._home = home
        self._keys = {spec.metadata[_UNIQUE_ID]: spec.key for spec in definition.specs if _UNIQUE_ID in spec.metadata}
        self._checks = {spec.metadata[_UNIQUE_ID]: spec.key for spec in definition.check_specs}
        self._selected = context.selected_asset_keys
        self.is_part = len(self._selected) < len(self._keys)
        self._built = 0
        self._runner = Runner(project, home, self._count)

    def build_selected(self) -> Iterator[Any]:
        """Build what somebody chose in the UI, whether or not it changed."""
        chosen = [name for name, key in self._keys.items() if key in self._selected]
        building = Building(self._project, self._home)
        building.begin(Plan(dict.fromkeys(chosen, ()), [], is_last=False, is_everything=False))
        yield from self._tell(self._runner.build(list(map(selector, chosen))), {})

    def build_changed(self, building: Building) -> Iterator[Any]:
        """Build each model whose inputs changed, and run its tests.

        Raises:
            BuildError: a model could not be built, or a test found something. It names the first.
        """
        because: dict[str, Sequence[str]] = {}
        for plan, done in steps(building, self._runner, log.info):
            because |= plan.nodes
            if plan.is_last:  # they read nothing that this step made, and come before what reads them
                yield from self._unchanged(name for name in building.models if name not in because)
            yield from self._tell(done, because)

    def _count(self, _unique_id: str) -> None:
        self._built += 1
        if self._built % 25 == 0:
            log.info("%d models built", self._built)

    def _tell(self, done: Sequence[Done], because: Mapping[str, Sequence[str]]) -> Iterator[Any]:
        """What dbt did: each table with its number of rows, each test with what it found.

        Raises:
            BuildError: something failed; all else is told before.
        """
        wrong: list[str] = []
        own: dict[str, str] = {}
        with connect(self._home, read_only=True) as connection:
            for each in done:
                node = self._project.manifest["nodes"][each.unique_id]
                if each.unique_id in self._keys and each.is_good:
                    [(count,)] = connection.execute(f"select count(*) from {node['relation_name']}").fetchall()
                    yield dg.MaterializeResult(
                        asset_key=self._keys[each.unique_id],
                        metadata={
                            "unique_id": each.unique_id,
                            "Execution Duration": round(each.seconds, 3),
                            "dagster/row_count": count,
                            **_reason(because.get(each.unique_id, ())),
                        },
                    )
                elif each.unique_id.startswith("test.") and each.status in ("pass", "fail", "warn"):
                    found = _failures(connection, each) if each.failures else []
                    if each.unique_id in self._checks:  # a run without the raw tables has none of their checks
                        yield self._check_result(each, node, found)
                    if each.status == "fail":
                        self._blame(each, _said_of_test(node, each, found), wrong, own)
                elif not each.is_good and each.status != "skipped":
                    said = f"could not be built: {sentence(_first_line(each.message))}"
                    is_own = self._project.own_of(each.unique_id) is not None  # whose file is named anyway
                    self._blame(each, said if is_own else f"{node['name']} {said}", wrong, own)
            skipped = [each for each in done if each.status == "skipped"]
            for each in skipped:
                if (of := self._project.own_of(each.unique_id)) is not None:
                    own.setdefault(of, "it was not built, since what it reads was not")
            if not wrong and any(self._project.own_of(each.unique_id) is None for each in skipped):
                wrong.append("dbt left models out and does not say why")
        self._tell_own(done, own)
        if wrong:
            more = f" (and {len(wrong) - 1} more: see the run in Dagster)" if len(wrong) > 1 else ""
            raise BuildError(wrong[0] + more)

    def _blame(self, done: Done, said: str, wrong: list[str], own: dict[str, str]) -> None:
        """Note what failed: of a user's own model by its name, of everything else for the whole step."""
        of = self._project.own_of(done.unique_id)
        if of is None:
            wrong.append(said)
        else:
            own.setdefault(of, said)

    def _tell_own(self, done: Sequence[Done], problems: Mapping[str, str]) -> None:
        """Say and remember what is wrong with a user's own models; everything else goes on."""
        if self._project.own_folder is None:
            return
        built = {each.unique_id for each in done if each.is_good and each.unique_id not in problems}
        remember_problems(self._home, self._project, built, problems)
        for name, problem in problems.items():
            log.error("%s: %s", self._project.own_file(name), problem)

    def _check_result(
        self, done: Done, node: Mapping[str, Any], found: Sequence[tuple[str, int, list[str]]]
    ) -> dg.AssetCheckResult:
        key = self._checks[done.unique_id]
        names = conditions(node["test_metadata"]["kwargs"]) if found and _is_ours(node) else []
        records = [
            dg.TableRecord({"condition": name, "failing_rows": count, "examples": "\n".join(map(sentence, rows))})
            for name, count, rows in found
        ]
        metadata: dict[str, Any] = {"dagster_dbt/failed_row_count": done.failures}
        if records:
            metadata |= {"failed": dg.MetadataValue.table(records), "conditions": len(names)}
        return dg.AssetCheckResult(
            asset_key=key.asset_key,
            check_name=key.name,
            passed=done.status == "pass",
            severity=dg.AssetCheckSeverity.WARN if done.status == "warn" else dg.AssetCheckSeverity.ERROR,
            metadata=metadata,
            description=_said_of_test(node, done, found) if found else None,
        )

    def _unchanged(self, names: Iterable[str]) -> Iterator[dg.MaterializeResult[Any]]:
        """Say of each mart that is left as it is that it is up to date, since what is published is made of all."""
        for name in names:
            if self._project.manifest["nodes"][name]["schema"] == PUBLIC_SCHEMA:
                yield dg.MaterializeResult(
                    asset_key=self._keys[name],
                    metadata={"unique_id": name, "not_rebuilt": "None of its inputs changed since it was built."},
                )


def _reason(changed: Sequence[str]) -> dict[str, str]:
    return {"rebuilt_because": f"{', '.join(changed)} changed"} if changed else {}


def _is_ours(node: Mapping[str, Any]) -> bool:
    return (node.get("test_metadata") or {}).get("name") == CONDITIONS


def _failures(connection: Any, done: Done) -> list[tuple[str, int, list[str]]]:
    """Which conditions failed: name, number of rows, some of the rows."""
    query = f"select * from ({done.sql})"
    columns = [name for name, *_ in connection.execute(f"describe {query}").fetchall()]
    if columns != ["condition", "failing_row"]:
        rows = [str(row) for row in connection.execute(f"{query} limit {MOST_EXAMPLES}").fetchall()]
        return [("", done.failures, rows)]
    return [
        (name, count, rows)
        for name, count, rows in connection.execute(
            f"""select condition, count(*), list(failing_row order by failing_row)[:{MOST_EXAMPLES}]
                from ({done.sql}) group by condition order by condition"""
        ).fetchall()
    ]


def _said_of_test(node: Mapping[str, Any], done: Done, found: Sequence[tuple[str, int, list[str]]]) -> str:
    """What a test found, in a sentence: which condition of which model, how many rows, one of them."""
    name, count, rows = found[0] if found else ("", done.failures, [])
    # (a model's name is in that of its test, unless dbt had to shorten it)
    of = (node.get("attached_node") or "").rpartition(".")[2] or node["name"].removesuffix(f"_{CONDITIONS}")
    what = f'breaks "{name}"' if name else f"fails the test {node['name']}"
    example = f", for example {sentence(rows[0], 300)}" if rows else ""
    return f"{of} {what} in {count:,} {'row' if count == 1 else 'rows'}{example}"


def _first_line(message: str) -> str:
    """The line of dbt's message that says why, below the line that says where."""
    lines = [line.strip() for line in message.splitlines() if line.strip()]
    return next((line for line in lines[1:] if not line.endswith(":")), lines[0] if lines else "unknown")
