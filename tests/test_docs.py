"""What the README and the pages of docs/ promise: their SQL runs, their links lead somewhere, their settings exist."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from veelocity_pipeline.config.sections import Deployments, Failures, People
from veelocity_pipeline.config.settings import CHECKOUT, Settings
from veelocity_pipeline.warehouse.home import Home

DOCS = CHECKOUT / "docs"
TOP = [CHECKOUT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md")]
PAGES = {
    str(path.relative_to(CHECKOUT)): path.read_text(encoding="utf-8") for path in [*TOP, *sorted(DOCS.rglob("*.md"))]
}
README = PAGES["README.md"]
QUERIES = PAGES["docs/reference/queries.md"]

QUESTIONS = dict(re.findall(r"^### (.+?)\n.*?```sql\n(.*?)```", QUERIES, flags=re.DOTALL | re.MULTILINE))


def blocks(language: str, text: str) -> list[str]:
    """Return the code blocks of a page in this language."""
    return re.findall(rf"^```{language}\n(.*?)^```", text, flags=re.DOTALL | re.MULTILINE)


ASKED = {
    f"{name} {number}": query
    for name, text in PAGES.items()
    for number, query in enumerate(blocks("sql", text))
    if name != "docs/reference/queries.md" and query.lstrip().startswith("select") and "{{" not in query
}
"""The queries of all pages but the questions, by page and number."""


def test_the_readme_is_short() -> None:
    assert README.count("\n") <= 200


def test_the_settings_example_is_valid_and_shows_the_defaults(config) -> None:  # type: ignore[no-untyped-def]
    [text] = blocks("toml", PAGES["docs/reference/rules.md"])
    config(text)
    from veelocity_pipeline.config.load import load_settings

    settings = load_settings()
    assert settings.deployments == Deployments()
    assert settings.failures == Failures()
    assert settings.people.bots == People().bots
    assert set(tomllib.loads(text)["deployments"]) == set(Deployments.model_fields)
    assert set(tomllib.loads(text)["failures"]) == set(Failures.model_fields)


@pytest.mark.parametrize("guide", ["services", "teams", "connections"])
def test_the_example_of_a_guide_is_valid(guide: str, config, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    from veelocity_pipeline.config.load import load_settings

    monkeypatch.setenv("GHES_TOKEN", "a-token")
    monkeypatch.setenv("GLOBEX_LINEAR_KEY", "a-key")
    pages = ["services", "teams"] if guide == "teams" else [guide]  # a team may name a service
    text = "".join(PAGES[f"docs/how-to/{page}.md"] for page in pages)
    text = "\n".join(re.findall(r"^ *```toml\n(.*?)^ *```", text, flags=re.DOTALL | re.MULTILINE))
    assert text
    config(re.sub(r"^  ", "", text, flags=re.MULTILINE))
    load_settings()


def test_every_variable_is_documented() -> None:
    for field in Settings.model_fields.values():
        if isinstance(field.validation_alias, str):
            assert f"`{field.validation_alias}`" in PAGES["docs/reference/settings.md"]


def test_every_command_is_documented() -> None:
    import typer.main

    from veelocity_pipeline.faces.cli.main import app

    group = typer.main.get_command(app)
    named = set(re.findall(r"^\| `veelocity (\S+)`", PAGES["docs/reference/commands.md"], flags=re.MULTILINE))
    assert named == set(group.commands)  # type: ignore[attr-defined]


def test_every_make_target_that_is_named_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (CHECKOUT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE))
    for name, text in PAGES.items():
        assert set(re.findall(r"(?:^|`)make ([a-z-]+)", text, flags=re.MULTILINE)) - targets == set(), name


def _anchors(text: str) -> set[str]:
    titles = re.findall(
        r"^#+ (.+)$", re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE), flags=re.MULTILINE
    )
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("name", PAGES)
def test_every_link_leads_somewhere(name: str) -> None:
    text = re.sub(r"^ *```.*?^ *```|`[^`\n]*`", "", PAGES[name], flags=re.DOTALL | re.MULTILINE)
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        if link.startswith(("https://", "http://")):
            continue
        path, _, anchor = link.partition("#")
        target = ((CHECKOUT / name).parent / path).resolve() if path else CHECKOUT / name
        assert target.exists(), link
        if anchor:
            assert anchor in _anchors(target.read_text(encoding="utf-8")), link


def test_every_page_is_in_the_index() -> None:
    linked = {(DOCS / link).resolve() for link in re.findall(r"\]\(([^)#\s]+)[)#]", PAGES["docs/README.md"])}
    assert {path for path in DOCS.rglob("*.md") if path.name != "README.md"} - linked == set()


@pytest.mark.parametrize("name", ASKED)
def test_the_sql_runs(name: str, refreshed: Home) -> None:
    assert _ask(refreshed.published, ASKED[name]), "the query finds nothing in the simulated organisation"


def test_each_question_has_a_query() -> None:
    assert len(QUESTIONS) == QUERIES.count("\n### ") == len(blocks("sql", QUERIES)) >= 20


@pytest.mark.parametrize("question", QUESTIONS)
def test_the_query_answers_the_question(question: str, refreshed: Home) -> None:
    assert _ask(refreshed.published, QUESTIONS[question]), "the query finds nothing in the simulated organisation"


def _ask(published: Path, query: str) -> list[tuple[object, ...]]:
    from veelocity_pipeline.published.open import read_published

    with read_published(published) as connection:
        return connection.execute(query).fetchall()
