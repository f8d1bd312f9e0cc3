"""The published tables as files."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from tests.conftest import veelocity
from veelocity_pipeline.export import export
from veelocity_pipeline.warehouse import Home, WarehouseError, publish


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
