"""The command line's exit statuses and one-line complaints. None of these reaches the network."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from veelocity_pipeline.config.settings import CHECKOUT
from veelocity_pipeline.faces.cli.parts import Part
from veelocity_pipeline.faces.cli.serve import serve
from veelocity_pipeline.warehouse.home import Home
from veelocity_pipeline.warehouse.publish import publish
from veelocity_pipeline.warehouse.status import record_attempts
from veelocity_pipeline.warehouse.store import connect

VEELOCITY = Path(sys.executable).with_name("veelocity")


def veelocity(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([VEELOCITY, *arguments], capture_output=True, text=True, check=False, timeout=120)


def complaint(result: subprocess.CompletedProcess[str]) -> str:
    [line] = result.stderr.strip().splitlines()
    assert "Traceback" not in result.stdout
    return line


def test_help_names_every_command() -> None:
    text = veelocity("--help").stdout
    for command in ("demo", "refresh", "check", "status", "scorecard", "report", "dev", "explain", "rebuild"):
        assert command in text


def test_a_refresh_without_a_token_is_a_usage_error() -> None:
    result = veelocity("refresh")
    assert result.returncode == 2
    assert "GITHUB_TOKEN is not set" in complaint(result)


def test_a_refresh_without_repositories_is_a_usage_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", "t")
    result = veelocity("refresh")
    assert result.returncode == 2
    assert "GITHUB_REPOSITORIES is not set" in complaint(result)


def test_an_unknown_source_is_a_usage_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", "t")
    monkeypatch.setenv("GITHUB_REPOSITORIES", "acme/web")
    result = veelocity("refresh", "--only", "github,gitlab")
    assert result.returncode == 2
    assert "no source 'gitlab'" in result.stderr


def test_a_malformed_settings_file_is_a_usage_error(config: Callable[[str], None]) -> None:
    config("[deployments\n")
    for command in ("refresh", "status", "check", "scorecard"):
        result = veelocity(command)
        assert result.returncode == 2
        assert "veelocity.toml: not valid TOML" in complaint(result)


def test_a_scorecard_before_the_first_refresh_says_what_to_do() -> None:
    result = veelocity("scorecard")
    assert result.returncode == 1
    assert "nothing is published yet" in complaint(result)


def test_the_demo_does_not_touch_real_data(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.make()
    with connect(home) as connection:
        connection.execute("create table mine as select 1")
    result = veelocity("demo")
    assert result.returncode == 1
    assert "holds your own data" in complaint(result)


def test_status_tells_what_failed(tmp_path: Path) -> None:
    assert "No refresh yet" in veelocity("status").stdout
    home = Home(tmp_path / "home")
    home.make()
    now = datetime(2026, 3, 1, tzinfo=UTC)
    common = {"source": "github", "table_name": "issues", "attempted_at": now, "is_full": False}
    spent = {"requests": 12, "points": 345, "waited_seconds": 61.0, "bytes_received": 2_500_000, "budget_left": 4_321}
    record_attempts(
        home,
        [
            {
                **{**common, **spent, "repository": "acme/web", "succeeded_at": now, "rows": 7},
                **{"skipped": 2, "skipped_example": "I_9: it is not to be had"},
            },
            {**common, "repository": "acme/api", "error": "the token may not read it"},
        ],
    )
    result = veelocity("status")
    assert result.returncode == 0
    assert "acme/web" in result.stdout
    assert "github, acme/api: the token may not read it" in result.stdout
    assert "github, acme/web: 2 of the issues skipped, e.g. I_9: it is not to be had" in result.stdout
    shown = " ".join(result.stdout.split())
    assert "12 requests in its last refresh, 345 points, 2.5 MB received, 61 s waited at limits, 4,321 of" in shown
    rows = json.loads(veelocity("status", "--json").stdout)
    assert {row["repository"]: row["error"] for row in rows} == {
        "acme/web": None,
        "acme/api": "the token may not read it",
    }


def test_sql_asks_the_published_marts(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.make()
    with connect(home) as connection:
        connection.execute("create schema marts")
        connection.execute("create table marts.dora_metrics as select 42 as deployment_count")
    publish(home)
    assert "42" in veelocity("sql", "select deployment_count from dora_metrics").stdout
    wrong = veelocity("sql", "select nothing from nowhere")
    assert wrong.returncode == 2
    assert "the query does not run" in complaint(wrong)


def test_a_home_that_cannot_be_used_is_a_usage_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("VEELOCITY_HOME", str(tmp_path / "file" / "home"))
    monkeypatch.setenv("GITHUB_TOKEN", "t")
    monkeypatch.setenv("GITHUB_REPOSITORIES", "acme/web")
    result = veelocity("refresh")
    assert result.returncode == 2
    assert "VEELOCITY_HOME" in complaint(result)


def test_each_reading_command_speaks_json(monkeypatch: pytest.MonkeyPatch, refreshed: Home) -> None:
    monkeypatch.setenv("VEELOCITY_HOME", str(refreshed.path))

    def said(*arguments: str) -> Any:
        return json.loads(veelocity(*arguments, "--json").stdout)

    assert {row["source"] for row in said("status")} == {"github", "github_actions", "linear"}
    card = said("scorecard", "--days", "90")
    assert len(card["rows"]) == 5
    assert datetime.fromisoformat(card["as_of"])
    checked = said("check")
    assert [each["ok"] for each in checked["connections"]] == [None] * 3  # nothing is configured here
    assert {each["source"] for each in checked["deployments"]} <= {"workflow_run", "deployment", "release", "merge"}
    verdicts = {each["environment"]: each["is_production"] for each in checked["environments"]}
    assert verdicts == {"production": True, "production-eu": True, "staging": False}
    assert all(": see " in each["reason"] for each in checked["left_out"])
    assert said("explain", "lead_time", "--days", "365")["measured"]


def test_tables_fit_eighty_columns(monkeypatch: pytest.MonkeyPatch, refreshed: Home) -> None:
    monkeypatch.setenv("VEELOCITY_HOME", str(refreshed.path))
    monkeypatch.setenv("COLUMNS", "80")
    for arguments in (("status",), ("scorecard",), ("check",)):
        lines = veelocity(*arguments).stdout.splitlines()
        assert lines
        # a path is not broken, so that it can be copied
        assert not [line for line in lines if len(line) > 80 and str(refreshed.path) not in line]


def test_a_port_in_use_is_a_usage_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        for command in (["dev"], ["serve", "webserver"]):
            result = veelocity(*command, "--port", str(port))
            assert result.returncode == 2
            assert f"port {port} is in use" in complaint(result)


def test_a_part_of_a_deployment_takes_nothing_from_where_one_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Python takes modules from there, and Dagster an ``.env``, which may be anybody's."""
    stood = []
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("veelocity_pipeline.defs.execute.prepare_instance", lambda settings: None)
    monkeypatch.setattr(os, "execve", lambda program, command, environment: stood.append(Path.cwd()))
    before = signal.getsignal(signal.SIGINT)
    try:
        serve(Part.CODE)
    finally:
        signal.signal(signal.SIGINT, before)
    assert stood == [CHECKOUT]


def test_a_part_of_a_deployment_heeds_who_ends_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Dagster's servers treat SIGTERM as SIGINT, and whoever starts something in a background ignores that."""
    heeded = []
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("veelocity_pipeline.defs.execute.prepare_instance", lambda settings: None)
    monkeypatch.setattr(
        os, "execve", lambda program, command, environment: heeded.append(signal.getsignal(signal.SIGINT))
    )
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        serve(Part.CODE)
    finally:
        signal.signal(signal.SIGINT, before)
    assert heeded == [signal.SIG_DFL]
