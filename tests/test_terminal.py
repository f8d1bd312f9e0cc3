"""What hostile text does in a terminal: nothing. It is shown, escaped, and is no markup."""

from __future__ import annotations

import io
import json
import logging
import os
import pty
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import typer
from rich.table import Table
from rich.text import Text

from veelocity_pipeline.faces.cli import app, terminal
from veelocity_pipeline.faces.cli.terminal import Terminal
from veelocity_pipeline.operations import alerts
from veelocity_pipeline.published.explain import Evidence, Explanation, Row, render
from veelocity_pipeline.published.scorecard import Scorecard
from veelocity_pipeline.published.scorecard import render as render_scorecard
from veelocity_pipeline.warehouse.home import Home
from veelocity_pipeline.warehouse.publish import publish
from veelocity_pipeline.warehouse.status import record_attempts
from veelocity_pipeline.warehouse.store import connect

VEELOCITY = Path(sys.executable).with_name("veelocity")

HOSTILE = (
    "[/x] [bold]b :bomb: \x1b[2J\x1b]52;c;cm0gLXJm\x07\x1b]8;;http://evil.test\x1b\\click \x9b31m \x90q\x9c "
    "\u202etxt.exe \u2066i\u2069 \u200e\u061c\u2028 \x08\x7f\r\nveelocity: all is well"
)
SHOWN = ("[/x] [bold]b :bomb: \\x1b[2J", "\\x1b]52;c;cm0gLXJm\\x07", "\\x9b31m", "\\u202etxt.exe", "\\u2066i\\u2069")


def acting(text: str) -> list[str]:
    """What acts in a terminal that was written: colours alone are ours."""
    rest = re.sub(r"\x1b\[[0-9;]*m", "", text.replace("\r\n", "\n"))
    return re.findall("[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f]", rest)


def printed(*things: object, width: int = 200) -> str:
    stream = io.StringIO()
    Terminal(file=stream, force_terminal=True, width=width).print(*things)
    return stream.getvalue()


def in_a_terminal(*arguments: str, **environment: str) -> tuple[int, str]:
    """Exit status, and everything that the command wrote to its terminal, errors too."""
    main, side = pty.openpty()
    variables = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "400", **environment}
    process = subprocess.Popen([VEELOCITY, *arguments], stdin=side, stdout=side, stderr=side, env=variables)
    os.close(side)
    said = b""
    while True:
        try:
            piece = os.read(main, 65536)
        except OSError:  # the other side is closed
            break
        if not piece:
            break
        said += piece
    os.close(main)
    return process.wait(timeout=120), said.decode()


# ------------------------------------------------------------------------------------------- consoles


@pytest.mark.parametrize(
    "thing", [HOSTILE, Text(HOSTILE, "red"), Text("a").append(HOSTILE)], ids=["str", "Text", "more"]
)
def test_no_text_acts_or_is_markup(thing: object) -> None:
    said = printed(thing)
    assert acting(said) == []
    assert "[/x] [bold]b :bomb: \\x1b[2J" in said
    table = Table("", "what", box=None)
    table.add_row(thing, thing)  # type: ignore[arg-type]
    assert acting(printed(table, width=900)) == []


def test_every_console_of_the_program_is_such_a_one() -> None:
    folder = Path(terminal.__file__).parent
    made = [
        path.relative_to(folder)
        for path in folder.rglob("*.py")
        if re.search(r"\bConsole\(|RichHandler\(|from_markup|markup=True", path.read_text(encoding="utf-8"))
    ]
    assert made == [Path("terminal.py")]
    assert isinstance(terminal.out, Terminal)
    assert isinstance(terminal.err, Terminal)


def test_progress_is_a_line_a_message(capsys: pytest.CaptureFixture[str]) -> None:
    handler = terminal.log_handler()
    logger = logging.getLogger("veelocity.of.a.test")
    logger.addHandler(handler)
    logger.propagate = False
    try:
        logger.warning("GitHub: %s", HOSTILE)
    finally:
        logger.removeHandler(handler)
    said = capsys.readouterr().out
    assert acting(said) == []
    assert not any(line.startswith("veelocity: all is well") for line in said.splitlines())
    assert "[/x]" in said


# ---------------------------------------------------------------------------------------------- commands


def test_explain_shows_titles_and_addresses_as_text() -> None:
    at = datetime(2026, 3, 1)  # noqa: DTZ001 - as in the marts
    evil = "https://evil.test/\x1b[2J\u202e"
    rows = (
        Row("github:acme/web#1", "pull_request", HOSTILE, evil, at, 1.0, None, (Evidence("revert", "x", evil, at),)),
        Row(f"github:{HOSTILE}", "pull_request", None, "javascript:alert(1)", at, 1.0, None),
        Row("github:acme/web#3", "pull_request", "t" * 5_000, "file:///etc/passwd", at, None, HOSTILE),
    )
    explanation = Explanation("change_fail_rate", "rate", HOSTILE, "all time", 1.0, rows[:2], rows[2:])
    said = printed(render(explanation, with_excluded=True), width=1_000)
    assert acting(said) == []
    for text in (*SHOWN, "https://evil.test/\\x1b[2J\\u202e"):
        assert text in said
    assert "javascript:" not in said
    assert "file:" not in said
    assert "t" * 600 not in said.replace("\n", "").replace(" ", "")


def test_the_scorecard_shows_its_scope_as_text() -> None:
    said = printed(render_scorecard(Scorecard(HOSTILE, 90, None, (), None, None, None)), width=1_000)
    assert acting(said) == []
    assert SHOWN[0] in said


def test_status_shows_names_and_errors_as_text(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.make()
    at = datetime(2026, 3, 1, tzinfo=UTC)
    row = {"source": "github", "table_name": "issues", "attempted_at": at, "is_full": False, "repository": HOSTILE}
    record_attempts(home, [{**row, "error": HOSTILE}])
    status, said = in_a_terminal("status")
    assert status == 0, said
    assert acting(said) == []
    assert not any(line.startswith("veelocity: all is well") for line in said.splitlines())
    for text in SHOWN:
        assert said.count(text) >= 1, text


def test_sql_shows_what_is_in_the_tables_as_text(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.make()
    with connect(home) as connection:
        connection.execute("create schema marts")
        connection.execute("create table marts.things as select ? as title", [HOSTILE])
    publish(home)
    status, said = in_a_terminal("sql", "select title from things")
    assert status == 0, said
    assert acting(said) == []
    assert "\\x9b31m" in said
    assert "\\u202etxt.exe" in said


class _Hostile(BaseHTTPRequestHandler):
    """An API that refuses everything, in such words."""

    def do_GET(self) -> None:
        body = json.dumps({"message": HOSTILE, "errors": [{"message": HOSTILE, "type": "FORBIDDEN"}]}).encode()
        self.send_response(403)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.do_GET()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def hostile() -> Iterator[dict[str, str]]:
    """The environment that leads to such an API."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Hostile)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_address[1]}"
    yield {
        "GITHUB_TOKEN": "ghp_0123456789abcdef",
        "GITHUB_REPOSITORIES": "acme/web",
        "GITHUB_API_URL": address,
        "LINEAR_API_KEY": "lin_api_0123456789",
        "LINEAR_API_URL": address,
    }
    server.shutdown()
    server.server_close()


def test_check_survives_what_an_api_says(hostile: dict[str, str]) -> None:
    status, said = in_a_terminal("check", **hostile)
    assert status == 1, said
    assert "Traceback" not in said
    assert acting(said) == []
    shown = " ".join(said.split())
    assert "[/x] [bold]b :bomb: \\x1b[2J" in shown
    assert not any(line.startswith("veelocity: all is well") for line in said.splitlines())


def test_a_complaint_is_one_line_whatever_is_in_it() -> None:
    status, said = in_a_terminal("explain", "lead_time", "--repository", HOSTILE.replace("\x00", ""))
    assert status == 1
    assert acting(said) == []
    code = "from veelocity_pipeline.faces.cli.app import complain; complain(__import__('sys').argv[1], 1)"
    result = subprocess.run([sys.executable, "-c", code, HOSTILE], capture_output=True, text=True, check=False)
    [line] = [line for line in result.stderr.splitlines() if line.startswith("veelocity: ")]
    assert "veelocity: all is well" in line
    assert acting(line) == []


def test_what_nobody_expected_is_told_as_text(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(app, "err", Terminal(stderr=True, force_terminal=True))

    @app.explained
    def command() -> None:
        raise ValueError(HOSTILE)

    with pytest.raises(typer.Exit) as ended:
        command()
    assert ended.value.exit_code == 1
    said = capsys.readouterr().err
    assert "ValueError: [/x]" in said
    assert acting(said) == []


def test_alerts_are_lines() -> None:
    at = datetime(2026, 3, 1, tzinfo=UTC)
    said, _ = alerts.news([alerts.Problem("read x", f"x cannot be read: {HOSTILE}", at)], {}, at)
    text = alerts.message(said, "http://ui")["text"]
    assert acting(text) == []
    assert len(text.splitlines()) == 2
