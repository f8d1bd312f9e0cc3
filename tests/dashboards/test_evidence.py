"""The Evidence project's SQL over a published file, full and empty; its numbers beside those of the scorecard."""

from __future__ import annotations

import functools
import json
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import pytest
import sqlglot
from sqlglot import exp

from dashboards.evidence import published_file
from tests.dashboards.evidence import (
    INPUTS,
    PAGES,
    PROJECT,
    SOURCE,
    SOURCES,
    empty_copy,
    evidence_tables,
    filled,
    page_queries,
    page_text,
    published,
)
from veelocity_pipeline.published.formatting import duration, per_week, percent
from veelocity_pipeline.published.scorecard import scorecard
from veelocity_pipeline.warehouse.home import Home


@pytest.fixture(scope="module")
def marts(refreshed: Home) -> Iterator[duckdb.DuckDBPyConnection]:
    with published(refreshed.published) as connection:
        yield connection


@pytest.fixture(scope="module")
def tables(refreshed: Home) -> Iterator[duckdb.DuckDBPyConnection]:
    with evidence_tables(refreshed.published) as connection:
        yield connection


@pytest.mark.parametrize("source", SOURCES)
def test_a_source_query_reads_published_tables_alone(source: str) -> None:
    tree = sqlglot.parse_one(SOURCES[source], dialect="duckdb")
    with_names = {each.alias for each in tree.find_all(exp.CTE)}
    read = {(table.db, table.name) for table in tree.find_all(exp.Table)}
    assert {schema for schema, name in read if name not in with_names} <= {"marts"}


@pytest.mark.parametrize("query", page_queries(), ids=lambda query: f"{query.page}-{query.name}")
def test_a_page_query_finds_something(query, tables) -> None:  # type: ignore[no-untyped-def]
    assert tables.execute(filled(query.sql)).fetchall()


def test_every_choice_of_inputs_runs(tables) -> None:  # type: ignore[no-untyped-def]
    scopes = [row[0] for row in tables.execute("select scope_key from veelocity.scopes").fetchall()]
    assert len(scopes) > 5
    for query in page_queries():
        used = set(re.findall(r"\$\{inputs\.([\w.]+)\}", query.sql))
        assert used <= set(INPUTS)
        for scope in scopes if "scope.value" in used else scopes[:1]:
            for other in ("window", "period"):
                for value in INPUTS[other] if other in used else INPUTS[other][:1]:
                    tables.execute(filled(query.sql, scope_value=scope, **{other: value})).fetchall()


def test_before_the_first_load_every_query_runs(refreshed: Home, tmp_path: Path) -> None:
    with evidence_tables(empty_copy(refreshed.published, tmp_path / "empty.duckdb")) as tables:
        [state] = tables.execute("select has_metrics, has_deployments, failing from veelocity.state").fetchall()
        assert state == (False, False, 0)
        for query in page_queries():
            rows = tables.execute(filled(query.sql)).fetchall()
            assert query.name == "state" or not rows, f"{query.page} shows {rows} of {query.name}"


def test_the_keys_are_the_scorecards(marts, refreshed: Home, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    """Value, sample, score and reason of every window, of all and of each repository, as `veelocity scorecard` says."""
    # in one process, DuckDB opens a file with one configuration, and the command seals its connection
    file = shutil.copyfile(refreshed.published, tmp_path / "veelocity.duckdb")
    repositories = [
        name for (name,) in marts.execute(
            "select distinct scope from marts.dora_scorecard where scope_type = 'repository'"
        ).fetchall()
    ]  # fmt: skip
    assert len(repositories) > 3
    for days in (30, 90, 180, 365):
        for repository in (None, *repositories):
            card = scorecard(file, days, repository and repository.removeprefix("github:"))
            scope = f"repository {repository}" if repository else "all all"
            rows = marts.execute(
                f"select metric, title, value, sample, score, missing_because, industry_mean, level, shown "
                f"from ({SOURCES['keys']}) where scope_key = ? and window_days = ? order by place",
                [scope, days],
            ).fetchall()
            assert [row[:8] for row in rows] == [
                (
                    key.key,
                    key.title,
                    key.value,
                    key.sample,
                    key.score,
                    key.missing_because,
                    key.industry_mean,
                    key.level,
                )
                for key in card.rows
            ]
            words: dict[str, Callable[[float | None], str]] = {
                "count": functools.partial(per_week, days=days),
                "duration": duration,
                "rate": percent,
            }
            assert [row[8] for row in rows] == [words[key.kind](key.value) for key in card.rows]


@pytest.mark.parametrize(
    "hours", [None, 0, 0.001, 0.01, 0.74, 0.999, 1, 1.5, 3.34, 23.98, 23.999, 24, 30.1, 239.9, 240, 24000]
)
def test_durations_read_as_in_the_report(hours: float | None, marts) -> None:  # type: ignore[no-untyped-def]
    [(text,)] = marts.execute("select duration_text(?::double)", [hours]).fetchall()
    assert text == duration(hours)


def test_metrics_are_called_as_the_list_of_metrics_calls_them(marts) -> None:  # type: ignore[no-untyped-def]
    rows = marts.execute("select distinct metric, metric_title(metric) from marts.metric_coverage").fetchall()
    assert ("review", "Review time") in rows
    assert ("coding", "Coding time") in rows
    assert all(title for _, title in rows)


def test_a_quote_in_a_name_ends_no_text_and_only_web_addresses_are_links(marts) -> None:  # type: ignore[no-untyped-def]
    row = marts.execute(
        "select scope_key('team', 'Ada''s'), web_address('javascript:alert(1)'), web_address('https://h/x')"
    ).fetchone()
    assert row == ("team Ada\u2019s", None, "https://h/x")


@pytest.mark.parametrize("page", PAGES)
def test_what_a_page_shows_is_in_its_queries(page: str, tables) -> None:  # type: ignore[no-untyped-def]
    """Every column that a chart, a table or a value of the page names."""
    columns = {
        query.name: {column[0] for column in tables.execute(filled(query.sql)).description}
        for query in page_queries()
        if query.page == page
    }
    shown: list[tuple[str, str]] = []
    text = page_text(page)
    for data, attributes, inside in re.findall(
        r"<(?:DataTable) data=\{(\w+)\}([^>]*)>(.*?)</DataTable>", text, flags=re.DOTALL
    ):
        shown += [(data, name) for name in re.findall(r"(?:\bid|linkLabel)=(\w+)", inside)]
        shown += [(data, name) for name in re.findall(r'sort="(\w+)', attributes)]
    for data, attributes in re.findall(r"<(?:\w+Chart|BigValue|Value) data=\{(\w+)\}([^>]*)/>", text):
        for _, name in re.findall(r"\b(x|y|series|value|comparison|column)=(\w+)", attributes):
            shown.append((data, name))
        for names in re.findall(r"\by=\{\[([^\]]*)\]\}", attributes):
            shown += [(data, name) for name in re.findall(r"'(\w+)'", names)]
    shown += [(data, name) for data, name in re.findall(r"\b(\w+)\[0\]\.(\w+)", text)]
    assert len(shown) >= 5
    assert [each for each in shown if each[1] not in columns[each[0]]] == []


def test_the_connector_is_told_where_the_file_is(
    refreshed: Home, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert published_file.main() == 2
    assert "Nothing is published yet" in capsys.readouterr().err
    monkeypatch.setenv("VEELOCITY_HOME", str(refreshed.path))
    assert published_file.main() == 0
    relative = Path(capsys.readouterr().out.strip())
    assert not relative.is_absolute()  # the connector puts its folder before it
    assert (SOURCE / relative).resolve() == refreshed.published.resolve()


def test_evidence_is_pinned_and_reports_no_use() -> None:
    packages = json.loads((PROJECT / "package.json").read_text())["dependencies"]
    assert all(re.fullmatch(r"[\d.]+", version) for version in packages.values())
    assert '"resolved"' not in (PROJECT / "package-lock.json").read_text(), "the lock file names a registry"
    settings = json.loads((PROJECT / "evidence.settings.json").read_text())
    assert settings["send_anonymous_usage_stats"] == "no"
