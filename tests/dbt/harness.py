"""Truth tables for the dbt models: a folder of small CSV files in, the marts compared with other small CSV files.

A scenario is a folder under ``scenarios/``::

    given/github.pull_requests.csv     rows of a raw table (<source>.<table>), only the columns that matter
    given/config.team_members.csv      replaces a table of the settings; operations.sync_status works the same way
    given/veelocity.toml               or: the settings as a user writes them
    expected/fct_pull_requests.csv     the rows of a model, only the columns compared; all rows, in any order

An empty cell is NULL; times are UTC. Columns that a file leaves out are NULL, save for a few that nearly every row
has alike (``_USUAL``). Without its own file ``github.repositories`` holds acme/web, and every source was read at
2026-04-01 00:00. A line ``# where <condition>`` at the top of an expected file narrows the model's rows.

Each scenario runs the compiled models in order, Python models too, on a DuckDB in memory, and every data test after
them. That takes a fraction of a second; a dbt run takes many.
"""

from __future__ import annotations

import csv
import importlib.util
import io
import os
import random
import re
import types
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from veelocity_pipeline.config.load import load_settings
from veelocity_pipeline.config.rules import config_tables
from veelocity_pipeline.sources import SOURCES
from veelocity_pipeline.sources.kit.tables import Row
from veelocity_pipeline.warehouse.status import SYNC_STATUS

from .project import DATABASE, Node, Project, UnitTest
from .raw import create_raw_tables, raw_schemas

SCENARIOS = Path(__file__).resolve().parent / "scenarios"
FOLDERS = sorted(path for path in SCENARIOS.iterdir() if (path / "expected").is_dir())

_READ_AT = "2026-04-01 00:00"
_USUAL: dict[str, dict[str, Any]] = {
    "github.pull_requests": {"is_draft": False, "is_cross_repository": False, "base_ref_name": "main"},
    "linear.issues": {"is_trashed": False},
}
"""Values of columns that a scenario does not mention."""

_SETTINGS: dict[str, Any] = {"GITHUB_REPOSITORIES": "acme/*"}


def build(project: Project, rows: Mapping[str, list[Row]]) -> duckdb.DuckDBPyConnection:
    """Return a database in memory that holds these raw rows and all models over them."""
    connection = duckdb.connect(config={"threads": 1})  # over a few rows a second one only costs
    connection.execute("set TimeZone = 'UTC'")
    connection.execute("set enable_progress_bar = false")
    connection.execute(f"attach ':memory:' as {DATABASE}")
    connection.execute(f"use {DATABASE}")
    create_raw_tables(connection, rows)
    build_models(connection, project)
    return connection


def build_models(connection: duckdb.DuckDBPyConnection, project: Project) -> None:
    """Make all models in a database that holds the raw tables; those that are there already are made again.

    Raises:
        AssertionError: a model's SQL does not run, or it breaks its contract.
    """
    for schema in dict.fromkeys(node.relation.rpartition(".")[0] for node in project.nodes):
        connection.execute(f"create schema if not exists {schema}")
    for node in project.nodes:
        try:
            _create(connection, node)
        except duckdb.Error as error:
            raise AssertionError(f"{node.name}: {error}") from error


@dataclass(frozen=True)
class Scenario:
    """A scenario whose models are made; for reading only."""

    folder: Path
    connection: duckdb.DuckDBPyConnection


def make(connection: duckdb.DuckDBPyConnection, node: Node, code: str = "") -> bool:
    """Make a model's table anew, from other SQL if there is any; whether it became another.

    Raises:
        AssertionError: it breaks its contract.
        duckdb.Error: its SQL does not run.
    """
    made = replace(node, code=code or node.code, relation=f"{DATABASE}.main.made", materialized="table")
    _create(connection, made)
    is_other = _differ(connection, made.relation, node.relation)
    if is_other:
        connection.execute(f"drop {'view' if node.materialized == 'view' else 'table'} {node.relation}")
        connection.execute(f"create table {node.relation} as from {made.relation}")
    connection.execute(f"drop table {made.relation}")
    return is_other


def _differ(connection: duckdb.DuckDBPyConnection, one: str, other: str) -> bool:
    query = f"(from {one} except all from {other}) union all (from {other} except all from {one})"
    return connection.execute(f"{query} limit 1").fetchone() is not None


def _create(connection: duckdb.DuckDBPyConnection, node: Node) -> None:
    if node.seed is not None:
        types = ", ".join(f"'{name}': '{kind}'" for name, kind in node.seed_types.items())
        kinds = f", types = {{{types}}}" if types else ""
        rows = f"read_csv('{node.seed}', header = true{kinds})"
        connection.execute(f"create or replace table {node.relation} as from {rows}")
    elif node.is_python:
        _run_python(connection, node)
    else:
        kind = "view" if node.materialized == "view" else "table"
        connection.execute(f"create or replace {kind} {node.relation} as ({node.code})")
    if node.contract:
        made = {name: str(type_) for name, type_, *_ in connection.execute(f"describe {node.relation}").fetchall()}
        declared = {name: type_.upper() for name, type_ in node.contract.items()}
        assert made == declared, f"{node.name} breaks its contract: {set(made.items()) ^ set(declared.items())}"


def _run_python(connection: duckdb.DuckDBPyConnection, node: Node) -> None:
    """What dbt-duckdb does with a Python model: run its module, hand it relations, store what it returns."""
    spec = importlib.util.spec_from_loader(node.name, loader=None)
    assert spec is not None
    module = types.ModuleType(node.name)
    exec(compile(node.code.lstrip(), node.name, "exec"), module.__dict__)
    made = module.model(module.dbtObj(lambda table: connection.query(f"select * from {table}")), connection)
    connection.register("python_model_rows", made)
    connection.execute(f"create or replace table {node.relation} as from python_model_rows")
    connection.unregister("python_model_rows")


def failed_tests(project: Project, connection: duckdb.DuckDBPyConnection) -> list[str]:
    """The data tests that find something in these tables, with the first row they find."""
    failed = []
    for node in project.tests:
        try:
            found = connection.execute(f"select * from ({node.code}) limit 1").fetchall()
        except duckdb.Error as error:
            raise AssertionError(f"{node.name}: {error}") from error
        failed += [f"{node.name}: {row}" for row in found]
    return failed


def given(folder: Path) -> dict[str, list[Row]]:
    """The raw rows of a scenario, by ``schema.table``: its files, and what a file need not say."""
    schemas = raw_schemas()
    rows = _settings_rows(folder)
    rows["raw_github.repositories"] = [
        {
            "id": "R_web",
            "name_with_owner": "acme/web",
            "configured_as": "acme/*",
            "url": "https://github.com/acme/web",
            "is_archived": False,
            "is_fork": False,
            "default_branch": "main",
            "created_at": datetime.fromisoformat("2026-01-01T00:00+00:00"),
        }
    ]
    rows["operations.sync_status"] = [
        _typed({"source": source, "table_name": "*", "repository": "*", "read_at": _READ_AT}, SYNC_STATUS)
        for source in SOURCES
    ]
    for path in sorted(folder.glob("*.csv")):
        source, _, table = path.stem.partition(".")
        name = f"{source if source in {'config', 'operations'} else 'raw_' + source}.{table}"
        assert name in schemas, f"{path}: there is no table {name}"
        lines = list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"))))
        usual = _USUAL.get(path.stem, {})
        rows[name] = [{**usual, **_typed(line, schemas[name], path)} for line in lines]
        if name == "config.settings":  # those that the scenario does not name are as ever
            named = {row["name"] for row in rows[name]}
            rows[name] += [row for row in _settings_rows(folder)[name] if row["name"] not in named]
        for row in rows[name]:  # an account is a person's unless the scenario says what it is
            if row.get("author_login") and "author_type" in schemas[name].names and "author_type" not in row:
                row["author_type"] = "User"
    return rows


def mixed(rows: Mapping[str, list[Row]]) -> dict[str, list[Row]]:
    """The same rows in another order, each raw row twice: to the marts that is nothing new."""
    other = {}
    for name, each in rows.items():
        twins = each if name.startswith("raw_") else []
        other[name] = random.Random(7).sample([*each, *twins], len(each) + len(twins))
    return other


def with_siblings(rows: Mapping[str, list[Row]]) -> dict[str, list[Row]]:
    """These rows, and beside each GitHub repository another that is just like it, half an hour before.

    It has the same numbers, commits, branches and tags, but an id and a name of its own, and so has all that is in it:
    to the repository that was there already this is nothing new.
    """
    names = {row["name_with_owner"] for row in rows["raw_github.repositories"]}
    names |= {row["configured_as"] for row in rows["raw_github.repositories"] if "*" not in row["configured_as"]}
    own = re.compile(rf"\b({'|'.join(map(re.escape, names))})\b", re.IGNORECASE)

    def other(column: str, value: Any) -> Any:
        if isinstance(value, datetime):
            return value - timedelta(minutes=30)
        if column == "id" or column.endswith("_id"):
            return value + _FAR if isinstance(value, int) else value and f"{value}-sibling"
        if isinstance(value, str):
            value = re.sub(r"(?<=/runs/)\d+", lambda found: str(int(found[0]) + _FAR), value)
            return own.sub(r"\1-sibling", value)
        return value

    both = {}
    for name, each in rows.items():
        copied = each if name.startswith("raw_github") else [row for row in each if row.get("repository") in names]
        copies = [{column: other(column, value) for column, value in row.items()} for row in copied]
        both[name] = [*each, *(copies if name != "operations.sync_status" else [])]
    return both


_FAR = 10**9

OF_REPOSITORIES = {
    "fct_deployments": "true",
    "fct_deployed_changes": "true",
    "fct_deployment_failures": "true",
    "fct_pull_requests": "true",
    "fct_reviews": "true",
    "fct_issues": "true",
    "bridge_pull_requests_issues": "true",
    "dora_metrics": "scope_type in ('repository', 'service')",
    "dev_metrics": "scope_type in ('repository', 'service')",
    "dora_scorecard": "scope_type in ('repository', 'service')",
}
"""Marts, with the rows of them that another repository changes nothing of."""


def may_have_siblings(rows: Mapping[str, list[Row]]) -> bool:
    """Whether these are repositories alone: what Linear and teams say would be of the siblings too."""
    return not any(each and name.startswith(("raw_linear", "config.team")) for name, each in rows.items())


def _settings_rows(folder: Path) -> dict[str, list[Row]]:
    toml = folder / "veelocity.toml"
    before = os.environ.pop("VEELOCITY_CONFIG", None)
    try:
        settings = load_settings(folder if toml.exists() else folder / "no settings", overrides=_SETTINGS)
    finally:
        if before is not None:
            os.environ["VEELOCITY_CONFIG"] = before
    return {f"config.{name}": table.to_pylist() for name, table in config_tables(settings).items()}


def _typed(line: Mapping[str, str], schema: pa.Schema, path: Path | None = None) -> Row:
    unknown = set(line) - set(schema.names)
    assert not unknown, f"{path}: no columns {sorted(map(str, unknown))}"
    return {name: _value(text, schema.field(name).type) for name, text in line.items()}


def _value(text: str | None, kind: pa.DataType) -> Any:
    if text is None or text == "":
        return None
    if pa.types.is_timestamp(kind):
        return datetime.fromisoformat(text.strip() + "+00:00")
    if pa.types.is_date(kind):
        return date.fromisoformat(text)
    if pa.types.is_boolean(kind):
        return {"true": True, "false": False}[text]
    if pa.types.is_integer(kind):
        return int(text)
    if pa.types.is_floating(kind):
        return float(text)
    return text.replace("\\n", "\n")


def differences(project: Project, connection: duckdb.DuckDBPyConnection, expected: Path) -> list[str]:
    """Rows that only the model or only the expected file has, as readable lines; none when they agree."""
    text = expected.read_text(encoding="utf-8")
    where = "true"
    while text.startswith("#"):
        first, _, text = text.partition("\n")
        if first.startswith("# where "):
            where = first.removeprefix("# where ")
    lines = list(csv.reader(io.StringIO(text)))
    columns, wanted = lines[0], lines[1:]
    relation = project.relation(expected.stem)
    kinds = {name: str(kind) for name, kind, *_ in connection.execute(f"describe {relation}").fetchall()}
    unknown = [name for name in columns if name not in kinds]
    assert not unknown, f"{expected}: {expected.stem} has no columns {unknown}"
    selected = ", ".join(f'"{name}"' for name in columns)
    found = connection.execute(f"select {selected} from {relation} where {where}").fetchall()
    actual = sorted(" | ".join(map(_text, row)) for row in found)
    hoped = sorted(
        " | ".join(_normal(cell, kinds[name]) for name, cell in zip(columns, row, strict=True)) for row in wanted
    )
    missing, extra = list(hoped), []
    for row in actual:
        if row in missing:
            missing.remove(row)
        else:
            extra.append(row)
    if not missing and not extra:
        return []
    header = f"{expected.stem}: {', '.join(columns)}"
    return [header, *(f"  expected {row}" for row in missing), *(f"  found    {row}" for row in extra)]


def _normal(text: str, kind: str) -> str:
    """An expected cell, written as :func:`_text` writes a found one."""
    if text == "":
        return ""
    if kind.startswith("TIMESTAMP"):
        return _text(datetime.fromisoformat(text))
    if kind == "DOUBLE":
        return _text(float(text))
    return text.replace("\\n", "\n")


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:.6f}".rstrip("0").rstrip(".")
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S.%f").removesuffix(".000000")
    return str(value)


def build_unit_test(project: Project, test: UnitTest, typed: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """A warehouse that holds what a unit test gives and, as ``expected``, what it expects.

    Args:
        project: the compiled project.
        test: the unit test.
        typed: any built warehouse, which tells the types of all columns.
    """
    connection = duckdb.connect(config={"threads": 1})  # over a few rows a second one only costs
    connection.execute("set TimeZone = 'UTC'")
    connection.execute("set enable_progress_bar = false")
    connection.execute(f"attach ':memory:' as {DATABASE}")
    connection.execute(f"use {DATABASE}")
    for relation, rows in test.given.items():
        connection.execute(f"create schema if not exists {relation.rpartition('.')[0]}")
        _create_typed(connection, relation, typed, relation, rows, whole=True)
    _create_typed(connection, "expected", typed, project.node(test.model).relation, test.expected, whole=False)
    return connection


def _create_typed(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    typed: duckdb.DuckDBPyConnection,
    like: str,
    rows: list[Row] | str,
    *,
    whole: bool,
) -> None:
    kinds = {column: kind for column, kind, *_ in typed.execute(f"describe {like}").fetchall()}
    if isinstance(rows, str):
        columns = [column for column, *_ in connection.execute(f"describe {rows}").fetchall()]
    else:
        columns = list(dict.fromkeys(column for row in rows for column in row))
    declared = ", ".join(f'"{column}" {kinds[column]}' for column in (kinds if whole else columns))
    connection.execute(f"create table {name} ({declared})")
    if isinstance(rows, str):
        connection.execute(f"insert into {name} by name ({rows})")
        return
    # (as parameters they would take four times as long: for each, DuckDB looks for modules that are not installed)
    for row in rows:
        named = ", ".join(f'"{column}"' for column in row)
        connection.execute(f"insert into {name} ({named}) values ({', '.join(map(_literal, row.values()))})")


def _literal(value: Any) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_literal, value))}]"
    if value is None or isinstance(value, bool | int | float):
        return "null" if value is None else str(value).lower()
    return "'" + str(value).replace("'", "''") + "'"


def unit_test_fails(connection: duckdb.DuckDBPyConnection, test: UnitTest, code: str) -> bool:
    """Whether a model's SQL, this one, makes other rows of what a unit test gives than it expects."""
    columns = ", ".join(f'"{name}"' for name, *_ in connection.execute("describe expected").fetchall())
    try:
        connection.execute(f"create or replace temporary table made as select {columns} from ({code})")
    except duckdb.Error:
        return True
    return _differ(connection, "made", "expected")
