"""The published tables as files."""

from __future__ import annotations

import csv
import re
import shutil
import subprocess
from pathlib import Path

import duckdb
import pytest

from tests.conftest import veelocity
from veelocity_pipeline.published.export import export
from veelocity_pipeline.safety.files import WarehouseError
from veelocity_pipeline.warehouse.home import Home
from veelocity_pipeline.warehouse.publish import publish


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """Two small tables, published."""
    home = Home(tmp_path / "home")
    home.make()
    with duckdb.connect(str(home.working)) as connection:
        connection.execute("create schema marts")
        connection.execute(
            "create table marts.things as select 1::bigint as n, 'a, \"b\"\nc' as t union all select 2, null"
        )
        connection.execute("create table marts.empty (d date, moment timestamp)")
    publish(home)
    return home


@pytest.mark.parametrize("kind", ["parquet", "csv"])
def test_files_hold_what_the_tables_do(kind: str, home: Home, tmp_path: Path) -> None:
    folder = tmp_path / "shared" / "marts"
    folder.mkdir(parents=True)
    (folder / "theirs.txt").write_text("stays")
    assert export(home.published, folder, kind) == {"empty": 0, "things": 2}  # type: ignore[arg-type]
    assert sorted(path.name for path in folder.iterdir()) == sorted([f"empty.{kind}", "theirs.txt", f"things.{kind}"])
    with duckdb.connect() as connection:
        found = connection.execute(f"select n, t from '{folder}/things.{kind}' order by n").fetchall()
        assert found == [(1, 'a, "b"\nc'), (2, None)]
        names = connection.execute(f"describe select * from '{folder}/empty.{kind}'").fetchall()
        assert [name for name, *_ in names] == ["d", "moment"]


def test_the_command_says_what_it_wrote_and_what_it_cannot(home: Home, tmp_path: Path) -> None:
    environment = {"VEELOCITY_HOME": str(home.path)}
    result = veelocity("export", "--format", "csv", "--to", str(tmp_path / "out"), **environment)
    assert result.returncode == 0, result.stderr
    assert "2 tables, 2 rows" in result.stdout
    assert veelocity("export", "--format", "xlsx", "--to", str(tmp_path), **environment).returncode == 2
    (tmp_path / "file").write_text("in the way")
    blocked = veelocity("export", "--to", str(tmp_path / "file" / "below"), **environment)
    assert blocked.returncode == 1
    assert "cannot be written" in blocked.stderr


def test_nothing_published_is_said(tmp_path: Path) -> None:
    with pytest.raises(WarehouseError, match="nothing is published yet"):
        export(tmp_path / "veelocity.duckdb", tmp_path, "csv")


# text that a spreadsheet would run

FORMULAS = (
    *("=1+1", "+1+1", "-1+1", "@SUM(1)", "=HYPERLINK(A1)", "=cmd|'/c calc'!A1"),
    *("\t=1+1", "\r=1+1", "\n=1+1", "\tplain", "\rplain"),
    *(" =1+1", "   -1", "\u00a0=1+1", "\u3000=1+1", "\u200b=1+1", "\ufeff=1+1", "\x00=1+1", "\x1f=1+1"),
    *('"=1+1', "'=1+1", "''@x", "\u201c=1+1", '" "=1+1', "`=1+1"),
    *("\uff1d1+1", "\uff0b1", "\uff0d1", "\uff20x", "\ufe661", "\ufe621", "\ufe631", "\ufe6bx", " \uff1d1"),
    *("a;=1+1", "a; =1+1;b", "a\t=1+1", "a\n=1+1", "a\n\n=1+1", "a\r\n=1+1", "=1;=2;=3", 'a;"=1+1'),
)
HARMLESS = ("plain", "a=b", "a-b", "a@b.c", "1 - 2", "x, -y", "x; y", "ENG-1", "https://a/b?c=d", "(=1)", "", "'plain'")


def spread(home: Home, texts: tuple[str, ...]) -> None:
    """Publish a table of texts, and of a number that is less than none."""
    with duckdb.connect(str(home.working)) as connection:
        connection.execute("create or replace table marts.texts (n bigint, d double, t varchar)")
        connection.executemany(
            "insert into marts.texts values (?, -0.5, ?)", [(-number, text) for number, text in enumerate(texts)]
        )
    publish(home)


def cells(path: Path) -> list[str]:
    """The column of texts as any reader of CSV finds it."""
    with path.open(encoding="utf-8", newline="") as file:
        return [row["t"] for row in csv.DictReader(file, strict=True)]


def starts(text: str) -> list[str]:
    """What each cell begins with, whatever separates cells, and whatever is passed over before them."""
    parts = re.split("[;\t\r\n]", text)
    passed_over = "".join(map(chr, range(33))) + '\x7f\u00a0\u3000\u200b\ufeff"`\u201c'
    return [part.lstrip(passed_over)[:1] for part in parts]


def test_no_cell_begins_as_a_formula(home: Home, tmp_path: Path) -> None:
    spread(home, FORMULAS + HARMLESS)
    export(home.published, tmp_path / "out", "csv")
    found = cells(tmp_path / "out" / "texts.csv")
    for before, after in zip(FORMULAS, found, strict=False):
        assert after != before
        assert not set(starts(after)) & set("=+-@\uff1d\uff0b\uff0d\uff20\ufe66\ufe62\ufe63\ufe6b"), before
        assert after[:1] not in "\t\r\n"
        # nothing is added but apostrophes, each before what it keeps from being run
        assert after.replace("'", "") == before.replace("'", "")
    assert found[len(FORMULAS) :] == list(HARMLESS)
    with duckdb.connect() as connection:
        [(least, share)] = connection.execute(f"select min(n), min(d) from '{tmp_path}/out/texts.csv'").fetchall()
    assert (least, share) == (1 - len(FORMULAS + HARMLESS), -0.5)


def test_text_is_left_as_it_is_where_that_is_asked_for(home: Home, tmp_path: Path) -> None:
    spread(home, FORMULAS)
    environment = {"VEELOCITY_HOME": str(home.path)}
    to = str(tmp_path / "out")
    assert veelocity("export", "--format", "csv", "--verbatim", "--to", to, **environment).returncode == 0
    assert cells(tmp_path / "out" / "texts.csv") == list(FORMULAS)
    assert veelocity("export", "--format", "csv", "--to", to, **environment).returncode == 0
    assert cells(tmp_path / "out" / "texts.csv")[0] == "'=1+1"
    export(home.published, tmp_path / "out", "parquet")  # which nothing runs
    with duckdb.connect() as connection:
        rows = connection.execute(f"select t from '{tmp_path}/out/texts.parquet' order by n desc").fetchall()
    assert [text for (text,) in rows] == list(FORMULAS)


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("soffice") is None, reason="needs LibreOffice Calc")
@pytest.mark.parametrize(("name", "separator"), [("comma", 44), ("semicolon", 59), ("tab", 9)])
def test_a_spreadsheet_finds_no_formula(name: str, separator: int, home: Home, tmp_path: Path) -> None:
    texts = tuple(text for text in FORMULAS if "\x00" not in text)
    spread(home, texts)
    found = {}
    for verbatim in (True, False):
        folder = tmp_path / f"{name}-{verbatim}"
        export(home.published, folder, "csv", verbatim=verbatim)
        subprocess.run(
            [
                *("soffice", "--headless", f"-env:UserInstallation=file://{tmp_path}/profile"),
                *(f"--infilter=CSV:{separator},34,76", "--convert-to", "fods", "--outdir", folder),
                folder / "texts.csv",
            ],
            capture_output=True,
            check=True,
        )
        found[verbatim] = (folder / "texts.fods").read_text(encoding="utf-8").count("table:formula=")
    assert found[True] > 0
    assert found[False] == 0
