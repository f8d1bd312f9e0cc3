"""Changes the metric SQL one small thing at a time and reports what no scenario and no data test notices.

``make mutate`` runs it; ``python -m tests.dbt.mutate int_deployment_failures …`` only some models. A mutant is run on
the compiled SQL, in the scenarios' own warehouses, with its descendants, in a transaction that is rolled back; where
it makes the same table as the model itself, nothing after it need be run. What survives is either a case that no
scenario has, or SQL that says the same in other words: a join that always finds its partner, an order that breaks no
tie.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import sqlglot
from rich.console import Console
from rich.progress import track
from rich.table import Table
from sqlglot import exp

from .harness import SCENARIOS, Node, Project, build, compile_project, differences, failed_tests, given, run

LAYERS = ("intermediate", "marts")

_COMPARISONS: dict[type[exp.Expression], tuple[type[exp.Expression], ...]] = {
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


Change = Callable[[exp.Expression], "exp.Expression | None"]


def _changes(found: exp.Expression) -> Iterator[Change]:
    """How one node of the tree can be changed, in place in a copy."""
    for other in _COMPARISONS.get(type(found), ()):
        if not (isinstance(found, exp.EQ) and _is_argument(found)):
            yield lambda node, other=other: node.replace(other(**node.args))  # type: ignore[misc]
    if isinstance(found, exp.Join):
        if found.side == "LEFT" and not found.args.get("method"):
            yield _with(side=None, kind="INNER")
        elif found.kind in ("INNER", "") and not found.side and (found.args.get("on") or found.args.get("using")):
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
        yield lambda node: node.replace(node.left)
        yield lambda node: node.replace(node.right)
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
    def change(node: exp.Expression) -> exp.Expression:
        for name, value in arguments.items():
            node.set(name, value)
        return node

    return change


def _without(node: exp.Expression) -> None:
    node.pop()


def _is_argument(found: exp.Expression) -> bool:
    """Whether this is ``name = value`` of a call, which is no comparison."""
    return isinstance(found.parent, exp.Func) and not isinstance(found.parent, exp.Connector | exp.If | exp.Coalesce)


def _is_position(found: exp.Expression) -> bool:
    """Whether a number only says which column or what precision is meant."""
    return isinstance(found.parent, exp.DataTypeParam | exp.Ordered | exp.Group)


@dataclass
class World:
    """A scenario's warehouse, built, and what is expected of it."""

    name: str
    connection: duckdb.DuckDBPyConnection
    expected: tuple[Path, ...]


@dataclass
class Score:
    """How many mutants there were by model, and those that nothing noticed."""

    made: Counter[str] = field(default_factory=Counter)
    survivors: list[Mutant] = field(default_factory=list)

    @property
    def share(self) -> float:
        """Noticed, of all."""
        made = sum(self.made.values())
        return 1 - len(self.survivors) / made if made else 1.0


def worlds(project: Project) -> list[World]:
    """Every scenario."""
    return [
        World(folder.name, build(project, given(folder / "given")), tuple(sorted((folder / "expected").glob("*.csv"))))
        for folder in sorted(SCENARIOS.iterdir())
        if (folder / "expected").is_dir()
    ]


def is_noticed(project: Project, mutant: Mutant, world: World) -> bool:
    """Whether the world tells the mutant from the model."""
    connection = world.connection
    node = project.node(mutant.model)
    connection.execute("begin")
    try:
        try:
            connection.execute(f"create temporary table mutated as ({mutant.code})")
            same = connection.execute(
                f"""select not exists((from mutated except all from {node.relation})
                    union all (from {node.relation} except all from mutated))"""
            ).fetchall()[0][0]
            if same:
                return False
            run(connection, node, mutant.code)
            for each in project.descendants(node):
                run(connection, each)
        except (duckdb.Error, AssertionError):
            return True
        return any(differences(project, connection, path) for path in world.expected) or bool(
            failed_tests(project, connection)
        )
    finally:
        connection.execute("rollback")


def score(project: Project, models: set[str]) -> Score:
    """Run every mutant of the models (all, if none is named) until a world notices it."""
    found = Score()
    everywhere = worlds(project)
    made = [
        mutant
        for node in project.nodes
        if node.kind == "model" and not node.is_python and node.layer in LAYERS and (not models or node.name in models)
        for mutant in mutants(node)
    ]
    noticing: Counter[str] = Counter()
    for mutant in track(made, description=f"{len(made):,} mutants, {len(everywhere)} scenarios", transient=True):
        found.made[mutant.model] += 1
        # those that noticed most so far come first
        for world in sorted(everywhere, key=lambda each: -noticing[each.name]):
            if is_noticed(project, mutant, world):
                noticing[world.name] += 1
                break
        else:
            found.survivors.append(mutant)
    return found


def main() -> None:
    """Print the score by model and every survivor; exit status 1 below ``--least``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", nargs="*", help="only these models")
    parser.add_argument("--least", type=float, default=0.9, help="the share that must be noticed")
    arguments = parser.parse_args()
    console = Console()
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        project = compile_project(Path(folder))
    found = score(project, set(arguments.models))
    lost = Counter(mutant.model for mutant in found.survivors)
    table = Table("model", "mutants", "noticed", box=None)
    for model, count in sorted(found.made.items(), key=lambda each: -lost[each[0]]):
        table.add_row(model, f"{count}", f"{1 - lost[model] / count:.0%}")
    console.print(table)
    for mutant in found.survivors:
        console.print(f"{mutant.model}: {mutant.was}  →  {mutant.now}", markup=False, highlight=False, soft_wrap=True)
    seconds = time.perf_counter() - started
    console.print(f"{sum(found.made.values()):,} mutants, {found.share:.1%} noticed, {seconds:,.0f} s", highlight=False)
    sys.exit(found.share < arguments.least)


if __name__ == "__main__":
    main()
