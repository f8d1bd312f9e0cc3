"""Which columns each column of a model is made from, read from the SQL that dbt compiled.

What a column's *value* is computed from counts: columns in its expression, its conditions and its window, and in
subqueries inside of it. Which rows there are at all (joins, filters, grouping) does not: ``count(*)`` has no parents.
A struct is one column: a field of it comes from all that the struct is made from.
"""

from __future__ import annotations

import graphlib
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from sqlglot import exp, parse_one
from sqlglot.optimizer.qualify import qualify
from sqlglot.optimizer.scope import Scope, build_scope
from sqlglot.schema import MappingSchema

Column = tuple[str, str]
"""``schema.table`` and the column's name."""

Parents = dict[str, list[Column]]
"""A model's columns in order, each with those that it is made from."""

Tables = Mapping[str, Sequence[str]]
"""The columns of each ``schema.table``, in order."""


def of_query(sql: str, tables: Tables) -> Parents:
    """The columns that a query gives, in order, each with those of the tables that it is made from directly.

    Args:
        sql: in DuckDB's dialect; tables are named ``database.schema.table``.
        tables: at least those that it reads.

    Raises:
        ValueError: it cannot be read, or it names a column that no table has.
    """
    try:
        query = qualify(
            parse_one(sql, read="duckdb"),
            dialect="duckdb",
            schema=_schema(sql, tables),
            quote_identifiers=False,
            validate_qualify_columns=False,
        )
        scope = build_scope(query)
        if scope is None:
            raise ValueError("it is no query")
        walk = _Walk(scope)
        return {name: sorted(walk.output(scope, number)) for number, name in enumerate(_names(scope))}
    except Exception as error:
        raise ValueError(f"the columns of this query cannot be followed: {error}\n{sql}") from error


def _schema(sql: str, tables: Tables) -> MappingSchema:
    schema = MappingSchema(dialect="duckdb")
    for name, columns in tables.items():
        named, _, table = name.partition(".")
        schema.add_table(exp.table_(table, db=named, catalog="warehouse"), dict.fromkeys(columns, "unknown"))
    return schema


def _names(scope: Scope) -> list[str]:
    return list(scope.expression.named_selects)  # type: ignore[attr-defined]


class _Walk:
    """From outputs to tables, through common table expressions, subqueries and unions; each step once."""

    def __init__(self, root: Scope) -> None:
        self._scopes = {id(scope.expression): scope for scope in root.traverse()}
        self._known: dict[tuple[int, int], set[Column]] = {}

    def output(self, scope: Scope, number: int) -> set[Column]:
        """What the scope's column of this number is made from."""
        key = (id(scope), number)
        if key not in self._known:
            self._known[key] = set()  # (a recursive query meets itself)
            self._known[key] = set(self._output(scope, number))
        return self._known[key]

    def _output(self, scope: Scope, number: int) -> Iterator[Column]:
        if isinstance(scope.expression, exp.SetOperation):
            name = _names(scope)[number]
            for branch in scope.set_operation_scopes:
                if not scope.expression.args.get("by_name"):
                    yield from self.output(branch, number)
                elif name in _names(branch):
                    yield from self.output(branch, _names(branch).index(name))
        elif isinstance(scope.expression, exp.Query):
            yield from self._within(scope.expression.selects[number], scope)
        else:  # a function that gives rows
            yield from self._within(scope.expression, scope)

    def _within(self, expression: exp.Expr, scope: Scope) -> Iterator[Column]:
        for part in expression.walk(prune=lambda part: isinstance(part, exp.Query)):
            if isinstance(part, exp.Query):
                inner = self._scopes[id(part.unnest())]
                if isinstance(part.parent, exp.Exists):  # its answer is made from its conditions
                    yield from self._within_rows(inner)
                for number in range(len(_names(inner))):
                    yield from self.output(inner, number)
            elif isinstance(part, exp.Column):
                yield from self._column(part, scope)

    def _within_rows(self, scope: Scope) -> Iterator[Column]:
        for part in (scope.expression.args.get("where"), *(scope.expression.args.get("joins") or ())):
            if part is not None:
                yield from self._within(part, scope)

    def _whole(self, scope: Scope) -> Scope:
        """The scope itself; where a recursive query names itself, which is given as its first part, all of it."""
        query = scope.expression
        if self._scopes.get(id(query)) is not scope:
            while isinstance(query.parent, exp.SetOperation):
                query = query.parent
        return self._scopes.get(id(query), scope)

    def _column(self, column: exp.Column, scope: Scope | None) -> Iterator[Column]:
        while scope is not None:
            source = scope.sources.get(column.table)
            if isinstance(source, exp.Table):
                yield f"{source.db}.{source.name}", column.name
                return
            if source is not None:
                source = self._whole(source)
                names = _names(source) if isinstance(source.expression, exp.Query) else []
                yield from self.output(source, names.index(column.name) if names else 0)
                return
            scope = scope.parent
        raise ValueError(f"what is {column.sql('duckdb')}?")


def of_project(
    manifest: Mapping[str, Any],
    compiled: Path,
    project: Path,
    tables: Tables,
    known: Mapping[str, Parents] | None = None,
) -> dict[str, Parents]:
    """Every model's and seed's columns, by ``schema.table``, each with the columns that it is made from directly.

    A model without SQL says in the ``meta`` of each column what it is made from: ``made_from: [schema.table.column]``.
    A model whose SQL cannot be followed is left out, with a warning.

    Args:
        manifest: dbt's, with models, seeds and what they depend on.
        compiled: the folder with the compiled SQL of the project.
        project: the folder of the dbt project.
        tables: what is read and not made: raw tables, settings.
        known: what was found of the project's own models before; those that are left are a user's.
    """
    nodes = {
        name: node
        for name, node in manifest["nodes"].items()
        if node["resource_type"] in ("model", "seed") and not _is_ephemeral(node)
    }
    found: dict[str, Parents] = dict(known or {})
    columns: dict[str, Sequence[str]] = {**tables, **{name: list(parents) for name, parents in found.items()}}
    parents = {name: _parents(manifest, node) for name, node in nodes.items()}
    for name in graphlib.TopologicalSorter(parents).static_order():
        if name not in nodes:
            continue
        node, relation = nodes[name], f"{nodes[name]['schema']}.{nodes[name]['name']}"
        if relation in found:
            continue
        if node["resource_type"] == "seed":
            header = (project / node["original_file_path"]).open(encoding="utf-8").readline()
            columns[relation] = header.strip().split(",")
            found[relation] = {column: [] for column in columns[relation]}
            continue
        try:
            if node["language"] == "sql":
                sql = (compiled / node["original_file_path"]).read_text(encoding="utf-8")
                read = {
                    parent: columns[parent] for parent in map(_relation(manifest), parents[name]) if parent in columns
                }
                found[relation] = of_query(sql, read)
            else:
                found[relation] = {column: _declared(said) for column, said in node["columns"].items()}
            columns[relation] = list(found[relation])
        except (OSError, ValueError) as error:
            columns[relation] = list(node["columns"])
            if known is None:  # what is wrong with a user's own SQL, the build says
                logging.getLogger("veelocity").warning("%s: %s", relation, str(error).partition("\n")[0])
    return found


def _is_ephemeral(node: Mapping[str, Any]) -> bool:
    return bool(node["resource_type"] == "model" and node["config"]["materialized"] == "ephemeral")


def _parents(manifest: Mapping[str, Any], node: Mapping[str, Any]) -> list[str]:
    """What a node reads; of an ephemeral model, whose SQL becomes a part of the node's own, what that one reads."""
    found = []
    for name in node.get("depends_on", {}).get("nodes", ()):
        parent = manifest["nodes"].get(name)
        found += _parents(manifest, parent) if parent and _is_ephemeral(parent) else [name]
    return found


def _relation(manifest: Mapping[str, Any]) -> Callable[[str], str]:
    def relation(unique_id: str) -> str:
        node = manifest["nodes"].get(unique_id) or manifest["sources"][unique_id]
        return f"{node['schema']}.{node['name']}"

    return relation


def _declared(column: Mapping[str, Any]) -> list[Column]:
    said = [each.rpartition(".") for each in column["config"]["meta"].get("made_from", ())]
    return [(relation, name) for relation, _, name in said]
