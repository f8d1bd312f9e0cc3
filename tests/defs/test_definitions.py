"""What Dagster sees: one joined graph, loaded with no setting at all."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import duckdb
import pytest

from veelocity_pipeline.config.settings import CHECKOUT
from veelocity_pipeline.defs.jobs import left_out, run_config
from veelocity_pipeline.sources import SOURCES, Outcome
from veelocity_pipeline.transform.prepare import ship
from veelocity_pipeline.warehouse.home import Home

T = datetime(2026, 3, 1, tzinfo=UTC)


def test_the_code_location_validates_without_settings(tmp_path: Path) -> None:
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "VEELOCITY_HOME": str(tmp_path / "home"),
        "VEELOCITY_ENV_FILE": os.devnull,
    }
    for command in (["dagster", "definitions", "validate", "-w", "workspace.yaml"], ["dg", "check", "defs"]):
        tool = Path(sys.executable).with_name(command[0])
        result = subprocess.run(
            [tool, *command[1:]], cwd=CHECKOUT, env=environment, capture_output=True, text=True, check=False
        )
        assert result.returncode == 0, result.stdout[-2000:] + result.stderr[-2000:]


def test_the_graph_has_no_phantom_parent(defs: dg.Definitions) -> None:
    graph = defs.resolve_asset_graph()
    made = graph.materializable_asset_keys
    needed = {parent for key in graph.get_all_asset_keys() for parent in graph.get(key).parent_keys}
    assert needed - made == set()


def test_every_raw_table_reaches_the_published_file(defs: dg.Definitions) -> None:
    graph = defs.resolve_asset_graph()
    upstream = {dg.AssetKey(["published", "report"])}
    waiting = list(upstream)
    while waiting:
        for parent in graph.get(waiting.pop()).parent_keys - upstream:
            upstream.add(parent)
            waiting.append(parent)
    for entry in SOURCES.values():
        for table in entry.tables:
            assert dg.AssetKey([entry.name, table]) in upstream, f"{entry.name}.{table} is read by no model"


def test_every_asset_says_what_it_is(defs: dg.Definitions) -> None:
    graph = defs.resolve_asset_graph()
    for key in graph.get_all_asset_keys():
        node = graph.get(key)
        assert node.group_name != "default", key
        assert node.description, key
        assert node.kinds, key


def test_dbt_tests_are_checks(defs: dg.Definitions) -> None:
    graph = defs.resolve_asset_graph()
    checks = {check.name for check in graph.asset_check_keys}
    assert "read_completely" in checks
    of = {check.asset_key.to_user_string() for check in graph.asset_check_keys if check.name == "conditions"}
    assert {"github/pull_requests", "intermediate/int_changes", "marts/fct_pull_requests"} <= of
    spec = graph.get_check_spec(dg.AssetCheckKey(dg.AssetKey(["marts", "fct_pull_requests"]), "conditions"))
    assert "not null: created_at" in str(spec.description)


def test_one_step_builds_all_models(defs: dg.Definitions) -> None:
    steps = defs.resolve_job_def("incremental_refresh").graph.node_dict
    assert [name for name in steps if name.startswith("build_models")] == ["build_models"]


def test_both_jobs_run_the_whole_graph(defs: dg.Definitions) -> None:
    everything = defs.resolve_asset_graph().materializable_asset_keys
    for name in ("incremental_refresh", "full_refresh"):
        job = defs.resolve_job_def(name)
        assert set(job.asset_layer.executable_asset_keys) == everything
        assert job.executor_def.name == "in_process"


def test_a_users_own_model_is_an_asset_with_its_tests_as_checks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from veelocity_pipeline.defs.location import definitions

    own = tmp_path / "models"
    own.mkdir()
    (own / "acme.sql").write_text("select repository_id from {{ ref('dim_repositories') }}")
    (own / "acme.yml").write_text(
        """models:
- name: acme
  data_tests:
    - conditions: {name: first, arguments: {not_null: [repository_id]}}
    - conditions: {name: second, arguments: {unique: [repository_id]}}"""
    )
    (own / "broken.sql").write_text("select {{")
    monkeypatch.setenv("VEELOCITY_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("VEELOCITY_MODELS", str(own))
    ship()
    graph = definitions().resolve_asset_graph()
    key = dg.AssetKey(["marts", "acme"])
    node = graph.get(key)
    assert node.parent_keys == {dg.AssetKey(["marts", "dim_repositories"])}
    assert node.group_name == "custom"
    files = [each.file_path for each in node.metadata["dagster/code_references"].code_references]
    assert str(own / "acme.sql") in files
    assert not [file for file in files if file.endswith("custom/acme.sql")]
    assert {check.name for check in graph.get_check_keys_for_assets({key})} == {"first", "second"}
    published = dg.AssetKey(["published", "veelocity"])
    assert "own_models" in {check.name for check in graph.get_check_keys_for_assets({published})}
    assert key not in graph.get(published).parent_keys  # what it misses keeps nothing else from being published
    assert not graph.has(dg.AssetKey(["marts", "broken"]))


def test_a_refresh_of_one_source_leaves_the_steps_of_the_others_out(defs: dg.Definitions) -> None:
    """The command narrows the job as a sensor does; all else of the graph is run."""
    job = defs.resolve_job_def("incremental_refresh")
    everything = set(job.asset_layer.executable_asset_keys)
    others = SOURCES.keys() - {"github"}
    part = job.get_subset(asset_selection=everything - left_out(("github",)))
    config = run_config(full=False, sources=("github",)).to_config_dict()
    dg.validate_run_config(part, {**config, "loggers": {}})
    assert set(job.graph.node_dict) - set(part.graph.node_dict) == {f"ingest_{name}" for name in others}
    assert {"ingest_github", "write_config", "build_models"} <= set(part.graph.node_dict)
    assert everything - set(part.asset_layer.executable_asset_keys) == {
        dg.AssetKey([name, table]) for name in others for table in SOURCES[name].tables
    }


def outcome(table: str, scope: str, error: str | None) -> Outcome:
    return Outcome(
        source="github",
        table=table,
        scope_id=scope,
        scope_name=scope,
        connection="github",
        attempted_at=T,
        succeeded_at=None if error else T,
        read_at=None if error else T,
        rows=0 if error else 3,
        watermark=None,
        error=error,
        is_full=False,
        requests=1,
        points=2,
        waited=1.5,
        received=1_000,
    )


def test_a_failed_repository_is_a_failed_check_and_nothing_is_left_out() -> None:
    from veelocity_pipeline.defs.loaded import results
    from veelocity_pipeline.operations.measured import Measured

    entry = SOURCES["github"]
    outcomes = [
        outcome(table, scope, "no access" if scope == "acme/api" and table == "issues" else None)
        for table in entry.tables
        for scope in ("acme/web", "acme/api")
    ]
    rows = dict.fromkeys(entry.tables, 9)
    measured = Measured(rows, rows, failed={"tags": {"acme/old": "gone before"}}, seconds=7.04)
    made = list(results(entry, outcomes, measured))
    count = len(outcomes)
    for result in made:
        spent = {name: value.value for name, value in (result.metadata or {}).items() if name.endswith("_of_source")}  # type: ignore[union-attr]
        assert spent == {
            "requests_of_source": count,
            "points_of_source": 2 * count,
            "seconds_of_source": 7.0,
            "seconds_waited_of_source": 1.5 * count,
            "bytes_received_of_source": 1_000 * count,
        }
    assert [result.asset_key for result in made] == [dg.AssetKey(["github", table]) for table in entry.tables]
    checks = {
        result.asset_key.path[-1]: check
        for result in made
        for check in result.check_results
        if result.asset_key and check.check_name == "read_completely"
    }
    assert not checks["issues"].passed
    assert checks["issues"].description == "acme/api: no access"
    assert checks["tags"].description == "acme/old: gone before"  # this run did not try it
    assert all(check.passed for table, check in checks.items() if table not in ("issues", "tags"))


def test_a_source_that_is_not_configured_has_its_tables_all_the_same() -> None:
    from veelocity_pipeline.defs.loaded import results
    from veelocity_pipeline.operations.measured import Measured

    entry = SOURCES["linear"]
    nothing = dict.fromkeys(entry.tables, 0)
    made = list(results(entry, [], Measured(nothing, nothing)))
    assert [result.asset_key for result in made] == [dg.AssetKey(["linear", table]) for table in entry.tables]
    assert all(check.passed for result in made for check in result.check_results)


@pytest.mark.parametrize(("verbatim", "text"), [("", "'=1+1"), ("1", "=1+1")])
def test_each_build_is_exported_where_the_settings_name_a_folder(
    verbatim: str, text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from veelocity_pipeline.defs.assets.publish import EXPORT, export_asset
    from veelocity_pipeline.defs.resources import Warehouse
    from veelocity_pipeline.warehouse.publish import publish

    home = Home(tmp_path / "home")
    home.make()
    with duckdb.connect(str(home.working)) as connection:
        connection.execute("create schema marts")
        connection.execute("create table marts.things as select 1::bigint as n, '=1+1' as t")
    publish(home)
    folder = tmp_path / "shared"
    for name, value in (
        ("GITHUB_TOKEN", "t"),
        ("GITHUB_REPOSITORIES", "acme/web"),
        ("VEELOCITY_HOME", str(home.path)),
        ("VEELOCITY_EXPORT_TO", str(folder)),
        ("VEELOCITY_EXPORT_FORMAT", "csv"),
        ("VEELOCITY_EXPORT_VERBATIM", verbatim),
    ):
        monkeypatch.setenv(name, value)
    result = dg.materialize([export_asset("csv")], resources={"warehouse": Warehouse()})
    assert result.success
    [event] = result.asset_materializations_for_node(EXPORT.to_python_identifier())
    assert event.metadata["dagster/row_count"].value == 1
    assert (folder / "things.csv").read_text() == f"n,t\n1,{text}\n"
