"""``veelocity sql``: what is a query runs, and reaches nothing but the published tables."""

from __future__ import annotations

import _thread
import contextlib
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from tests.conftest import veelocity
from veelocity_pipeline.config.settings import SettingsError
from veelocity_pipeline.published import query
from veelocity_pipeline.published.open import read_published
from veelocity_pipeline.published.query import ask, require_query
from veelocity_pipeline.warehouse.duckdb_file import quoted
from veelocity_pipeline.warehouse.home import Home
from veelocity_pipeline.warehouse.publish import publish
from veelocity_pipeline.warehouse.store import connect

SECRET = "what is in somebody's file"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "home")
    home.make()
    with connect(home) as connection:
        connection.execute("create schema marts")
        connection.execute("create table marts.things as select 42::bigint as n, 'a' as t")
        connection.execute("create schema raw_github")
        connection.execute(f"create table raw_github.secret as select {quoted(Path(SECRET))} as t")
    publish(home)
    (tmp_path / "secret.csv").write_text(SECRET)
    return home


QUERIES = (
    "select n from things",
    "with a as (select n from marts.things) from a",
    "from things",
    "values (42)",
    "describe things",
    "show tables",
    "show all tables",
    "summarize things",
    "explain select n from things",
    "explain analyze select n from things",
    "explain (format json) select n from things",
    "EXPLAIN (ANALYZE, FORMAT json) (select n from things)",
    "/* ä */ explain -- x\n analyze from things",
    "pivot things on t in ('a') using sum(n)",
    "(select 1) union all (select 2);",
    "select 'copy; attach' -- drop",
)

OTHERS = (
    "copy things to 'HERE/out.csv'",
    "copy (from things) to 'HERE/out.parquet'",
    "export database 'HERE/out'",
    "attach 'HERE/home/warehouse.duckdb' as working",
    "attach 'HERE/out.duckdb'",
    "install httpfs",
    "load httpfs",
    "force install httpfs from 'http://127.0.0.1:9'",
    "set threads = 1",
    "set enable_external_access = true",
    "reset threads",
    "pragma database_size",
    "PRAGMA threads = 1",
    "/* a */ pragma show_tables",
    "call enable_logging()",
    "checkpoint",
    "use marts",
    "begin",
    "create temp table a as select 1",
    "create secret (type s3)",
    "insert into things values (1, 'b')",
    "update things set n = 1",
    "delete from things",
    "drop table things",
    "alter table things add column x int",
    "comment on table things is 'x'",
    "prepare a as select 1",
    "execute a",
    "vacuum",
    "detach veelocity",
    "explain analyze copy things to 'HERE/out.csv'",
    "explain (analyze) copy things to 'HERE/out.csv'",
    "explain set threads = 1",
    "explain pragma show_tables",
    "explain analyze create temp table a as select 1",
)

READS = (
    "from 'HERE/secret.csv'",
    "from read_text('HERE/secret.csv')",
    "from read_blob('HERE/secret.csv')",
    "from read_csv('HERE/secret.csv')",
    "from sniff_csv('HERE/secret.csv')",
    "from glob('HERE/*')",
    "from read_parquet('http://127.0.0.1:9/a.parquet')",
    "from parquet_metadata('HERE/secret.csv')",
    "from query('from read_text(''HERE/secret.csv'')')",
    "from duckdb_secrets()",
    "from 'HERE/home/warehouse.duckdb'",
    "from raw_github.secret",
)


@pytest.mark.parametrize("text", QUERIES)
def test_a_query_is_answered(text: str, home: Home) -> None:
    assert "│" in ask(home.published, text)


@pytest.mark.parametrize("text", OTHERS)
def test_another_statement_is_refused_in_one_line(text: str, home: Home, tmp_path: Path) -> None:
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(SettingsError) as caught:
        ask(home.published, text.replace("HERE", str(tmp_path)))
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith(
        ("only a query is answered (SELECT, WITH, FROM,", "the query does not run: Pars")
    )
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("text", READS)
def test_a_query_reads_no_other_file_and_writes_none(text: str, home: Home, tmp_path: Path) -> None:
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(SettingsError, match="the query does not run") as caught:
        ask(home.published, text.replace("HERE", str(tmp_path)))
    assert SECRET not in str(caught.value)
    assert "\n" not in str(caught.value)
    assert sorted(tmp_path.rglob("*")) == before


def test_a_query_that_asks_for_a_log_gets_none(home: Home, tmp_path: Path) -> None:
    before = sorted(tmp_path.rglob("*"))
    with contextlib.suppress(SettingsError):
        ask(home.published, f"from enable_logging(storage = 'file', storage_config = {{'path': '{tmp_path}/out'}})")
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(("text", "says"), [("", "none"), (";", "none"), ("-- x", "none"), ("from a; from b", "2")])
def test_it_is_one_query(text: str, says: str) -> None:
    with pytest.raises(SettingsError, match=f"give one query, not {says}$"):
        require_query(text)


def test_a_pivot_without_its_columns_is_told_how() -> None:
    with pytest.raises(SettingsError, match=r"ON … IN \(…\)"):
        require_query("pivot things on t using sum(n)")


def test_a_variable_of_the_program_is_no_table(home: Home) -> None:
    variable_of_ours = duckdb.sql("select 1").to_arrow_table()
    assert variable_of_ours.num_rows == 1
    with pytest.raises(SettingsError, match="variable_of_ours does not exist"):
        ask(home.published, "from variable_of_ours")


@pytest.mark.slow
def test_the_answer_is_bounded(home: Home) -> None:
    many = ask(home.published, "from range(1000000)")
    assert 200 <= many.count("\n") < 220
    assert "200 shown" in many
    assert len(ask(home.published, "select repeat('x', 10000000) from range(10)")) < 200_000


def test_it_can_be_interrupted(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """At whatever moment of a query that would take for ever.

    The handler is set because a shell starts what it runs in the background with interrupts ignored.
    """
    ended = threading.Event()

    def interrupt() -> None:
        if not ended.wait(0.5):
            _thread.interrupt_main()

    @contextlib.contextmanager
    def begun(path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
        threading.Thread(target=interrupt).start()
        with read_published(path) as connection:
            yield connection

    monkeypatch.setattr(query, "read_published", begun)
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    with pytest.raises(KeyboardInterrupt):
        ask(home.published, "select count(*) from range(10000000) a, range(10000000) b where hash(a, b) % 7 = 1")
    ended.set()
    signal.signal(signal.SIGINT, handler)


def test_the_command_says_it_in_one_line(home: Home) -> None:
    environment = {"VEELOCITY_HOME": str(home.path)}
    assert "42" in veelocity("sql", "from things", **environment).stdout
    written = home.path / "written.csv"
    for text in (
        f"copy things to '{written}'",
        "from read_text('/etc/passwd')",
        "",
        "select x from things",
    ):
        result = veelocity("sql", text, **environment)
        assert result.returncode == 2
        assert result.stdout == ""
        [line] = result.stderr.strip().splitlines()
        assert line.startswith("veelocity: ")
    assert not written.exists()


def test_whoever_reads_the_published_file_reaches_no_other(home: Home, tmp_path: Path) -> None:
    """The report, ``explain``, ``check`` and ``scorecard`` ask through this, with what users and providers wrote."""
    with read_published(home.published) as connection:
        for text in ("from read_text('/etc/passwd')", f"copy (select 1) to '{tmp_path / 'out.csv'}'"):
            with pytest.raises(duckdb.PermissionException):
                connection.execute(text)
    folder = tmp_path / "a'b"
    folder.mkdir()
    with read_published(home.published, writes_to=folder) as connection:
        connection.execute(f"copy (select 1) to {quoted(folder / 'out.csv')}")
        for text in ("from read_text('/etc/passwd')", f"copy (select 1) to '{tmp_path / 'out.csv'}'"):
            with pytest.raises(duckdb.PermissionException):
                connection.execute(text)
