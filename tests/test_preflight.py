"""A refresh that cannot bring anything ends before the pipeline is loaded, in one line and after one request."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from veelocity_pipeline.config.load import load_settings
from veelocity_pipeline.config.settings import Settings, SettingsError
from veelocity_pipeline.operations import preflight
from veelocity_pipeline.operations.preflight import NothingReadableError, require_options, require_readable
from veelocity_pipeline.simulator import Fault, SimulatedApp, Simulator
from veelocity_pipeline.sources import SOURCES
from veelocity_pipeline.warehouse.home import Home
from veelocity_pipeline.warehouse.status import read_status

NOWHERE = "http://127.0.0.1:9"
BAD = {"GITHUB_TOKEN": "n0pe", "LINEAR_API_KEY": "lin_api_n0pe"}

SPY = """
import atexit, os, sys

def tell():
    heavy = [name for name in ("dagster", "dlt", "dbt") if name in sys.modules]
    with open(os.environ["SPY"], "w") as file:
        file.write(" ".join(heavy))

atexit.register(tell)
"""


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with Simulator(size="tiny") as made:
        yield made


@pytest.fixture
def configured(simulator: Simulator, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Settings]:
    """Settings that lead to the simulator, but for what a test says."""

    def make(**environment: str) -> Settings:
        for name, value in {**simulator.environment(), **environment}.items():
            monkeypatch.setenv(name, value)
        return load_settings()

    return make


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "home")
    home.make()
    return home


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[int, str]]:
    """Run ``veelocity refresh``: its status, and the one line that it says; nothing heavy may have been imported."""
    (tmp_path / "spy").mkdir()
    (tmp_path / "spy" / "sitecustomize.py").write_text(SPY)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "spy"))
    monkeypatch.setenv("SPY", str(tmp_path / "imported"))

    def run(*arguments: str, **environment: str) -> tuple[int, str]:
        result = subprocess.run(
            [Path(sys.executable).with_name("veelocity"), "refresh", *arguments],
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert (tmp_path / "imported").read_text() == ""
        assert "Loading" not in result.stdout
        [line] = result.stderr.strip().splitlines()
        assert "n0pe" not in line
        return result.returncode, line

    return run


def asked(simulator: Simulator) -> list[str]:
    return [each.api for each in simulator.log]


def test_rejected_credentials_end_with_status_2(
    simulator: Simulator, configured: Callable[..., Settings], command: Callable[..., tuple[int, str]], home: Home
) -> None:
    configured(**BAD)
    status, said = command()
    assert status == 2
    assert "GITHUB_TOKEN is wrong, expired or revoked" in said
    assert "LINEAR_API_KEY is wrong, expired or revoked" in said
    assert asked(simulator) == ["rest"] * 3 + ["linear"] * 3  # one answer may be stray
    rows = read_status(home)
    assert {(row["source"], row["repository"]) for row in rows} == {(name, "*") for name in SOURCES}
    assert all(row["error"] and row["succeeded_at"] is None for row in rows)
    assert sum(row["requests"] for row in rows) == 6
    assert len(rows) == sum(len(entry.tables) for entry in SOURCES.values())

    # a later one that has failures behind it, and a full one, are as quick
    for options in ([], ["--full"], ["--only", "github_actions"], ["--repository", "acme/one"]):
        assert command(*options)[0] == 2


def test_a_host_that_is_not_there_ends_with_status_1(
    configured: Callable[..., Settings], command: Callable[..., tuple[int, str]], home: Home
) -> None:
    configured(GITHUB_API_URL=NOWHERE, LINEAR_API_URL=NOWHERE)
    status, said = command()
    assert status == 1
    assert "127.0.0.1:9 cannot be reached" in said
    assert "GITHUB_API_URL" in said
    assert "LINEAR_API_URL" in said
    assert all("cannot be reached" in row["error"] for row in read_status(home))


def test_one_that_is_rejected_and_one_that_is_not_there_ends_with_status_2(
    configured: Callable[..., Settings], command: Callable[..., tuple[int, str]]
) -> None:
    configured(GITHUB_API_URL=NOWHERE, LINEAR_API_KEY="lin_api_n0pe")
    status, said = command()
    assert status == 2
    assert "127.0.0.1:9 cannot be reached" in said
    assert "LINEAR_API_KEY" in said


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--since", "2026-01-31"], "goes with a full refresh"),
        (["--full", "--since", "yesterday"], "'yesterday' is not a day"),
        (["--full", "--since", "2020-01-01"], "before VEELOCITY_START_DATE"),
        (["--only", "github,gitlab"], "no source 'gitlab'"),
        (["--repository", "acme/oen"], "did you mean acme/one"),
    ],
)
def test_a_wrong_option_ends_with_status_2_and_no_request(
    arguments: list[str],
    says: str,
    simulator: Simulator,
    configured: Callable[..., Settings],
    command: Callable[..., tuple[int, str]],
) -> None:
    configured(VEELOCITY_START_DATE="2025-01-01")
    status, said = command(*arguments)
    assert status == 2
    assert says in said
    assert asked(simulator) == []


def test_with_one_source_that_can_be_read_the_refresh_goes_on(
    simulator: Simulator, configured: Callable[..., Settings], home: Home
) -> None:
    for environment, requests in (
        ({}, ["rest"]),
        ({"LINEAR_API_KEY": "lin_api_n0pe"}, ["rest"]),  # that, the refresh itself finds out
        ({"GITHUB_TOKEN": "n0pe"}, ["rest"] * 3 + ["linear"]),
        ({"GITHUB_API_URL": NOWHERE, "GITHUB_TOKEN": "n0pe"}, ["linear"]),
    ):
        simulator.log.clear()
        before = {name: os.environ.get(name) for name in simulator.environment()}
        require_readable(configured(**environment), home)
        os.environ.update({name: value for name, value in before.items() if value is not None})
        assert asked(simulator) == requests
    assert read_status(home) == []


def test_a_source_that_is_not_to_be_read_is_not_asked(
    simulator: Simulator, configured: Callable[..., Settings], home: Home
) -> None:
    settings = configured(**BAD)
    with pytest.raises(NothingReadableError) as caught:
        require_readable(settings, home, only=("linear",))
    assert caught.value.is_rejected
    assert asked(simulator) == ["linear"] * 3
    assert {row["source"] for row in read_status(home)} == {"linear"}


@pytest.mark.parametrize("fault", ["502", "not_json", "secondary_limit", "primary_limit", "forbidden", "not_found"])
def test_what_may_pass_is_left_to_the_refresh(
    fault: str, simulator: Simulator, configured: Callable[..., Settings], home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preflight, "_PAUSE", 0.0)
    simulator.faults.append(Fault(fault, times=1000))
    require_readable(configured(LINEAR_API_KEY=""), home)
    assert len(simulator.log) <= 3
    assert read_status(home) == []


def test_an_app_that_is_refused_is_told_at_once(
    simulator: Simulator, configured: Callable[..., Settings], home: Home
) -> None:
    simulator.github.app = app = SimulatedApp()
    key = {"GITHUB_TOKEN": "", "GITHUB_APP_PRIVATE_KEY": app.private_key.replace("\n", "\\n"), "LINEAR_API_KEY": ""}
    require_readable(configured(**key, GITHUB_APP_ID=app.id), home)
    with pytest.raises(NothingReadableError, match="GITHUB_APP_ID") as caught:
        require_readable(configured(**key, GITHUB_APP_ID="999"), home)
    assert caught.value.is_rejected
    (home.path / "no.pem").write_text("no key")
    settings = configured(
        **{**key, "GITHUB_APP_PRIVATE_KEY": "", "GITHUB_APP_PRIVATE_KEY_FILE": str(home.path / "no.pem")}
    )
    with pytest.raises(SettingsError, match="not a private key"):
        require_options(settings, home, full=False, only=(), repositories=(), since="")


def test_a_status_that_cannot_be_read_stops_no_refresh(configured: Callable[..., Settings], home: Home) -> None:
    home.status.write_text("{")
    with pytest.raises(SettingsError, match=re.escape("acme/oen is not among")):
        require_options(configured(), home, full=False, only=(), repositories=("acme/oen",), since="")


def test_secrets_that_others_may_read_are_mentioned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    env = tmp_path / "my.env"
    shutil.copyfile(os.devnull, env)
    env.write_text("GITHUB_TOKEN=t\nGITHUB_REPOSITORIES=acme/web\nGITHUB_API_URL=http://127.0.0.1:9\n")
    monkeypatch.setenv("VEELOCITY_ENV_FILE", str(env))
    for mode, lines in ((0o644, 2), (0o600, 1)):
        env.chmod(mode)
        result = subprocess.run(
            [Path(sys.executable).with_name("veelocity"), "refresh"], capture_output=True, text=True, check=False
        )
        assert result.returncode == 1
        said = result.stderr.strip().splitlines()
        assert len(said) == lines
        assert (f"my.env can be read by other users of this machine: chmod 600 {env}" in said[0]) == (mode == 0o644)
