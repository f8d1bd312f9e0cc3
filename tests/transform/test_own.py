"""A user's own models are read, built and dropped with the project's; what is wrong with one costs that one alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.dbt.harness import SCENARIOS, given
from tests.dbt.raw import create_raw_tables
from veelocity_pipeline.config.load import load_settings
from veelocity_pipeline.config.settings import SettingsError
from veelocity_pipeline.transform.build import steps
from veelocity_pipeline.transform.fingerprint import Building, inputs
from veelocity_pipeline.transform.own import own_files, own_problems, own_tables, remember_problems, stale_tables
from veelocity_pipeline.transform.prepare import prepared, ship
from veelocity_pipeline.transform.project import Project
from veelocity_pipeline.transform.runner import Done, Runner
from veelocity_pipeline.warehouse.home import Home
from veelocity_pipeline.warehouse.store import connect

WEEKLY = "select repository_id, count(*) as deployments from {{ ref('fct_deployments') }} group by all"
DESCRIBED = """
models:
  - name: acme_weekly
    description: One row per repository that is deployed.
    columns:
      - name: repository_id
        data_tests: [unique, not_null]
"""


@pytest.fixture(scope="module", autouse=True)
def _shipped() -> None:
    ship()


def folder_of(path: Path, **files: str) -> Path:
    """Write files, by their names without the ending, which says what they are."""
    for name, text in files.items():
        kind = "yml" if text.lstrip().startswith(("models:", "sources:")) else "sql"
        target = path / f"{name.replace('__', '/')}.{kind}"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    return path


def test_only_models_and_what_describes_them_are_taken(tmp_path: Path) -> None:
    for name in ("a.sql", "sub/b.yml", "c.yaml", "d.py", "e.csv", "readme.md", ".git/f.sql", ".hidden.sql"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert own_files(tmp_path) == ["a.sql", "c.yaml", "d.py", "sub/b.yml"]


WRONG = {
    "bad_yaml": ("models:\n  - name: x\n   bad: [", "bad_yaml.yml", "is not valid YAML: line 3"),
    "bad_jinja": ("select {{ 1 + }} as x", "bad_jinja.sql", "unexpected 'end of print statement'"),
    "unknown": ("select * from {{ ref('nope') }}", "unknown.sql", "depends on a node named 'nope' which was not found"),
    "reads_it": ("select * from {{ ref('unknown') }}", "reads_it.sql", "depends on a node named 'unknown'"),
    "fct_reviews": ("select 1 as x", "fct_reviews.sql", "Veelocity has a model called fct_reviews itself; rename"),
    "sub__acme_weekly": ("select 2 as x", "sub/acme_weekly.sql", "acme_weekly.sql has the same name; rename yours"),
    "no_macro": ("select {{ no_such_macro() }} as x", "no_macro.sql", "'no_such_macro' is undefined"),
    "in_raw": ("{{ config(schema='raw_github') }} select 1 as x", "in_raw.sql", "its schema is raw_github; it must be"),
    "same_table": ("{{ config(alias='fct_commits') }} select 1 as x", "same_table.sql", "fct_commits"),
    "ours": ("models: [{name: fct_commits, description: Mine.}]", "ours.yml", "same resource named fct_commits"),
}
"""By name, files that dbt refuses; what is left out then, and why."""


def test_a_file_that_dbt_refuses_is_left_out_and_named(tmp_path: Path) -> None:
    own = folder_of(
        tmp_path / "models", acme_weekly=WEEKLY, acme=DESCRIBED, **{n: text for n, (text, *_) in WRONG.items()}
    )
    project = prepared(Home(tmp_path / "home"), own)
    left_out = {each.file: each.problem for each in project.left_out}
    assert left_out.keys() == {file for _, file, _ in WRONG.values()}
    for _, file, problem in WRONG.values():
        assert problem in left_out[file]
        assert "custom" not in left_out[file]
    assert list(project.own.values()) == ["acme_weekly.sql"]
    made_from = {name: list(map(tuple, parents)) for name, parents in project.lineage()["marts.acme_weekly"].items()}
    assert made_from == {"repository_id": [("marts.fct_deployments", "repository_id")], "deployments": []}


def test_a_folder_without_a_model_is_no_folder(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    (tmp_path / "models").mkdir()
    with_none = prepared(home, tmp_path / "models")
    assert with_none.manifest["nodes"].keys() == prepared(home).manifest["nodes"].keys()
    assert with_none.left_out == []


def test_what_was_parsed_is_kept_until_a_file_changes(tmp_path: Path) -> None:
    home, own = Home(tmp_path / "home"), folder_of(tmp_path / "models", acme_weekly=WEEKLY)
    first = prepared(home, own)
    stamp = first.manifest_path.stat().st_mtime_ns
    assert prepared(home, own).manifest_path.stat().st_mtime_ns == stamp
    folder_of(own, acme=DESCRIBED)
    second = prepared(home, own)
    assert second.folder != first.folder
    assert not first.folder.exists()


def test_a_folder_that_is_not_there_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VEELOCITY_MODELS", "no/such")
    with pytest.raises(SettingsError, match=r"^VEELOCITY_MODELS: there is no folder .*no/such$"):
        load_settings(tmp_path)
    (tmp_path / "no" / "such").mkdir(parents=True)
    assert load_settings(tmp_path).models == tmp_path / "no" / "such"


def build(home: Home, project: Project) -> tuple[set[str], dict[str, str]]:
    """Build what changed; the models that were built, and the status of what failed."""
    built: list[str] = []
    done: list[Done] = []
    building = Building(project, home, trust=False)
    for _plan, of_step in steps(building, Runner(project, home, built.append), lambda _text: None):
        done += of_step
    wrong = {each.unique_id.split(".")[2]: each.status for each in done if not each.is_good}
    return {name.rpartition(".")[2] for name in built}, wrong


def tables(home: Home) -> set[str]:
    with connect(home, read_only=True) as connection:
        return {name for (name,) in connection.execute("select table_name from duckdb_tables()").fetchall()}


def test_own_models_are_built_when_they_change_and_dropped_when_they_go(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.make()
    with connect(home) as connection:
        create_raw_tables(connection, given(SCENARIOS / "delivery_monorepo_with_two_services" / "given"))
    settings = load_settings(tmp_path, {"VEELOCITY_MODELS": str(tmp_path)})
    own = folder_of(
        tmp_path / "models",
        acme_weekly=WEEKLY,
        acme=DESCRIBED,
        acme_view="{{ config(materialized='view') }} select * from {{ ref('acme_weekly') }}",
        sql_error="select no_such_column from {{ ref('fct_deployments') }}",
        child="select * from {{ ref('sql_error') }}",
        untrue="select null::varchar as x",
        untrue_too="models: [{name: untrue, columns: [{name: x, data_tests: [not_null]}]}]",
    )
    settings = settings.model_copy(update={"models": own})
    project = prepared(home, own)
    built, wrong = build(home, project)
    assert built >= {"acme_weekly", "acme_view", "untrue", "dora_metrics"}
    assert wrong == {"sql_error": "error", "child": "skipped", "not_null_untrue_x": "fail"}
    with connect(home, read_only=True) as connection:
        found = connection.execute("from marts.acme_weekly order by all").fetchall()
        shown = connection.execute("from marts.acme_view order by all").fetchall()
        counted = connection.execute(
            "select repository_id, count(*) from marts.fct_deployments group by all order by all"
        ).fetchall()
    assert found == shown == counted != []

    # what failed is tried again, and nothing else
    built, wrong = build(home, project)
    assert built == {"untrue"}
    assert wrong.keys() == {"sql_error", "child", "not_null_untrue_x"}

    before = inputs(home, settings, trust=False)
    folder_of(own, acme_weekly=WEEKLY + " having count(*) > 1000", untrue="select 'x' as x")
    for name in ("sql_error", "child"):
        (own / f"{name}.sql").unlink()
    assert inputs(home, settings, trust=False) != before
    built, wrong = build(home, prepared(home, own))
    assert built == {"acme_weekly", "acme_view", "untrue"}  # a view, when the text below it changes
    assert wrong == {}

    folder_of(own, untrue="{{ config(materialized='ephemeral') }} select 'x' as x")
    (own / "untrue_too.yml").unlink()
    assert build(home, prepared(home, own)) == (set(), {})
    assert "untrue" not in tables(home)
    folder_of(own, untrue="select 'x' as x")
    assert build(home, prepared(home, own)) == ({"untrue"}, {})

    for file in ("acme_weekly.sql", "acme.yml", "acme_view.sql", "untrue.sql"):
        (own / file).unlink()
    assert tables(home) >= {"acme_weekly", "untrue", "dora_metrics"}
    assert build(home, prepared(home, own)) == (set(), {})
    assert not tables(home) & {"acme_weekly", "untrue"}
    assert "dora_metrics" in tables(home)


def test_what_was_wrong_is_remembered_until_it_is_built(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.make()
    own = folder_of(
        tmp_path / "models", a="select 1 as x", sub__b="{{ config(alias='bee') }} select 2 as x", c="selec {{"
    )
    folder_of(own, fct_reviews="select 1 as x", sub__a="select 2 as x")  # names that others have
    project = prepared(home, own)
    a, b = "model.veelocity.a", "model.veelocity.b"
    assert own_tables(project) == {"a": "a.sql", "bee": "sub/b.sql"}
    remember_problems(home, project, [], {a: "no", b: "no either"})
    refused = {name: own_problems(home, project)[name] for name in ("c.sql", "fct_reviews.sql", "sub/a.sql")}
    assert own_problems(home, project) == {"a.sql": "no", "sub/b.sql": "no either", **refused}
    assert stale_tables(home, project) == {"a", "bee", "c"}
    remember_problems(home, project, [a], {})
    assert own_problems(home, project) == {"sub/b.sql": "no either", **refused}
    assert stale_tables(home, project) == {"bee", "c"}  # not what is as it should be under the same name
    for file in ("sub/b.sql", "c.sql", "fct_reviews.sql", "sub/a.sql"):
        (own / file).unlink()
    assert own_problems(home, prepared(home, own)) == {}
