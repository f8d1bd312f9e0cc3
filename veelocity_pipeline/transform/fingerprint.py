"""What the models are made from, and which of them another build would change.

Each model has a fingerprint of its inputs: its own SQL and settings, and the fingerprints of what it reads, down to the
rows of raw and config tables. A model whose fingerprint is the one that it was built with is left as it is. Some models
mostly give the same rows although their inputs changed: who the people are, what each metric measures. They have
``meta: {settles: true}``. A build stops at each of them, and what they pass on is a hash of their rows instead of what
they were made from. So a changed title rebuilds no commit graph and no metric.
"""

from __future__ import annotations

import functools
import graphlib
import hashlib
import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb
import pyarrow as pa

from veelocity_pipeline.config.settings import CHECKOUT, Settings
from veelocity_pipeline.transform.own import whole_digest
from veelocity_pipeline.transform.project import Project
from veelocity_pipeline.transform.runner import Done
from veelocity_pipeline.warehouse.home import Home
from veelocity_pipeline.warehouse.status import last_build
from veelocity_pipeline.warehouse.store import connect

NOTHING_NEW = "Nothing new was loaded, no rule changed and no day passed: what is published stands"

_BUILT = pa.schema({"name": pa.string(), "inputs": pa.string(), "content": pa.string()})
"""``operations.built``: what each model in the warehouse was made from, and its rows where it settles."""

_CONTENTS = pa.schema({"name": pa.string(), "load": pa.string(), "content": pa.string()})
"""``operations.contents``: the rows of each raw table, as they were after this load."""


@dataclass(frozen=True)
class Built:
    """What a model in the warehouse was made from; of one that settles, also what its rows are."""

    inputs: str
    content: str = ""


@dataclass(frozen=True)
class Plan:
    """What to build next.

    Attributes:
        nodes: models and seeds, by dbt's unique id, with the changed tables that make it necessary.
        tests_of: models, seeds and sources, by dbt's unique id, whose tests are to be run; none but in the last step.
        is_last: when these are built, all is.
        is_everything: it is the whole project.
    """

    nodes: Mapping[str, Sequence[str]]
    tests_of: Sequence[str]
    is_last: bool
    is_everything: bool


LAYERS = frozenset({"staging", "conformed", "intermediate", "marts"})
"""Schemas in which models, those of earlier versions too, have their tables and views: nothing else is there."""


class Graph:
    """The models and what they read, as the manifest has it."""

    def __init__(self, project: Project) -> None:
        manifest = project.manifest
        self.nodes: dict[str, Mapping[str, Any]] = {
            name: node for name, node in manifest["nodes"].items() if node["resource_type"] in ("model", "seed")
        }
        self.sources: Mapping[str, Mapping[str, Any]] = manifest["sources"]
        self.parents = {name: list(node.get("depends_on", {}).get("nodes", ())) for name, node in self.nodes.items()}
        order = graphlib.TopologicalSorter(self.parents).static_order()
        self.order = [name for name in order if name in self.nodes]
        self.settling = {
            name
            for name, node in self.nodes.items()
            # a user's own model may fail, so nothing waits for it
            if node["config"].get("meta", {}).get("settles", False) and name not in project.own
        }
        self.tested: dict[str, str] = {}
        tests: dict[str, list[str]] = {}
        for node in manifest["nodes"].values():
            if node["resource_type"] == "test":
                said = json.dumps([node["raw_code"], node.get("test_metadata"), node["config"].get("severity")])
                of = node.get("attached_node") or next(iter(node["depends_on"]["nodes"]), "")
                self.tested[node["unique_id"]] = of
                tests.setdefault(of, []).append(said + _macros(manifest, node))
        self.own = {
            name: _hash([_definition(manifest, node), *sorted(tests.get(name, ()))])
            for name, node in self.nodes.items()
        }
        self.tests_of_sources = {name: _hash(sorted(tests.get(name, ()))) for name in self.sources}

        self.relations = {self.relation(name) for name in self.nodes if self.is_stored(name)}
        self.schemas = LAYERS | {schema for schema, _ in map(self.relation, self.nodes)}

    def is_stored(self, name: str) -> bool:
        """Whether there is a table or view of it."""
        return bool(self.nodes[name]["config"]["materialized"] != "ephemeral")

    def relation(self, name: str) -> tuple[str, str]:
        """Schema and name of a node's table."""
        node = self.nodes.get(name) or self.sources[name]
        return node["schema"], node.get("alias") or node["name"]

    def above(self, names: Iterable[str]) -> set[str]:
        """These nodes and all that they are made from."""
        found, left = set(), list(names)
        while left:
            name = left.pop()
            if name in self.nodes and name not in found:
                found.add(name)
                left += self.parents[name]
        return found


def _code_of_python_models() -> str:
    """What the Python models import and leave the decision to."""
    folder = CHECKOUT / "veelocity_pipeline" / "transform"
    return "".join((folder / name).read_text(encoding="utf-8") for name in ("commit_graph.py", "reverts.py"))


def _definition(manifest: Mapping[str, Any], node: Mapping[str, Any]) -> str:
    """All that says what a node is, but the rows that it reads."""
    columns = {name: column.get("data_type") for name, column in node["columns"].items()}
    if node["config"].get("persist_docs"):  # its descriptions are in the warehouse, too
        columns = {name: [kind, node["columns"][name]["description"]] for name, kind in columns.items()}
        columns[""] = node["description"]
    code = node.get("raw_code") or node["checksum"]["checksum"]
    if node.get("language") == "python":
        code += _code_of_python_models()
    config = {name: value for name, value in node["config"].items() if name not in ("docs", "meta", "tags")}
    return json.dumps([code, config, columns, node["schema"]], default=str) + _macros(manifest, node)


def _macros(manifest: Mapping[str, Any], node: Mapping[str, Any]) -> str:
    """The project's own macros that a node uses, directly or not."""
    found: dict[str, str] = {}
    left = list(node.get("depends_on", {}).get("macros", ()))
    while left:
        name = left.pop()
        macro = manifest["macros"].get(name)
        if macro and name not in found and macro["package_name"] == node["package_name"]:
            found[name] = macro["macro_sql"]
            left += macro["depends_on"]["macros"]
    return json.dumps(sorted(found.items()))


def _hash(parts: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]


# -------------------------------------------------------------------------------------------- in the warehouse


def _content(connection: duckdb.DuckDBPyConnection, schema: str, table: str) -> str:
    """The rows of a table as a short text, in whatever order they are."""
    query = f'select count(*), sum(hash(t)::hugeint) from {schema}."{table}" as t'
    return "/".join(map(str, connection.execute(query).fetchall()[0]))


def contents(connection: duckdb.DuckDBPyConnection, *, trust: bool = True) -> dict[tuple[str, str], str]:
    """The rows of every raw and config table, by schema and name, as short texts.

    Args:
        trust: take it from the last time where dlt loaded nothing since; else every table is read.
    """
    tables = connection.execute(
        """select schema_name, table_name from duckdb_tables()
           where (schema_name = 'config' or starts_with(schema_name, 'raw_'))
           and not starts_with(table_name, '_dlt_') and not ends_with(schema_name, '_staging') order by all"""
    ).fetchall()
    _make(connection, "contents", _CONTENTS)
    known = {name: (load, content) for name, load, content in connection.execute("from operations.contents").fetchall()}

    @functools.cache
    def load(schema: str) -> str:
        [(there,)] = connection.execute(
            "select count(*) from duckdb_tables() where schema_name = ? and table_name = '_dlt_loads'", [schema]
        ).fetchall()
        if not there:
            return ""
        [(newest,)] = connection.execute(f"select max(load_id) from {schema}._dlt_loads").fetchall()
        return newest or ""

    found, fresh = {}, []
    for schema, table in tables:
        name = f"{schema}.{table}"
        newest = load(schema)
        if trust and newest and known.get(name, ("",))[0] == newest:
            found[schema, table] = known[name][1]
            continue
        found[schema, table] = _content(connection, schema, table)
        if newest and known.get(name) != (newest, found[schema, table]):
            fresh.append({"name": name, "load": newest, "content": found[schema, table]})
    if fresh:
        _replace(connection, "contents", pa.Table.from_pylist(fresh, schema=_CONTENTS))
    return found


def _make(connection: duckdb.DuckDBPyConnection, table: str, schema: pa.Schema) -> None:
    connection.execute("create schema if not exists operations")
    columns = ", ".join(f"{name} varchar" for name in schema.names)
    connection.execute(f"create table if not exists operations.{table} ({columns})")


def _replace(connection: duckdb.DuckDBPyConnection, table: str, rows: pa.Table) -> None:
    connection.register("incoming", rows)
    connection.execute("begin")
    connection.execute(f"delete from operations.{table} where name in (select name from incoming)")
    connection.execute(f"insert into operations.{table} by name from incoming")
    connection.execute("commit")
    connection.unregister("incoming")


def inputs(home: Home, settings: Settings, *, trust: bool = True) -> str:
    """What the marts are a function of, as one short text: equal texts mean that a build would change nothing.

    Rows that were loaded, rules, the day that ``as_of`` is in, what cannot be read, and the models. A failed read
    changes no number; that it begins to fail, or no longer does, is published all the same, in ``sync_status``.
    """
    with connect(home) as connection:
        parts = [whole_digest(settings.models), _hash([_code_of_python_models()])]
        parts += [
            f"{schema}.{table}={content}" for (schema, table), content in contents(connection, trust=trust).items()
        ]
        parts += map(
            str,
            connection.execute(
                """select source, repository, source_key, min(timezone(?, read_at)::date)
                   from operations.sync_status where read_at is not null group by all order by all""",
                [settings.timezone],
            ).fetchall(),
        )
        parts += map(
            str,
            connection.execute(
                "select distinct source, repository from operations.sync_status where error is not null order by all"
            ).fetchall(),
        )
    return _hash(parts)


def is_up_to_date(home: Home, settings: Settings) -> bool:
    """Whether a build now would publish what is published."""
    return inputs(home, settings) == last_build(home)


# ------------------------------------------------------------------------------------------------- what to build


class Building:
    """One build: which models are to be made, in one or more steps, and what they were made from when it is done.

    Args:
        everything: build every model, whatever was built before.
        trust: as for :func:`contents`.
    """

    def __init__(self, project: Project, home: Home, *, everything: bool = False, trust: bool = True) -> None:
        self._graph = Graph(project)
        self._own_of = project.own_of
        self._home = home
        with connect(home) as connection:
            rows = contents(connection, trust=trust)
            rows["operations", "sync_status"] = _content(connection, "operations", "sync_status")
            schemas = {
                (schema, table): text
                for schema, table, text in connection.execute(
                    """select schema_name, table_name,
                              string_agg(column_name || ' ' || data_type, ',' order by column_name)
                       from duckdb_columns() group by all"""
                ).fetchall()
            }
            _make(connection, "built", _BUILT)
            built = connection.execute("select name, inputs, content from operations.built").fetchall()
        self._leaves = {
            name: _hash([rows.get(self._graph.relation(name), ""), self._graph.tests_of_sources[name]])
            for name in self._graph.sources
        }
        self._shapes = {name: schemas.get(self._graph.relation(name), "") for name in self._graph.sources}
        self._built = {} if everything else {name: Built(inputs, content) for name, inputs, content in built}
        for name in list(self._built):  # somebody dropped it
            if name in self._graph.nodes and self._graph.relation(name) not in schemas:
                del self._built[name]
        self._removed = [
            each for each in schemas if each[0] in self._graph.schemas and each not in self._graph.relations
        ]
        self._done: set[str] = set()
        self._settled: dict[str, str] = {}

    def plan(self) -> Plan:
        """What to build next; no node where all is as it would be."""
        prints = self._prints()
        stored = {name for name in self._graph.order if self._graph.is_stored(name)}
        dirty = {name for name in stored if self._is_dirty(name, prints)} - self._done
        # those that wait for another one to settle come in a later step; a first build gains nothing by several
        first = {name for name in dirty & self._graph.settling if prints[name] is not None}
        nodes = dirty & self._graph.above(first) if first and dirty != stored else dirty
        is_last = nodes == dirty
        changed = [name for name, leaf in self._leaves.items() if self._was(name) != leaf]
        return Plan(
            {name: self._because(name, changed) for name in self._graph.order if name in nodes},
            [*sorted(self._done), *changed] if is_last else [],
            is_last,
            is_everything=nodes == stored,
        )

    def drop_removed(self) -> None:
        """Drop the tables and views that no model makes any more."""
        with connect(self._home) as connection:
            for schema, name in self._removed:
                for kind, listed in (("view", "duckdb_views"), ("table", "duckdb_tables")):
                    found = connection.execute(
                        f"select 1 from {listed}() where schema_name = ? and {kind}_name = ?", [schema, name]
                    ).fetchall()
                    if found:
                        connection.execute(f'drop {kind} {schema}."{name}"')

    def begin(self, plan: Plan) -> None:
        """Forget what these models were made from, before they are something else."""
        with connect(self._home) as connection:
            connection.register("going", pa.table({"name": [*plan.nodes, *plan.tests_of]}))
            connection.execute("delete from operations.built where name in (select name from going)")

    def end(self, plan: Plan, failed: Collection[str] = ()) -> None:
        """Say that these models are built; after the last step, that all of them passed their tests.

        Args:
            failed: those that are not, or did not.
        """
        self._done = (self._done | set(plan.nodes)) - set(failed)
        with connect(self._home) as connection:
            for name in self._graph.settling & set(plan.nodes) - set(failed):
                self._settled[name] = _content(connection, *self._graph.relation(name))
        if not plan.is_last:
            return
        prints = self._prints()
        rows = [
            {"name": name, "inputs": self._key(name, prints), "content": self._settled.get(name, "")}
            for name in sorted(self._done)
        ]
        rows += [{"name": name, "inputs": leaf, "content": ""} for name, leaf in self._leaves.items()]
        with connect(self._home) as connection:
            _replace(connection, "built", pa.Table.from_pylist(rows, schema=_BUILT))

    def is_broken(self, done: Iterable[Done]) -> bool:
        """Return whether something failed that is not a user's own model or test."""
        return any(not each.is_good and self._own_of(each.unique_id) is None for each in done)

    def failed(self, done: Iterable[Done]) -> set[str]:
        """Return the models and seeds that could not be built, were skipped, or failed a test."""
        return {self._graph.tested.get(each.unique_id, each.unique_id) for each in done if not each.is_good}

    @property
    def models(self) -> list[str]:
        """All models and seeds that the warehouse holds, each after those that it reads."""
        return [name for name in self._graph.order if self._graph.is_stored(name)]

    def _was(self, name: str) -> str | None:
        return self._built[name].inputs if name in self._built else None

    def _prints(self) -> dict[str, str | None]:
        """The fingerprint of each node; None where it depends on one that settles and is yet to be built."""
        prints: dict[str, str | None] = {}
        for name in self._graph.order:
            parts: list[str | None] = [self._graph.own[name]]
            for parent in self._graph.parents[name]:
                if parent in self._leaves:
                    parts.append(self._leaves[parent])
                elif parent in self._graph.settling:
                    parts.append(self._content_of(parent, prints[parent]))
                else:
                    parts.append(prints[parent])
            known = [part for part in parts if part is not None]
            prints[name] = _hash(known) if len(known) == len(parts) else None
        return prints

    def _content_of(self, name: str, print_: str | None) -> str | None:
        if name in self._settled:
            return self._settled[name]
        is_clean = print_ is not None and self._was(name) == print_
        return self._built[name].content if is_clean else None

    def _key(self, name: str, prints: Mapping[str, str | None]) -> str | None:
        """What a node's table or view must have been made from to be left as it is."""
        if self._graph.nodes[name]["config"]["materialized"] != "view":
            return prints[name]
        # a view has no rows of its own: it is the same as long as its text and the columns below it are
        return _hash([self._graph.own[name], *self._below(name)])

    def _below(self, name: str) -> Iterator[str]:
        """The text or columns of what a view reads; of an ephemeral model, whose text becomes part of it, both."""
        for parent in self._graph.parents[name]:
            yield self._shapes.get(parent) or self._graph.own.get(parent, "")
            if parent in self._graph.nodes and not self._graph.is_stored(parent):
                yield from self._below(parent)

    def _is_dirty(self, name: str, prints: Mapping[str, str | None]) -> bool:
        if not self._graph.is_stored(name):
            return False
        key = self._key(name, prints)
        return key is None or self._was(name) != key

    def _because(self, name: str, changed: Sequence[str]) -> list[str]:
        """The raw and config tables whose change makes this node another; empty where the node itself is."""
        above = self._graph.above([name])
        read = {parent for each in above for parent in self._graph.parents[each]}
        return [".".join(self._graph.relation(source)) for source in changed if source in read]
