"""An organisation of any size: raw tables of a hundred repositories, made of five that the connectors loaded.

Each of the five is a simulated year with a thousand pull requests and a way to deliver of its own. They are loaded as
any repository is, made up to ten commits and ten workflow runs a pull request, and copied: every copy has ids, shas,
names, people and issue keys of its own, in texts too, so that everything in it still refers to what it did.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from veelocity_pipeline.simulator.organization.plan import MOMENT
from veelocity_pipeline.sources import SOURCES, SourceEntry
from veelocity_pipeline.sources.kit.tables import BIGINT, CONNECTION_COLUMN, TEXT, TIMESTAMP, Table
from veelocity_pipeline.warehouse.home import Home
from veelocity_pipeline.warehouse.status import record_attempts
from veelocity_pipeline.warehouse.store import connect

from .home import ALL, LINEAR, organisation

SIZES = ("ordinary", "ordinary-services", "ordinary-train", "ordinary-releases", "ordinary-gitflow")
PER_PULL_REQUEST = 10
"""Commits of the default branch, and workflow runs."""

LARGEST = 128
"""Copies at most; numeric ids are made wide enough for so many."""


@dataclass(frozen=True)
class Part:
    """A loaded and filled-up repository with its Linear workspace, and the settings that go with it."""

    warehouse: Path
    configuration: str
    repository: str


def parts(folder: Path) -> list[Part]:
    """Load the five; half a minute each."""
    made = []
    for size in SIZES:
        with organisation(size) as home:
            home.load(*ALL)
            _remember_reads(Home(home.warehouse.parent))
            target = folder / f"{size}.duckdb"
            target.write_bytes(home.warehouse.read_bytes())
            made.append(Part(target, home.server.configuration, home.environment["GITHUB_REPOSITORIES"]))
        with duckdb.connect(str(target)) as connection:
            connection.execute("set enable_progress_bar = false; set TimeZone = 'UTC'")
            for statement in (_MORE_COMMITS, _MORE_RUNS):
                connection.execute(statement)
    return made


# Between a commit and its first parent come others of the same pull request, as a rebase merge leaves them.
_MORE_COMMITS = f"""
    create temporary table more as
    with wanted as (
        select ceil({PER_PULL_REQUEST} * pull_requests / count(*))::bigint - 1 as steps
        from raw_github.commits, (select count(*) as pull_requests from raw_github.pull_requests)
        group by pull_requests
    )
    select commits.*, step, steps, left(sha256(sha || step), 40) as step_sha
    from raw_github.commits, wanted, range(1, steps + 1) as numbers (step)
    where parent_shas <> '' and deleted_at is null;

    update raw_github.commits
    set parent_shas = array_to_string([step_sha] || string_split(commits.parent_shas, ' ')[2:], ' ')
    from more
    where more.sha = commits.sha and step = steps;

    insert into raw_github.commit_pull_requests by name
    select links.* replace ('C_' || step_sha as commit_id, step_sha as sha)
    from raw_github.commit_pull_requests as links inner join more on more.id = links.commit_id;

    insert into raw_github.commits by name
    select * exclude (step, steps, step_sha) replace (
        'C_' || step_sha as id,
        step_sha as sha,
        if(step = 1, string_split(parent_shas, ' ')[1], lag(step_sha) over (partition by sha order by step))
            as parent_shas,
        'Step ' || step || ' of ' || message as message,
        committed_at - to_minutes(steps + 1 - step) as committed_at,
        authored_at - to_minutes(steps + 1 - step) as authored_at
    )
    from more
"""

_MORE_RUNS = f"""
    insert into raw_github_actions.workflows by name
    select * replace (id + 1 as id, 'CI' as name, '.github/workflows/ci.yml' as path)
    from raw_github_actions.workflows order by id desc limit 1;

    insert into raw_github_actions.runs by name
    select
        (select max(id) from raw_github_actions.runs) + row_number() over () as id,
        pulls.repository_id,
        (select max(id) from raw_github_actions.workflows) as workflow_id,
        1 as run_attempt, 'CI' as name, '.github/workflows/ci.yml' as path, title as display_title,
        row_number() over () as run_number, 'pull_request' as event, 'completed' as status,
        if(number % 7 = step, 'failure', 'success') as conclusion, head_sha, head_ref_name as head_branch,
        pulls.repository_id as head_repository_id, name_with_owner as head_repository,
        author_login as actor_login, author_type as actor_type,
        pulls.url || '/checks/' || step as url,
        pulls.created_at + to_hours(step) as created_at,
        pulls.created_at + to_hours(step) as run_started_at,
        pulls.created_at + to_hours(step) + to_minutes(9) as updated_at
    from raw_github.pull_requests as pulls
    inner join raw_github.repositories as repositories on repositories.id = pulls.repository_id,
        range((
            select {PER_PULL_REQUEST} - round(runs / count(*))::bigint
            from raw_github.pull_requests, (select count(*) as runs from raw_github_actions.runs)
            group by runs
        )) as numbers (step)
"""


def _remember_reads(home: Home) -> None:
    """What a refresh writes down beside what it loads: that each table of each repository and team was read."""
    with connect(home, read_only=True) as connection:
        repositories = connection.execute("select name_with_owner, id from raw_github.repositories").fetchall()
        teams = connection.execute("select key, id from raw_linear.teams").fetchall()
    times = dict.fromkeys(("attempted_at", "succeeded_at", "read_at"), MOMENT)
    record_attempts(
        home,
        [
            {"source": entry.name, "table_name": table, "repository": name, "source_key": key, "rows": 1, **times}
            for entry in SOURCES.values()
            for table in entry.tables
            for name, key in (teams if entry.name == LINEAR else repositories)
        ],
    )


def write(parts: list[Part], home: Home, repositories: int) -> dict[str, str]:
    """Fill an empty home with that many copies, in turn of each part; returns the settings, by environment variable.

    The rules are not there yet: `veelocity rebuild` writes them.
    """
    if not 0 < repositories <= LARGEST:
        raise ValueError(f"{repositories}: from 1 to {LARGEST} repositories can be made")
    home.make()
    with duckdb.connect(str(home.working)) as connection:
        connection.execute(
            "set enable_progress_bar = false; set TimeZone = 'UTC'; set preserve_insertion_order = false"
        )
        for number, part in enumerate(parts[:repositories]):
            copies = range(number, repositories, len(parts))
            numbers = f"range({copies.start}, {copies.stop}, {copies.step})"
            connection.execute(f"attach '{part.warehouse}' as part (read_only)")
            for schema, table, expressions in _copied(connection):
                made = f"select {expressions} from part.{schema}.{table}, {numbers} as copies (copy)"
                connection.execute(f"create schema if not exists {schema}")
                if number:
                    connection.execute(f"insert into {schema}.{table} by name {made}")
                else:
                    connection.execute(f"create table {schema}.{table} as {made}")
            connection.execute("detach part")
    names = []
    lines = ["[people]", 'bots = ["acme-ci"]']
    for copy in range(repositories):
        part = parts[copy % len(parts)]
        names.append(_named(part.repository, copy))
        lines += _settings(tomllib.loads(part.configuration), copy)
    config = home.path / "veelocity.toml"
    config.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return {
        **os.environ,
        "VEELOCITY_HOME": str(home.path),
        "VEELOCITY_CONFIG": str(config),
        "VEELOCITY_ENV_FILE": os.devnull,
        "GITHUB_TOKEN": "none",
        "LINEAR_API_KEY": "none",
        "GITHUB_REPOSITORIES": ",".join(names),
    }


def _copied(connection: duckdb.DuckDBPyConnection) -> Iterator[tuple[str, str, str]]:
    """Schema, table and the copy's columns, of every table of the attached part."""
    known: Mapping[str, SourceEntry] = {entry.dataset: entry for entry in SOURCES.values()}
    tables = connection.execute(
        """select schema_name, table_name from duckdb_tables()
           where database_name = 'part' and (schema_name = 'operations' or starts_with(schema_name, 'raw_'))
               and not ends_with(schema_name, '_staging')"""
    ).fetchall()
    for schema, table in tables:
        if schema == "operations":
            if table == "sync_status":
                name = f"if(source = 'linear', repository || {_KK}, {_text('repository')})"
                yield schema, table, f"* replace (source_key || '~' || copy as source_key, {name} as repository)"
        elif table in known[schema].tables:
            yield schema, table, ", ".join(_columns(known[schema].tables[table]))
        else:  # what dlt remembers of its loads
            yield schema, table, "*"


_KK = "printf('%02d', copy)"
_SHA = "printf('%03x', copy)"
_IDS = ("id", "run_id", "workflow_id", "database_id")
_SHAS = ("sha", "head_sha", "merge_commit_sha", "default_branch_head_sha")
_NAMES = "|".join(("web", "platform", "api", "sdk-python", "data-jobs"))


def _columns(table: Table) -> Iterator[str]:
    for name, kind in table.stored_columns.items():
        if name == CONNECTION_COLUMN:
            made = name
        elif kind == BIGINT and name in _IDS:
            made = f"{name} * {LARGEST} + copy"
        elif kind == TIMESTAMP:
            made = f"{name} - to_hours(copy * 7)"
        elif kind != TEXT:
            made = name
        elif name in _SHAS:
            made = f"{_SHA} || substr({name}, 4)"
        elif name == "parent_shas":
            made = f"array_to_string([{_SHA} || substr(sha, 4) for sha in string_split({name}, ' ') if sha <> ''], ' ')"
        elif name == "id" or name.endswith("_id"):
            made = f"{name} || '~' || copy"
        elif name.endswith("_login"):
            made = f"if(ends_with({name}, '[bot]') or {name} = 'acme-ci', {name}, {name} || {_KK})"
        elif name in ("email", "author_email"):
            made = f"replace({name}, '@', {_KK} || '@')"
        elif name in ("key", "display_name"):
            made = f"{name} || {_KK}"
        else:
            made = _text(name)
        yield f"{made} as {name}"


def _text(name: str) -> str:
    """A text in which what it says of repositories, issues and commits is of the copy."""
    return (
        "regexp_replace(regexp_replace(regexp_replace("
        rf"{name}, 'acme/({_NAMES})\b', 'acme/\1' || {_KK}, 'g'), "
        rf"'\b(WEB|PLAT)-([0-9]+)\b', '\1' || {_KK} || '-\2', 'gi'), "
        rf"'\b[0-9a-f]{{3}}([0-9a-f]{{37}})\b', {_SHA} || '\1', 'g')"
    )


def _named(repository: str, copy: int) -> str:
    return f"{repository}{copy:02}"


def _settings(found: Mapping[str, list[dict[str, Any]]], copy: int) -> Iterator[str]:
    """The settings of a part, of its copy."""

    def named(value: object) -> str:
        return f'"{value}{copy:02}"'

    for service in found.get("services", []):
        paths = ", ".join(f'"{path}"' for path in service["paths"])
        patterns = ", ".join(f'"{pattern}"' for pattern in service["workflow_patterns"])
        yield from ("", "[[services]]", f"name = {named(service['name'])}")
        yield from (f"repository = {named(service['repository'])}", f"paths = [{paths}]")
        yield f"workflow_patterns = [{patterns}]"
    for team in found.get("teams", []):
        yield from ("", "[[teams]]", f"name = {named(team['name'])}")
        for name in ("members", "repositories", "services", "linear_teams"):
            yield f"{name} = [{', '.join(map(named, team[name]))}]"
