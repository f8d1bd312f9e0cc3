"""Changes the metric SQL one small thing at a time and reports what no test notices.

``make mutate`` runs it; ``python -m tests.dbt.mutate int_deployment_failures …`` only some models. A mutant is run on
the compiled SQL, in warehouses that are built already: first the dbt unit tests of its model, then every scenario (its
rows mixed and each twice, or with another repository beside its own that is just like it: both must change nothing) and
the golden organisation. There its descendants are run again, as far as it changes them, in a transaction that is rolled
back, until a row differs from a hand-written one or a data test fails. What survives is either a case that no test has,
or SQL that says the same in other words: a join that always finds its partner, an order that breaks no tie.
"""

from __future__ import annotations

import argparse
import contextlib
import multiprocessing
import random
import sys
import tempfile
import threading
import time
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import duckdb
import sqlglot
from rich.console import Console
from rich.progress import track
from rich.table import Table
from sqlglot import exp

from tests.golden import in_process, serve
from tests.golden.answers import TABLES, Marts, all_answers
from veelocity_pipeline.sources.kit.tables import Row

from .harness import (
    OF_REPOSITORIES,
    SCENARIOS,
    build,
    build_unit_test,
    differences,
    given,
    make,
    may_have_siblings,
    mixed,
    unit_test_fails,
    with_siblings,
)
from .project import Node, Project, compiled_project
from .raw import raw_schemas

LAYERS = ("intermediate", "marts")

_COMPARISONS: dict[type[exp.Expr], tuple[type[exp.Expr], ...]] = {
    exp.LT: (exp.LTE, exp.GT),
    exp.LTE: (exp.LT, exp.GTE),
    exp.GT: (exp.GTE, exp.LT),
    exp.GTE: (exp.GT, exp.LTE),
    exp.EQ: (exp.NEQ,),
    exp.NEQ: (exp.EQ,),
    exp.Add: (exp.Sub,),
    exp.Sub: (exp.Add,),
    exp.Mul: (exp.Div,),
    exp.Div: (exp.Mul,),
    exp.Min: (exp.Max,),
    exp.Max: (exp.Min,),
    exp.And: (exp.Or,),
    exp.Or: (exp.And,),
}
"""What is put in the place of what."""


@dataclass(frozen=True)
class Mutant:
    """One change of one model: what it was and what it is now, for people; and the whole SQL."""

    model: str
    was: str
    now: str
    code: str


def mutants(node: Node) -> Iterator[Mutant]:
    """Every single change of a model's SQL; those that change nothing in the text are left out."""
    tree = sqlglot.parse_one(node.code, dialect="duckdb")
    seen = {tree.sql(dialect="duckdb")}
    for number, found in enumerate(tree.walk()):
        for change in _changes(found):
            copy = tree.copy()
            target = next(each for place, each in enumerate(copy.walk()) if place == number)
            was = target.sql(dialect="duckdb")
            now = change(target)
            code = copy.sql(dialect="duckdb")
            if code not in seen:
                seen.add(code)
                yield Mutant(node.name, was, now.sql(dialect="duckdb") if now is not None else "(nothing)", code)


Change = Callable[[exp.Expr], "exp.Expr | None"]


def _changes(found: exp.Expr) -> Iterator[Change]:
    """How one node of the tree can be changed, in place in a copy."""
    for other in _COMPARISONS.get(type(found), ()):
        if not (isinstance(found, exp.EQ) and _is_argument(found)):
            yield lambda node, other=other: node.replace(other(**node.args))  # type: ignore[misc]
    if isinstance(found, exp.Join):
        if found.side == "LEFT" and not found.args.get("method"):
            yield _with(side=None, kind="INNER")
        elif (
            found.kind in ("INNER", "")
            and not found.side
            and (found.args.get("on") or found.args.get("using"))
            and not _rejects_nulls_later(found)
        ):
            yield _with(side="LEFT", kind="")
        elif found.kind in ("ANTI", "SEMI"):
            yield _with(kind="SEMI" if found.kind == "ANTI" else "ANTI")
    if isinstance(found, exp.Where | exp.Qualify | exp.Having) or (
        isinstance(found, exp.Filter) and isinstance(found.expression, exp.Where)
    ):
        if isinstance(found, exp.Filter):
            yield lambda node: node.replace(node.this)
        else:
            yield _without
    if isinstance(found, exp.And):
        yield lambda node: node.replace(node.this)
        yield lambda node: node.replace(node.expression)
    if isinstance(found, exp.Not):
        yield lambda node: node.replace(node.this)
    if isinstance(found, exp.Boolean):
        yield lambda node: node.replace(exp.Boolean(this=not node.this))
    if isinstance(found, exp.Literal) and not found.is_string and found.this.isdigit() and not _is_position(found):
        yield lambda node: node.replace(exp.Literal.number(int(node.this) + 1))
    if isinstance(found, exp.Ordered):
        yield _with(desc=not found.args.get("desc"))
    if isinstance(found, exp.Coalesce) and found.expressions:
        yield lambda node: node.replace(node.this)
    if isinstance(found, exp.If) and isinstance(found.parent, exp.Case) and len(found.parent.args["ifs"]) > 1:
        yield _without
    if isinstance(found, exp.Distinct) and isinstance(found.parent, exp.Select):
        yield _without


def _with(**arguments: object) -> Change:
    def change(node: exp.Expr) -> exp.Expr:
        for name, value in arguments.items():
            node.set(name, value)
        return node

    return change


def _without(node: exp.Expr) -> None:
    node.pop()


def _is_argument(found: exp.Expr) -> bool:
    """Whether this is ``name = value`` of a call, which is no comparison."""
    return isinstance(found.parent, exp.Func) and not isinstance(found.parent, exp.Connector | exp.If | exp.Coalesce)


def _is_position(found: exp.Expr) -> bool:
    """Whether a number only says which column or what precision is meant, or what EXISTS selects, which is not read."""
    parent = found.parent
    return isinstance(parent, exp.DataTypeParam | exp.Ordered | exp.Group) or (
        isinstance(parent, exp.Select) and isinstance(parent.parent, exp.Exists)
    )


def _rejects_nulls_later(join: exp.Join) -> bool:
    """Whether rows without a partner in this inner join are lost anyhow, so that a left join would say the same.

    That is so if a column of the joined table must equal another one, or be true, in the condition of a later inner
    join or in the WHERE of the same query.
    """
    select = join.parent
    assert isinstance(select, exp.Select)
    joins = select.args["joins"]
    conditions = [
        each.args["on"]
        for each in joins[joins.index(join) + 1 :]
        if each.args.get("on") and each.kind in ("INNER", "") and not each.side
    ]
    if select.args.get("where"):
        conditions.append(select.args["where"].this)
    return any(_rejects_nulls(condition, join.alias_or_name) for condition in conditions)


_STRICT = exp.EQ | exp.NEQ | exp.LT | exp.LTE | exp.GT | exp.GTE | exp.In | exp.Like | exp.RegexpLike


def _rejects_nulls(condition: exp.Expr, table: str) -> bool:
    """Whether a condition cannot be true where every column of a table is NULL."""
    match condition:
        case exp.Paren():
            return _rejects_nulls(condition.this, table)
        case exp.And():
            return any(_rejects_nulls(each, table) for each in condition.flatten())
        case exp.Or():
            return all(_rejects_nulls(each, table) for each in condition.flatten())
        case exp.Column():
            return condition.table == table
        case exp.Not(this=exp.Is(this=exp.Column() as column, expression=exp.Null())):
            return column.table == table
        case exp.Not(this=exp.Column() as column):
            return column.table == table
    if not isinstance(condition, _STRICT):
        return False
    # an operand that can make something of NULL, or that is a query, proves nothing
    operands = [condition.this, condition.args.get("expression")]
    return any(
        column.table == table
        for operand in operands
        if operand is not None and not operand.find(exp.Coalesce, exp.Case, exp.Is, exp.Or, exp.Select)
        for column in operand.find_all(exp.Column)
    )


class World(ABC):
    """A built warehouse, and what a hand has written of its tables."""

    def __init__(self, project: Project, name: str, connection: duckdb.DuckDBPyConnection, tables: set[str]) -> None:
        """
        Args:
            project: what was built.
            name: of the world.
            connection: to its warehouse.
            tables: those of which something is written.
        """
        self.name = name
        self.connection = connection
        self._project = project
        self.tables = tables
        self._place = {node.unique_id: place for place, node in enumerate(project.nodes)}
        self._tests: dict[str, list[Node]] = {}
        for test in project.tests:
            # a test of two models is asked when both are there
            own = [each for each in project.parents[test.unique_id] if each in self._place]
            if own:
                self._tests.setdefault(max(own, key=lambda each: self._place[each]), []).append(test)

    @abstractmethod
    def is_wrong(self, table: str) -> bool:
        """Whether a table differs from what is written of it."""

    def notices(self, mutant: Mutant) -> bool:
        """Whether this world tells the mutant from the model."""
        node = self._project.node(mutant.model)
        self.connection.execute("begin")
        try:
            with _limit(self.connection):
                return self._notices(node, mutant.code)
        except (duckdb.Error, AssertionError):
            return True
        finally:
            self.connection.execute("rollback")

    def _notices(self, node: Node, code: str) -> bool:
        if not make(self.connection, node, code):
            return False
        changed = {node.unique_id}
        for each in self._project.nodes[self._place[node.unique_id] :]:
            if changed.intersection(self._project.parents.get(each.unique_id, ())) and make(self.connection, each):
                changed.add(each.unique_id)
            if each.unique_id in changed and each.name in self.tables and self.is_wrong(each.name):
                return True
            for test in self._tests.get(each.unique_id, ()):
                if changed.intersection(self._project.parents[test.unique_id]):
                    failed = self.connection.execute(f"select * from ({test.code}) limit 1").fetchall()
                    if failed:
                        return True
        return False


class ScenarioWorld(World):
    """A scenario, its raw rows mixed and each twice, unless it looks at a table that may hold a row twice."""

    def __init__(self, project: Project, folder: Path) -> None:
        """Build the scenario of a folder."""
        self._expected = {path.stem: path for path in (folder / "expected").glob("*.csv")}
        rows = given(folder / "given")
        if not any(name.endswith("_unioned") for name in self._expected):
            rows = mixed(rows)
        super().__init__(project, folder.name, build(project, rows), set(self._expected))

    def is_wrong(self, table: str) -> bool:
        """Whether a table differs from the expected one."""
        return bool(differences(self._project, self.connection, self._expected[table]))


class SiblingWorld(World):
    """A scenario in which each repository has another beside it that is just like it, which must change nothing."""

    def __init__(self, project: Project, alone: ScenarioWorld, folder: Path) -> None:
        """Build the scenario of a folder with the siblings, and keep what it is without."""
        connection = build(project, with_siblings(given(folder / "given")))
        super().__init__(project, f"{folder.name}, and a sibling", connection, set(OF_REPOSITORIES))
        for table, where in OF_REPOSITORIES.items():
            own = alone.connection.execute(f"select * from marts.{table} where {where}").to_arrow_table()
            self.connection.register("own_rows", own)
            self.connection.execute(f"create table {table}_alone as from own_rows")
            self.connection.unregister("own_rows")

    def is_wrong(self, table: str) -> bool:
        """Whether a row has changed of a repository that was there already."""
        query = f"(from {table}_alone except all from marts.{table}) limit 1"
        return self.connection.execute(query).fetchone() is not None


@dataclass(frozen=True)
class Golden:
    """The golden organisation's raw rows, and the names that its story gives to things."""

    rows: Mapping[str, list[Row]]
    names: Mapping[str, str]


def golden() -> Golden:
    """Read the golden organisation once and keep what was read of it."""
    with tempfile.TemporaryDirectory() as folder:
        home, story = serve(Path(folder) / "home", in_process)
        with duckdb.connect(str(home.working), read_only=True) as connection:
            rows = {
                name: connection.table(name).select(*schema.names).to_arrow_table().to_pylist()
                for name, schema in raw_schemas().items()
            }
    return Golden(rows, story.names)


class GoldenWorld(World):
    """The golden organisation, and its answers."""

    def __init__(self, project: Project, it: Golden) -> None:
        """Build it of its raw rows."""
        self._names = it.names
        super().__init__(project, "golden", build(project, it.rows), set(TABLES))

    def is_wrong(self, table: str) -> bool:
        """Whether an answer about a table is wrong."""
        answers = all_answers(Marts(self.connection, self._names), [table])
        return not all(answer.is_right for answer in answers)


class UnitTests:
    """dbt's unit tests, ready to be run on any SQL."""

    def __init__(self, project: Project) -> None:
        """Build the warehouse of each."""
        with build(project, {}) as typed:
            self._tests = [(test, build_unit_test(project, test, typed)) for test in project.unit_tests]
        for test, connection in self._tests:
            code = project.node(test.model).code
            assert not unit_test_fails(connection, test, code), f"{test.name} fails without a mutant"

    def notice(self, mutant: Mutant) -> bool:
        """Whether a test of its model tells the mutant from the model."""
        for test, connection in self._tests:
            if test.model == mutant.model:
                with _limit(connection):
                    if unit_test_fails(connection, test, mutant.code):
                        return True
        return False


class Worlds:
    """Every scenario, alone and with siblings, and the golden organisation."""

    def __init__(self, project: Project, it: Golden | None) -> None:
        """Build them all; without the golden organisation where it is None."""
        folders = [folder for folder in sorted(SCENARIOS.iterdir()) if (folder / "expected").is_dir()]
        scenarios = {folder: ScenarioWorld(project, folder) for folder in folders}
        self._worlds: list[World] = [
            *scenarios.values(),
            *(
                SiblingWorld(project, alone, folder)
                for folder, alone in scenarios.items()
                if may_have_siblings(given(folder / "given"))
            ),
        ]
        if it is not None:
            self._worlds.append(GoldenWorld(project, it))
        for world in self._worlds:
            wrong = [table for table in world.tables if world.is_wrong(table)]
            assert not wrong, f"{world.name} is wrong without a mutant: {wrong}"
        self._noticed: dict[str, Counter[str]] = {}

    def notice(self, mutant: Mutant) -> bool:
        """Whether any world tells the mutant from the model; those that noticed most of its model so far come first."""
        noticed = self._noticed.setdefault(mutant.model, Counter())
        for world in sorted(self._worlds, key=lambda each: -noticed[each.name]):
            if world.notices(mutant):
                noticed[world.name] += 1
                return True
        return False


@contextlib.contextmanager
def _limit(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Ends a query that a mutant made endless."""
    timer = threading.Timer(30, connection.interrupt)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


_jury: UnitTests | Worlds


def _start(jury: Callable[..., UnitTests | Worlds], *arguments: object) -> None:
    global _jury
    _jury = jury(*arguments)


def _is_noticed(mutant: Mutant) -> tuple[Mutant, bool]:
    return mutant, _jury.notice(mutant)


def survivors(
    console: Console,
    processes: int,
    made: list[Mutant],
    jury: Callable[..., UnitTests | Worlds],
    *arguments: object,
    said: str = "",
) -> Iterator[Mutant]:
    """Those of the mutants that a jury does not notice; its class and that one's arguments are given."""
    # an executor breaks where a process cannot begin; a pool would start it again for ever
    spawn, start = multiprocessing.get_context("spawn"), partial(_start, jury, *arguments)
    with ProcessPoolExecutor(processes, spawn, start) as pool:
        results = pool.map(_is_noticed, made, chunksize=4)
        for mutant, is_noticed in track(results, said, len(made), console=console, transient=True):
            if not is_noticed:
                yield mutant


def all_mutants(project: Project, models: set[str]) -> list[Mutant]:
    """Every mutant of these models; of all that decide something, if none is named."""
    return [
        mutant
        for node in project.nodes
        if node.kind == "model" and not node.is_python and node.layer in LAYERS and (not models or node.name in models)
        for mutant in mutants(node)
    ]


def main() -> None:
    """Print every survivor and the score by model; exit status 1 below ``--least``."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="*", help="only these models")
    parser.add_argument("--least", type=float, default=0.9, help="the share that must be noticed")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--sample", type=int, help="only so many mutants, drawn by chance")
    parser.add_argument("--seed", type=int, default=1, help="of that chance")
    parser.add_argument("--without-golden", action="store_true", help="do without the golden organisation")
    arguments = parser.parse_args()
    console = Console()
    started = time.perf_counter()
    project = compiled_project()
    made = all_mutants(project, set(arguments.models))
    if arguments.sample is not None:
        made = random.Random(arguments.seed).sample(made, min(arguments.sample, len(made)))
    plain = replace(project, manifest={})  # which the processes need not be sent
    rest = list(survivors(console, arguments.processes, made, UnitTests, plain, said=f"{len(made):,} mutants"))
    _print(console, f"{len(made) - len(rest):,} of {len(made):,} mutants noticed by the unit tests of their models")
    it = None if arguments.without_golden or not rest else golden()
    lost = []
    for mutant in survivors(console, arguments.processes, rest, Worlds, plain, it, said=f"{len(rest):,} left"):
        lost.append(mutant)
        _print(console, f"{mutant.model}: {mutant.was}  →  {mutant.now}")
    _print(console, "")
    console.print(score_table(made, lost))
    share = 1 - len(lost) / len(made) if made else 1.0
    seconds = time.perf_counter() - started
    _print(console, f"{len(made):,} mutants, {share:.1%} noticed, {seconds:,.0f} s")
    sys.exit(share < arguments.least)


def score_table(made: list[Mutant], lost: list[Mutant]) -> Table:
    """How many mutants each model has, and the share of them that was noticed."""
    by_model = Counter(mutant.model for mutant in lost)
    table = Table("model", "mutants", "noticed", box=None)
    for model, count in sorted(Counter(mutant.model for mutant in made).items(), key=lambda each: -by_model[each[0]]):
        table.add_row(model, f"{count}", f"{1 - by_model[model] / count:.0%}")
    return table


def _print(console: Console, text: str) -> None:
    console.print(text, markup=False, highlight=False, soft_wrap=True)
    console.file.flush()


if __name__ == "__main__":
    main()
