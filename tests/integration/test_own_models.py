"""A user's own models through the command line: the how-to as it is written, then models that are wrong."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.conftest import VEELOCITY, veelocity
from veelocity_pipeline.config.settings import CHECKOUT
from veelocity_pipeline.transform.prepare import ship
from veelocity_pipeline.warehouse.home import DEMO, Home

HOW_TO = (CHECKOUT / "docs" / "how-to" / "your-own-models.md").read_text(encoding="utf-8")
BLOCKS = dict(re.findall(r"^```(sql|yaml|sh)\n(.*?)^```", HOW_TO, re.DOTALL | re.MULTILINE))

EXPECTED = """
    select state, date_trunc('month', submitted_at)::date, count(*), count(distinct pull_request_id)
    from marts.fct_reviews
    where not is_bot and not is_author
    group by all order by all
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the how-to was followed to the end."""
    made = tmp_path_factory.mktemp("how-to")
    for kind in ("sql", "yaml"):
        first, _, rest = BLOCKS[kind].partition("\n")
        path = made / first.lstrip("-# ")
        path.parent.mkdir(exist_ok=True)
        path.write_text(rest, encoding="utf-8")
    ship()
    environment = {**os.environ, "PATH": f"{VEELOCITY.parent}:{os.environ['PATH']}", "VEELOCITY_ENV_FILE": os.devnull}
    result = subprocess.run(
        ["bash", "-ec", BLOCKS["sh"]],
        cwd=made,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    assert "month_start" in result.stdout
    return made


def rows(folder: Path, sql: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(Home(folder / "trial").published, read_only=True) as connection:
        return connection.execute(sql).fetchall()


def rebuild(folder: Path) -> subprocess.CompletedProcess[str]:
    return veelocity(
        "rebuild", VEELOCITY_HOME=str(folder / "trial"), VEELOCITY_MODELS=str(folder / "my-models"), **{DEMO: "1"}
    )


def test_the_how_to_ends_with_a_published_table(folder: Path) -> None:
    assert rows(folder, "from marts.acme_reviews order by all") == rows(folder, EXPECTED) != []
    [(comment,)] = rows(folder, "select comment from duckdb_tables() where table_name = 'acme_reviews'")
    assert comment == "One row per kind of review and month with a review."


def test_what_is_wrong_is_said_and_costs_nothing_else(folder: Path) -> None:
    models = folder / "my-models"
    before = rows(folder, "from marts.acme_reviews order by all")
    good = (models / "acme_reviews.sql").read_text(encoding="utf-8")
    (models / "acme_reviews.sql").write_text("select 'approved' as state, null::date as month_start, 1 as reviews")
    (models / "acme_good.sql").write_text("select count(*) as n from {{ ref('fct_reviews') }}")
    (models / "acme_typo.sql").write_text("select stat from {{ ref('fct_reviews') }}")
    (models / "acme_reads_typo.sql").write_text("select * from {{ ref('acme_typo') }}")
    (models / "acme_listed.sql").write_text("select [1, 2] as xs")
    (models / "fct_reviews.sql").write_text("select 1 as x")
    (models / "acme_lost.sql").write_text("select * from {{ ref('nowhere') }}")
    for _ in range(2):  # it is tried, and told, again
        result = rebuild(folder)
        assert result.returncode == 1, result.stdout + result.stderr
        told = dict(
            re.findall(r"^your models, ([\w./]+): (.*)$", result.stderr, re.MULTILINE),
        )
        assert told.keys() == {
            *("acme_reviews.sql", "acme_typo.sql", "acme_reads_typo.sql", "acme_listed.sql", "fct_reviews.sql"),
            "acme_lost.sql",
        }
        assert told["acme_typo.sql"].startswith('could not be built: Binder Error: Referenced column "stat" not found')
        assert "not built, since what it reads was not" in told["acme_reads_typo.sql"]
        assert told["acme_reviews.sql"].startswith("acme_reviews ")
        assert "xs is INTEGER[]: a published column may not be" in told["acme_listed.sql"]
        assert "Veelocity has a model called fct_reviews itself" in told["fct_reviews.sql"]
        assert "depends on a node named 'nowhere' which was not found" in told["acme_lost.sql"]
        assert "Everything else was refreshed; what failed keeps the data it had." in result.stderr
        assert rows(folder, "from marts.acme_reviews order by all") == before  # not what failed its test
        assert rows(folder, "from marts.acme_good") == rows(folder, "select count(*) from marts.fct_reviews")
        assert rows(folder, "select count(*) from duckdb_tables() where table_name like 'acme%'") == [(2,)]

    for file in models.glob("*.sql"):
        file.unlink()
    (models / "acme_reviews.sql").write_text(good)
    result = rebuild(folder)
    assert result.returncode == 0, result.stdout + result.stderr
    assert rows(folder, "select table_name from duckdb_tables() where table_name like 'acme%'") == [("acme_reviews",)]
    assert rows(folder, "from marts.acme_reviews order by all") == rows(folder, EXPECTED)


def test_without_the_folder_they_are_gone(folder: Path) -> None:
    result = veelocity("rebuild", VEELOCITY_HOME=str(folder / "trial"), **{DEMO: "1"})
    assert result.returncode == 0, result.stdout + result.stderr
    assert rows(folder, "select 1 from duckdb_tables() where table_name = 'acme_reviews'") == []
    assert rows(folder, "select count(*) > 20 from duckdb_tables()") == [(True,)]

    assert rebuild(folder).returncode == 0
    assert rows(folder, "from marts.acme_reviews order by all") == rows(folder, EXPECTED)
