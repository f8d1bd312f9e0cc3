"""A PostgreSQL of the test's own: made in a temporary folder, on a free port, ended with the test."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pytest

PASSWORD = "p@ss:R3cognisable/word"
USER = "keeper"


def binaries() -> Path | None:
    """The folder with ``initdb`` and ``pg_ctl``; Debian keeps it off PATH."""
    found = shutil.which("initdb")
    folders = [Path(found).resolve().parent] if found else []
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((folder for folder in folders if (folder / "initdb").exists() and (folder / "pg_ctl").exists()), None)


@dataclass
class Postgres:
    """A server that a test may stop and start."""

    folder: Path
    port: int

    @property
    def url(self) -> str:
        """With the password, as it is written in a URL."""
        return self.url_of("postgres")

    def url_of(self, database: str, password: str = PASSWORD) -> str:
        """The address of one of its databases."""
        return f"postgresql://{USER}:{quote(password, safe='')}@127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        """Start it, and wait until it answers."""
        options = f"-p {self.port} -k {self.folder} -c fsync=off -c listen_addresses=127.0.0.1"
        self._run("pg_ctl", "-o", options, "-w", "-l", str(self.folder / "log"), "start")

    def stop(self) -> None:
        """End it at once, as a crash would."""
        self._run("pg_ctl", "-m", "immediate", "-w", "stop")

    def initialize(self) -> None:
        """Make the cluster."""
        secret = self.folder / "password"
        secret.write_text(PASSWORD)
        if os.getuid() == 0:  # as root it does not start
            for path in (self.folder, secret):
                shutil.chown(path, "postgres")
        self._run("initdb", "-A", "scram-sha-256", "-U", USER, f"--pwfile={secret}", "--no-sync")

    def _run(self, name: str, *arguments: str) -> None:
        folder = binaries()
        assert folder is not None
        command = [str(folder / name), "-D", str(self.folder / "cluster"), *arguments]
        if os.getuid() == 0:
            command = ["runuser", "-u", "postgres", "--", *command]
        # output to a file: the server would keep a pipe open
        with tempfile.TemporaryFile() as said:
            result = subprocess.run(command, cwd="/", stdout=said, stderr=said, check=False, timeout=120)
            said.seek(0)
            assert result.returncode == 0, said.read().decode()


@contextlib.contextmanager
def running_postgres() -> Iterator[Postgres]:
    """A fresh server; the test is skipped where PostgreSQL is not installed."""
    if binaries() is None:
        pytest.skip("PostgreSQL is not installed (Debian: apt-get install postgresql)")
    with tempfile.TemporaryDirectory(prefix="veelocity-postgres-", ignore_cleanup_errors=True) as folder:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        server = Postgres(Path(folder), port)
        server.initialize()
        server.start()
        try:
            yield server
        finally:
            server.stop()
