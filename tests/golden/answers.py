"""The answers worked out by hand, beside what the published marts say.

``answers/metrics.txt`` has the metrics by scope and period; each other file has the rows of one mart, and is either all
of it or, where a narrower key is named below, those of its rows that matter.
"""

from __future__ import annotations

import collections
import csv
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb

FOLDER = Path(__file__).parent / "answers"
OWNER = "github:acme/"


@dataclass(frozen=True, slots=True)
class Answer:
    """One value, as a hand and as the product have it."""

    table: str
    row: str
    column: str
    answer: Any
    computed: Any
    why: str

    @property
    def is_right(self) -> bool:
        """Whether both say the same."""
        if isinstance(self.answer, float) and isinstance(self.computed, int | float):
            return abs(self.answer - self.computed) <= 1e-9 * max(1.0, abs(self.answer))
        return bool(self.answer == self.computed)


def _value(text: str) -> Any:
    """A written value: a number, true or false, NULL, a time, or a text."""
    if text in ("", "NULL"):
        return None
    if text in ("true", "false"):
        return text == "true"
    if re.fullmatch(r"-?\d+(\.\d+)?", text):
        return float(text)
    if re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d", text):
        return datetime.fromisoformat(text)
    return text


class Marts:
    """The published marts, in the words of the story.

    Args:
        connection: to the published file.
        names: what an id of the product holds, by the story's name for it.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection, names: Mapping[str, str]) -> None:
        self._connection = connection
        self._names = names
        self._columns: dict[str, list[str]] = {}
        self._read: dict[str, dict[tuple[Any, ...], list[dict[str, Any]]]] = {}
        self._teams = {team for (team,) in connection.execute("select team from marts.dim_teams").fetchall()}
        self._teams |= {team for (team,) in connection.execute("select distinct team from marts.fct_issues").fetchall()}

    def say(self, value: Any) -> Any:
        """A value of the marts in the words of the story: no owner, and names for shas, runs and deployments."""
        if not isinstance(value, str):
            return value
        value = value.replace(OWNER, "")
        for pattern in (r"runs/\d+/attempts/\d+", r"deployments/\d+"):
            value = re.sub(pattern, lambda found: self._names.get(found[0], found[0]), value)
        return re.sub(r"(?<=[@/])[0-9a-f]{7,40}\b", lambda found: self._commit(found[0]), value)

    def _commit(self, sha: str) -> str:
        return next((name for key, name in self._names.items() if key.startswith(sha)), sha)

    def rows(self, table: str, columns: list[str], where: str = "true") -> list[dict[str, Any]]:
        """Rows of a mart, those columns of them."""
        cursor = self._connection.execute(f"select {', '.join(columns)} from marts.{table} where {where}")
        return [dict(zip(columns, map(self.say, row), strict=True)) for row in cursor.fetchall()]

    def scope(self, scope: str) -> tuple[str, str]:
        """Type and name of a scope that the answers name."""
        if scope == "all" or scope in self._teams:
            return ("all" if scope == "all" else "team"), scope
        return ("service" if "/" in scope else "repository"), OWNER + scope

    def metric(self, scope: str, period: str, start: str, column: str) -> Any:
        """One value of dora_metrics, dev_metrics or dora_scorecard."""
        table = "dora_scorecard" if period == "days" else "dora_metrics"
        if column in self.columns("dev_metrics") and column not in self.columns(table):
            table = "dev_metrics"
        when: tuple[Any, ...]
        if period == "days":
            when = (int(start),)
        else:
            when = (period, date.fromisoformat(start + "-01" if period != "week" and len(start) < 8 else start))
        found = self._by_scope(table).get((*when, *self.scope(scope)), [])
        if len(found) != 1:
            return f"{len(found)} rows"
        return self.say(found[0][column])

    def _by_scope(self, table: str) -> dict[tuple[Any, ...], list[dict[str, Any]]]:
        """The rows of a table of metrics, by period and scope; read once."""
        if table not in self._read:
            key = ["window_days"] if table == "dora_scorecard" else ["period", "period_start"]
            found = self._read[table] = collections.defaultdict(list)
            cursor = self._connection.execute(f"select * from marts.{table}")
            for row in cursor.fetchall():
                named = dict(zip(self.columns(table), row, strict=True))
                found[tuple(named[name] for name in [*key, "scope_type", "scope"])].append(named)
        return self._read[table]

    def columns(self, table: str) -> list[str]:
        """Columns of a mart."""
        if table not in self._columns:
            found = self._connection.execute(f"describe marts.{table}").fetchall()
            self._columns[table] = [name for name, *_ in found]
        return self._columns[table]


def metrics(marts: Marts) -> Iterator[Answer]:
    """Every written metric; and that what is not written of a repository's months is nothing."""
    written: dict[tuple[str, str, str], set[str]] = {}
    head: tuple[str, str, str] = ("", "", "")
    for line in (FOLDER / "metrics.txt").read_text(encoding="utf-8").splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        if not line.startswith(" "):
            scope, period, start = line.split()
            head = (scope, period, start)
            written.setdefault(head, set())
            continue
        column, rest = line.strip().split(None, 1)
        quoted = re.match(r'"[^"]*"', rest)
        text = quoted[0] if quoted else rest.split()[0]
        why = rest[len(text) :].strip()
        written[head].add(column)
        yield Answer("metrics", " ".join(head), column, _value(text.strip('"')), marts.metric(*head, column), why)

    for table in ("dora_metrics", "dev_metrics"):
        counts = [
            name
            for name in marts.columns(table)
            if re.search(r"_count$|_sample$|^pull_requests|_median$|^change_fail_rate$|^rework_rate$", name)
            # issues are a team's; a repository has those of its pull requests, which the teams' answers cover
            and not re.match("issues|cycle_time|started_to", name)
        ]
        columns = ["scope", "strftime(period_start, '%Y-%m')", *counts]
        for row in marts.rows(table, columns, "period = 'month' and scope_type = 'repository'"):
            key = (row["scope"], "month", row["strftime(period_start, '%Y-%m')"])
            for name in counts:
                if name not in written.get(key, ()):
                    nothing = None if re.search("_median$|_rate$", name) else 0.0
                    yield Answer("metrics", " ".join(key), name, nothing, row[name], "nothing of it happened")


def table_rows(marts: Marts, file: str, table: str, key: list[str], *, is_whole: bool = True) -> Iterator[Answer]:
    """The rows of a mart, by the columns that identify one; a whole one has no others."""
    with (FOLDER / file).open(encoding="utf-8", newline="") as lines:
        written = list(csv.DictReader(lines))
    columns = [name for name in written[0] if name != "why"]
    computed = {tuple(row[name] for name in key): row for row in marts.rows(table, columns)}
    known = set()
    for line in written:
        row_key = tuple(line[name] for name in key)
        known.add(row_key)
        found = computed.get(row_key)
        for name in columns:
            if name not in key:
                value = found[name] if found else "no such row"
                yield Answer(table, " ".join(row_key), name, _value(line[name]), value, line["why"])
    if is_whole:
        for row_key in computed.keys() - known:
            yield Answer(table, " ".join(map(str, row_key)), "", "no such row", "a row", "nobody wrote it down")


def exclusions(marts: Marts) -> Iterator[Answer]:
    """What must be named as left out, with a word that its reason holds."""
    computed = {
        (row["metric"], row["entity_id"]): row["reason"]
        for row in marts.rows("metric_exclusions", ["metric", "entity_id", "reason"])
    }
    with (FOLDER / "exclusions.csv").open(encoding="utf-8", newline="") as lines:
        for line in csv.DictReader(lines):
            reason = computed.get((line["metric"], line["entity_id"]))
            said = line["says"] if reason and line["says"] in reason else reason
            row = f"{line['metric']} {line['entity_id']}"
            yield Answer("metric_exclusions", row, "reason", line["says"], said, line["why"])


_ANSWERS: dict[tuple[str, ...], Callable[[Marts], Iterator[Answer]]] = {
    ("dora_metrics", "dev_metrics", "dora_scorecard"): metrics,
    ("fct_deployed_changes",): lambda marts: table_rows(
        marts, "shipped.csv", "fct_deployed_changes", ["change_id", "service"]
    ),
    ("fct_deployment_failures",): lambda marts: table_rows(
        marts, "failures.csv", "fct_deployment_failures", ["deployment_id", "evidence", "evidence_id"]
    ),
    ("bridge_pull_requests_issues",): lambda marts: table_rows(
        marts, "links.csv", "bridge_pull_requests_issues", ["pull_request_id", "issue_id", "link_method"]
    ),
    ("fct_issues",): lambda marts: table_rows(marts, "issues.csv", "fct_issues", ["issue_id"]),
    ("fct_pull_requests",): lambda marts: table_rows(
        marts, "reviews.csv", "fct_pull_requests", ["pull_request_id"], is_whole=False
    ),
    ("metric_exclusions",): exclusions,
}
"""By the tables that they are of."""

TABLES = tuple(table for tables in _ANSWERS for table in tables)
"""What there are answers of."""


def all_answers(marts: Marts, tables: Iterable[str] = TABLES) -> Iterator[Answer]:
    """Every answer of these tables, beside what the marts say."""
    wanted = set(tables)
    for own, answers in _ANSWERS.items():
        if wanted.intersection(own):
            yield from answers(marts)


def as_table(answers: list[Answer]) -> str:
    """The answers as aligned text: the hand's, the product's, and the reason."""

    def text(value: Any) -> str:
        if value is None:
            return "NULL"
        if isinstance(value, float):
            return f"{value:.6g}"
        return f"{value:%Y-%m-%d %H:%M}" if isinstance(value, datetime) else str(value)

    lines = [("", "table", "row", "column", "by hand", "computed", "why")]
    lines += [
        (
            "" if each.is_right else "!",
            each.table,
            each.row,
            each.column,
            text(each.answer),
            text(each.computed),
            each.why,
        )
        for each in answers
    ]
    widths = [max(len(line[place]) for line in lines) for place in range(6)]
    return "\n".join(
        "  ".join([*(part.ljust(width) for part, width in zip(line, widths, strict=False)), line[6]]) for line in lines
    )
