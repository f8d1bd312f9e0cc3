"""A build of what changed gives what a build of everything gives, and leaves the rest as it is."""

from __future__ import annotations

import shutil
from collections.abc import Generator
from pathlib import Path

import duckdb
import pytest

from tests.dbt.harness import SCENARIOS, given
from tests.dbt.raw import create_raw_tables
from veelocity_pipeline.config.load import load_settings
from veelocity_pipeline.transform.build import steps
from veelocity_pipeline.transform.fingerprint import Building, inputs
from veelocity_pipeline.transform.prepare import prepared, ship
from veelocity_pipeline.transform.project import Project
from veelocity_pipeline.transform.runner import Done, Runner
from veelocity_pipeline.warehouse.home import Home
from veelocity_pipeline.warehouse.store import connect

_CODE = SCENARIOS / "delivery_monorepo_with_two_services" / "given"
_ISSUES = SCENARIOS / "attachments_and_closing_references" / "given"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    ship()
    return prepared(Home(tmp_path_factory.mktemp("project")))


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A home with raw rows of GitHub and Linear; for reading only."""
    home = Home(tmp_path_factory.mktemp("loaded"))
    linear = {name: rows for name, rows in given(_ISSUES).items() if name.startswith("raw_linear.")}
    with duckdb.connect(str(home.working)) as connection:
        create_raw_tables(connection, given(_CODE) | linear)
    return home


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory, loaded: Home, project: Project) -> Home:
    """The same with all models built; for reading only."""
    home = _copied(loaded, tmp_path_factory.mktemp("built"))
    assert len(_build(home, project)) > 100
    return home


def _copied(home: Home, folder: Path) -> Home:
    copy = Home(folder)
    copy.make()
    shutil.copyfile(home.working, copy.working)
    return copy


def _build(home: Home, project: Project, *, everything: bool = False) -> set[str]:
    """Build what changed (its rows are read, not their loads, since nothing was loaded); the models that were built."""
    built: list[str] = []
    done: list[Done] = []
    building = Building(project, home, everything=everything, trust=False)
    for _plan, of_step in steps(building, Runner(project, home, built.append), lambda _text: None):
        done += of_step
    assert [each for each in done if not each.is_good] == []
    return {name.rpartition(".")[2] for name in built}


def _change(home: Home, *statements: str) -> None:
    with connect(home) as connection:
        for statement in statements:
            connection.execute(statement)


def _marts(home: Home) -> dict[str, list[str]]:
    with connect(home, read_only=True) as connection:
        tables = connection.execute(
            "select table_name from duckdb_tables() where schema_name = 'marts' order by all"
        ).fetchall()
        return {name: sorted(map(repr, connection.execute(f"from marts.{name}").fetchall())) for (name,) in tables}


CHANGES = {
    "a title": ("update raw_github.pull_requests set title = coalesce(title, '') || '!' where number = 1",),
    "a name": ("update raw_github.pull_requests set author_login = 'somebody', author_name = 'S' where number = 1",),
    "a commit": ("update raw_github.pull_request_commits set authored_at = authored_at - interval 1 hour",),
    "a run": (
        "update raw_github_actions.runs set conclusion = 'failure' "
        "where id in (select max(id) from raw_github_actions.runs)",
    ),
    "a pull request less": ("delete from raw_github.pull_requests where number = 2",),
    "an issue": ("update raw_linear.issues set title = 'Another', estimate = 3",),
    "a bot": ("insert into config.bots values ('somebody', 'people.bots')",),
    "a day": ("update operations.sync_status set read_at = read_at + interval 1 day",),
    "a rule": ("delete from config.deployment_rules where kind = 'workflow' and service is not null",),
}
"""By what they are, changes of raw rows and rules; each goes on from the one before."""


def test_builds_of_what_changed_end_where_one_of_everything_does(built: Home, project: Project, tmp_path: Path) -> None:
    home = _copied(built, tmp_path / "followed")
    before = _marts(home)
    for what, statements in CHANGES.items():
        _change(home, *statements)
        assert _build(home, project), what
    found = _marts(home)
    assert found != before
    whole = _copied(home, tmp_path / "whole")
    assert len(_build(whole, project, everything=True)) > 100
    expected = _marts(whole)
    assert [name for name in expected if expected[name] != found[name]] == []


def test_what_does_not_depend_on_a_change_is_left_as_it_is(built: Home, project: Project, tmp_path: Path) -> None:
    home = _copied(built, tmp_path)
    assert _build(home, project) == set()

    _change(home, "update raw_linear.comments set updated_at = now()")  # no model reads it
    assert _build(home, project) == set()

    _change(home, "update raw_linear.attachments set url = url || '?'")
    followed = _build(home, project)
    assert followed >= {"int_pull_requests_linked_to_issues", "metric_measurements"}
    assert not followed & {"int_commits", "int_pull_requests", "int_deployments", "int_people_handles"}

    _change(home, *CHANGES["a title"])
    followed = _build(home, project)
    # who the people are was asked again and is as it was, so nothing that depends on people alone is built
    assert followed >= {"int_handles_observed", "int_pull_requests", "fct_pull_requests"}
    assert not followed & {"int_people_handles", "dim_people", "int_commits", "int_issues"}
    assert not any(name.endswith("_unioned") for name in followed)  # a view has no rows of its own
    # a title decides no commit, no deployment and no number, so the commit graph and the metrics stand
    assert followed >= {"int_pull_request_commits", "int_deployments_chosen", "metric_measurements"}
    assert not followed & {"int_deployments_traced", "dora_metrics", "dev_metrics", "metric_windows", "dora_scorecard"}

    _change(home, *CHANGES["a name"])
    assert _build(home, project) >= {"int_people_handles", "dim_people", "int_commits"}


def test_a_view_is_made_again_when_the_columns_of_what_it_reads_change(
    built: Home, project: Project, tmp_path: Path
) -> None:
    home = _copied(built, tmp_path)
    _change(home, "alter table raw_linear.attachments add column more varchar")  # two models below, neither stored
    assert "int_issue_attachments_unioned" in _build(home, project)
    assert _build(home, project) == set()


def test_a_build_that_did_not_end_is_no_build(built: Home, project: Project, tmp_path: Path) -> None:
    home = _copied(built, tmp_path)
    _change(home, *CHANGES["a title"])
    building = Building(project, home, trust=False)
    begun = steps(building, Runner(project, home), lambda _text: None)
    while not next(begun)[0].is_last:
        pass
    assert isinstance(begun, Generator)
    begun.close()  # dbt is done; that nothing failed was never said
    with connect(built, read_only=True) as connection:
        [(title,)] = connection.execute("select title from raw_github.pull_requests where number = 1").fetchall()
    with connect(home) as connection:  # as it was built before
        connection.execute("update raw_github.pull_requests set title = ? where number = 1", [title])
    assert "fct_pull_requests" in _build(home, project)
    assert _marts(home) == _marts(built)


def test_a_table_that_somebody_dropped_is_built(built: Home, project: Project, tmp_path: Path) -> None:
    home = _copied(built, tmp_path)
    _change(home, "drop table marts.fct_reviews")
    assert _build(home, project) == {"fct_reviews"}


def test_what_models_of_an_earlier_version_made_is_dropped(built: Home, project: Project, tmp_path: Path) -> None:
    home = _copied(built, tmp_path)
    with connect(home) as connection:
        connection.execute("create schema staging")
        connection.execute("create view staging.stg_github__tags as from raw_github.tags")  # it is ephemeral now
        connection.execute("create table intermediate.int_deployments_unioned as select 1 as number")
        connection.execute("create schema mine")
        connection.execute("create table mine.notes as select 1 as number")
        everything = "select schema_name, table_name from duckdb_columns() group by all"
        before = set(connection.execute(everything).fetchall())
    assert _build(home, project) == set()
    with connect(home, read_only=True) as connection:
        after = set(connection.execute(everything).fetchall())
    assert before - after == {("staging", "stg_github__tags"), ("intermediate", "int_deployments_unioned")}


def test_a_model_that_cannot_be_built_is_told_and_built_again(built: Home, project: Project, tmp_path: Path) -> None:
    home = _copied(built, tmp_path)
    _change(home, "alter table config.team_services rename to away")
    building = Building(project, home, trust=False)
    done = [each for _, of_step in steps(building, Runner(project, home), lambda _text: None) for each in of_step]
    failed = {each.unique_id: each.message for each in done if each.status == "error"}
    assert failed.keys() == {"model.veelocity.int_team_services"}
    assert all("team_services does not exist" in message for message in failed.values())
    skipped = {each.unique_id.rpartition(".")[2] for each in done if each.status == "skipped"}
    assert "int_scopes" in skipped  # and what reads it was not begun

    _change(home, "alter table config.away rename to team_services")
    assert _build(home, project) >= {"int_team_services", "int_scopes"}
    assert _marts(home) == _marts(built)


def test_only_days_rules_rows_and_failures_are_inputs(
    loaded: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = _copied(loaded, tmp_path)
    settings = load_settings(tmp_path)

    def now() -> str:
        return inputs(home, settings, trust=False)

    def differs(*statements: str) -> bool:
        before = now()
        _change(home, *statements)
        return now() != before

    assert not differs("update operations.sync_status set read_at = read_at + interval 1 second, requests = 9")
    assert differs("update operations.sync_status set read_at = read_at + interval 1 day")
    assert differs("update operations.sync_status set error = 'No access.' where source = 'github'")
    assert not differs("update operations.sync_status set error = 'Still no access.' where source = 'github'")
    assert differs("update operations.sync_status set error = null")
    assert differs("insert into config.bots values ('a-bot', 'people.bots')")
    assert differs("update raw_github.pull_requests set title = 'Another' where number = 1")
    # a row twice is not no row
    assert differs("insert into raw_github.pull_requests from raw_github.pull_requests")
