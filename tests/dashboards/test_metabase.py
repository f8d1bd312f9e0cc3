"""Metabase's questions and dashboard: made, found again, put back; their SQL is that of docs/reference/queries.md."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from dashboards.metabase import publish
from tests.dashboards.metabase import KEY, Standin, serving
from tests.test_docs import QUESTIONS
from veelocity_pipeline.config.settings import CHECKOUT
from veelocity_pipeline.published.export import export
from veelocity_pipeline.published.open import read_published
from veelocity_pipeline.warehouse.home import Home

LAYOUT = tomllib.loads(publish.LAYOUT.read_text(encoding="utf-8"))
DRAWN = [question for section in LAYOUT["section"] for question in section["question"]]


@pytest.fixture(params=[False, True], ids=["older form", "stages"])
def metabase(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Standin]:
    standin = Standin(stages=request.param)
    with serving(standin) as address:
        monkeypatch.setenv("METABASE_URL", address)
        monkeypatch.setenv("METABASE_API_KEY", KEY)
        yield standin


def test_every_question_is_made_and_laid_out(metabase: Standin) -> None:
    assert publish.main([]) == 0
    [collection] = metabase.things["collection"].values()
    cards = metabase.things["card"]
    assert {card["name"]: card["dataset_query"]["native"]["query"] for card in cards.values()} == {
        name: sql.strip().removesuffix(";") for name, sql in QUESTIONS.items()
    }
    assert {(card["collection_id"], card["dataset_query"]["database"]) for card in cards.values()} == {
        (collection["id"], 7)
    }
    [dashboard] = metabase.things["dashboard"].values()
    assert dashboard["collection_id"] == collection["id"]
    shown = [cards[each["card_id"]]["name"] for each in dashboard["dashcards"] if each["card_id"]]
    assert shown == [question["name"] for question in DRAWN]
    headings = [each["visualization_settings"]["text"] for each in dashboard["dashcards"] if not each["card_id"]]
    assert headings == [section["title"] for section in LAYOUT["section"]]


def test_nothing_on_the_dashboard_overlaps_or_sticks_out(metabase: Standin) -> None:
    publish.main([])
    [dashboard] = metabase.things["dashboard"].values()
    taken: set[tuple[int, int]] = set()
    for each in dashboard["dashcards"]:
        cells = {
            (row, column)
            for row in range(each["row"], each["row"] + each["size_y"])
            for column in range(each["col"], each["col"] + each["size_x"])
        }
        assert not cells & taken
        assert max(column for _, column in cells) < 24
        taken |= cells


def test_run_again_it_changes_nothing(metabase: Standin, capsys: pytest.CaptureFixture[str]) -> None:
    publish.main([])
    metabase.writes.clear()
    capsys.readouterr()
    assert publish.main([]) == 0
    assert metabase.writes == []
    assert capsys.readouterr().out == "Metabase has it all already\n"


def test_what_was_changed_is_put_back_and_nothing_else_is_touched(
    metabase: Standin, capsys: pytest.CaptureFixture[str]
) -> None:
    publish.main([])
    [dashboard] = metabase.things["dashboard"].values()
    changed, archived = list(metabase.things["card"].values())[:2]
    changed["display"] = "pie"
    archived["archived"] = True
    own = {**changed, "id": 5, "name": "A question of somebody's own"}
    metabase.things["card"][5] = own
    removed = dashboard["dashcards"].pop()
    kept = {each["id"] for each in dashboard["dashcards"]}
    metabase.writes.clear()
    capsys.readouterr()
    assert publish.main([]) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"changed the question {changed['name']!r}",
        f"made the question {archived['name']!r}",
        "laid out the dashboard 'How we deliver'",
    ]
    assert sorted(metabase.writes) == [("POST", "card"), ("PUT", "card"), ("PUT", "dashboard")]
    assert changed["display"] != "pie"
    assert own["name"] == "A question of somebody's own"
    assert removed["card_id"] in {each["card_id"] for each in dashboard["dashcards"]}
    assert len(kept & {each["id"] for each in dashboard["dashcards"]}) >= len(kept) - 1  # the archived one's is new


def test_what_is_wrong_is_said_in_a_sentence(
    metabase: Standin, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert publish.main(["--database", "Other"]) == 2
    assert "no database called 'Other' in Metabase, but Sample Database, Veelocity" in capsys.readouterr().err
    monkeypatch.setenv("METABASE_API_KEY", "another")
    assert publish.main([]) == 1
    assert "refuses GET /api/database (401)" in capsys.readouterr().err
    monkeypatch.delenv("METABASE_API_KEY")
    assert publish.main([]) == 2
    assert "set METABASE_URL" in capsys.readouterr().err
    assert metabase.writes == []


@pytest.mark.parametrize("question", DRAWN, ids=lambda question: question["name"])
def test_what_is_drawn_is_in_the_answer(question, refreshed: Home) -> None:  # type: ignore[no-untyped-def]
    with read_published(refreshed.published) as connection:
        cursor = connection.execute(publish.questions(publish.QUERIES.read_text())[question["name"]])
        columns = {column[0] for column in cursor.description or ()}
        assert cursor.fetchall()
    assert {*question.get("dimensions", ()), *question.get("metrics", ())} <= columns


def test_the_views_of_the_page_answer_the_questions_and_see_every_export(refreshed: Home, tmp_path: Path) -> None:
    """docs/how-to/metabase.md: views over exported Parquet files, in a database in memory."""
    page = (CHECKOUT / "docs" / "how-to" / "metabase.md").read_text(encoding="utf-8")
    [init] = re.findall(r"```sql\n(create schema.*?)```", page, flags=re.DOTALL)
    tables = export(refreshed.published, tmp_path, "parquet")
    with duckdb.connect() as connection, read_published(refreshed.published, writes_to=tmp_path) as published:
        connection.execute(init.replace("/veelocity/export", str(tmp_path)))
        for sql in publish.questions(publish.QUERIES.read_text()).values():
            assert sorted(map(str, connection.execute(sql).fetchall())) == sorted(
                map(str, published.execute(sql).fetchall())
            )
        assert {
            row[0] for row in connection.execute("select table_name from information_schema.tables").fetchall()
        } == set(tables)
        # a later export, seen by the same connection
        assert connection.execute("select count(*) from marts.dim_teams").fetchone() != (0,)
        published.execute(f"copy (from marts.dim_teams limit 0) to '{tmp_path / 'staged'}' (format parquet)")
        (tmp_path / "staged").replace(tmp_path / "dim_teams.parquet")
        assert connection.execute("select count(*) from marts.dim_teams").fetchone() == (0,)
