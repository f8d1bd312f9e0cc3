"""``veelocity dev`` as a keeper of processes, with small programs in the place of Dagster's servers."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from veelocity_pipeline.faces.cli import dev
from veelocity_pipeline.faces.cli.parts import SECRETS, Part, environment

SERVER = """
import os, signal, socket, subprocess, sys, time
role, folder = sys.argv[1:3]
with open(f"{folder}/{role}", "a") as log:
    log.write(f"{os.getpid()} {os.environ.get('GITHUB_TOKEN', 'no')} {os.environ.get('DAGSTER_POSTGRES_URL', 'no')}\\n")
if role == "code":
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(sys.argv[sys.argv.index("--socket") + 1])
    listener.listen()
    # what a run is: it takes its time to end
    run = subprocess.Popen([sys.executable, "-c", f'''
import os, signal, sys, time
def end(*_):
    time.sleep(0.5)
    open("{folder}/run-ended", "w").close()
    sys.exit()
signal.signal(signal.SIGTERM, end)
with open("{folder}/run", "a") as log:
    log.write(f"{{os.getpid()}}\\\\n")
while True:
    time.sleep(0.1)
'''])
if role == "webserver" and os.path.exists(f"{folder}/fails"):
    sys.exit(3)
if role == "daemon" and os.path.exists(f"{folder}/deaf"):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
while True:
    time.sleep(0.1)
"""


class Kept:
    """The parts, kept by a process as ``veelocity dev`` does, and what they left in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "server.py").write_text(SERVER)
        keeper = f"""
import sys
from pathlib import Path
from veelocity_pipeline.faces.cli import dev
from veelocity_pipeline.faces.cli.parts import Part
dev._RESTARTED_AFTER = 0.5
dev._ENDED_WITHIN = 3.0
start = dev.Parts.__init__
def prepare(self, folder, webserver, secrets):
    start(self, folder, webserver, secrets)
    for part, command in self._commands.items():
        command[:1] = ["server", part.value, {str(folder)!r}]
dev.Parts.__init__ = prepare
sys.exit(dev.main([]))
"""
        variables = {"PYTHONPATH": str(folder), "GITHUB_TOKEN": "t0ken", "DAGSTER_POSTGRES_URL": "postgres"}
        self.process = subprocess.Popen(
            [sys.executable, "-c", keeper], env={**os.environ, **variables}, stderr=subprocess.PIPE, text=True
        )

    def said(self, role: str) -> list[list[str]]:
        """What each process of a role wrote down: its id, and what it was given."""
        with contextlib.suppress(FileNotFoundError):
            return [line.split() for line in (self.folder / role).read_text().splitlines()]
        return []

    def living(self) -> list[str]:
        """The roles of which a process is running."""
        everyone = [(role, int(line[0])) for role in (*Part, "run") for line in self.said(role)]
        return [str(role) for role, process in everyone if is_running(process)]

    def wait(self, happened: Callable[[], bool], what: str) -> None:
        last = time.monotonic() + 60
        while not happened():
            assert time.monotonic() < last, what
            time.sleep(0.1)

    def start(self) -> Kept:
        self.wait(lambda: sorted(set(self.living())) == ["code", "daemon", "run", "webserver"], "all parts run")
        return self


def is_running(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Kept]:
    made = Kept(tmp_path)
    try:
        yield made
    finally:
        with contextlib.suppress(ProcessLookupError):
            made.process.kill()
        made.process.communicate()
        for role in (*Part, "run"):
            for line in made.said(role):
                if is_running(int(line[0])):
                    os.kill(int(line[0]), signal.SIGKILL)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_all_ends_with_it_and_a_run_ends_in_its_own_time(kept: Kept, number: signal.Signals) -> None:
    kept.start()
    assert [part[1:] for part in kept.said("code")] == [["t0ken", "postgres"]]
    assert [part[1:] for part in (*kept.said("daemon"), *kept.said("webserver"))] == [["no", "postgres"]] * 2
    kept.process.send_signal(number)
    assert kept.process.wait(60) == 0
    assert kept.living() == []
    assert (kept.folder / "run-ended").exists()


def test_what_does_not_heed_it_is_killed(kept: Kept) -> None:
    (kept.folder / "deaf").touch()
    kept.start().process.terminate()
    assert kept.process.wait(60) == 0
    assert kept.living() == []


def test_nothing_outlives_its_keeper(kept: Kept) -> None:
    kept.start().process.kill()
    kept.wait(lambda: kept.living() == [], "all parts end")
    assert (kept.folder / "run-ended").exists()


def test_a_code_server_that_ended_is_started_again(kept: Kept) -> None:
    """The UI has a button that ends it."""
    [[first, *_]] = kept.start().said("code")
    os.kill(int(first), signal.SIGKILL)
    kept.wait(lambda: len(kept.said("code")) == 2, "there is another")
    assert (kept.folder / "run-ended").exists()
    assert len(kept.said("webserver")) == len(kept.said("daemon")) == 1


def test_without_the_ui_there_is_nothing_to_keep(kept: Kept) -> None:
    (kept.folder / "fails").touch()
    assert kept.process.wait(60) == 1
    assert kept.living() == []
    assert kept.process.stderr is not None
    assert "The webserver ended with status 3" in kept.process.stderr.read()


def test_the_socket_is_the_users_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    modes = []

    def run(self: dev.Parts, stopped: object) -> int:
        modes.append(self._socket.parent.stat().st_mode & 0o777)
        return 0

    monkeypatch.setattr(dev.Parts, "run", run)
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        assert dev.main([]) == 0
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    assert modes == [0o700]
    assert list(tmp_path.iterdir()) == []


def test_every_secret_is_the_codes_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    app = {"GITHUB_APP_PRIVATE_KEY", "GITHUB_APP_PRIVATE_KEY_FILE"}
    assert {"GITHUB_TOKEN", "LINEAR_API_KEY", "VEELOCITY_ALERT_URL"} | app == SECRETS
    for name in (*SECRETS, "DAGSTER_POSTGRES_URL"):
        monkeypatch.setenv(name, "s3cret")
    for part in Part:
        holds = {name for name, value in environment(part).items() if value == "s3cret"}
        assert holds == {"DAGSTER_POSTGRES_URL"} | (SECRETS if part is Part.CODE else set())
        assert "PATH" in environment(part)
