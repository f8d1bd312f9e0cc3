"""What the README and the pages of docs/ promise: their SQL runs over published marts; settings are the program's."""

from __future__ import annotations

import re
import tomllib

import pytest

from veelocity_pipeline.config.sections import Deployments, Failures, People
from veelocity_pipeline.config.settings import CHECKOUT, Settings

README = (CHECKOUT / "README.md").read_text(encoding="utf-8")
QUERIES = (CHECKOUT / "docs" / "queries.md").read_text(encoding="utf-8")


def blocks(language: str, text: str = README) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", text, flags=re.DOTALL)


QUESTIONS = dict(re.findall(r"^### (.+?)\n.*?```sql\n(.*?)```", QUERIES, flags=re.DOTALL | re.MULTILINE))


def test_the_settings_example_is_valid_and_shows_the_defaults(config) -> None:  # type: ignore[no-untyped-def]
    [text] = blocks("toml")
    config(text)
    from veelocity_pipeline.config.load import load_settings

    settings = load_settings()
    assert settings.deployments == Deployments()
    assert settings.failures == Failures()
    assert settings.people.bots == People().bots
    assert set(tomllib.loads(text)["deployments"]) == set(Deployments.model_fields)
    assert set(tomllib.loads(text)["failures"]) == set(Failures.model_fields)


def test_every_variable_is_documented() -> None:
    for field in Settings.model_fields.values():
        if isinstance(field.validation_alias, str):
            assert f"`{field.validation_alias}`" in README


def test_every_make_target_that_is_named_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (CHECKOUT / "Makefile").read_text(), flags=re.MULTILINE))
    named = set(re.findall(r"`?make ([a-z-]+)`?", README))
    assert named - targets == set()


@pytest.mark.parametrize("number", range(len(blocks("sql"))))
def test_the_sql_runs(number: int, refreshed) -> None:  # type: ignore[no-untyped-def]
    from veelocity_pipeline.published.open import read_published

    with read_published(refreshed.published) as connection:
        rows = connection.execute(blocks("sql")[number]).fetchall()
    assert rows, "the README's query finds nothing in the simulated organisation"


def test_each_question_has_a_query() -> None:
    assert len(QUESTIONS) == QUERIES.count("\n### ") == len(blocks("sql", QUERIES)) >= 20


@pytest.mark.parametrize("question", QUESTIONS)
def test_the_query_answers_the_question(question: str, refreshed) -> None:  # type: ignore[no-untyped-def]
    from veelocity_pipeline.published.open import read_published

    with read_published(refreshed.published) as connection:
        rows = connection.execute(QUESTIONS[question]).fetchall()
    assert rows, "the query finds nothing in the simulated organisation"
