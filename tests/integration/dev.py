"""``veelocity dev``, running: its GraphQL, its processes, and its end."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

from tests.conftest import VEELOCITY

PATIENCE = 300
"""Seconds after which something that should happen has not."""

QUIET = {
    # nothing starts but what a test does
    **{f"VEELOCITY_{name}_SENSOR_MINUTES": "0" for name in ("FIRST_START", "UPSTREAM", "SETTINGS")},
    **dict.fromkeys(("VEELOCITY_INCREMENTAL_CRON", "VEELOCITY_FULL_CRON"), "0 0 1 1 *"),
}

LAUNCH = """mutation($parameters: ExecutionParams!) { launchRun(executionParams: $parameters) {
    __typename
    ... on LaunchRunSuccess { run { runId } }
    ... on RunConfigValidationInvalid { errors { message } }
    ... on PythonError { message } } }"""


def eventually(happened: Callable[[], bool], what: str) -> None:
    """Wait until something has happened."""
    last = time.monotonic() + PATIENCE
    while not happened():
        assert time.monotonic() < last, f"not within {PATIENCE} s: {what}"
        time.sleep(0.3)


class Dev:
    """``veelocity dev`` in a session of its own."""

    def __init__(self, environment: dict[str, str], log: Path) -> None:
        with socket.socket() as found:
            found.bind(("127.0.0.1", 0))
            self.port = found.getsockname()[1]
        self.log = log
        with log.open("a") as output:
            self.process = subprocess.Popen(
                [VEELOCITY, "dev", "--port", str(self.port)],
                env=environment,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        eventually(self._is_up, "the UI answers")

    def _is_up(self) -> bool:
        """Whether the code location is loaded; remembers what it is called."""
        assert self.process.poll() is None, self.log.read_text()[-3000:]
        with contextlib.suppress(httpx.HTTPError):
            found = self.ask(
                """{ repositoriesOrError { ... on RepositoryConnection { nodes { name location { name } } } } }"""
            )["repositoriesOrError"].get("nodes")
            if found:
                self._selector = {
                    "repositoryName": found[0]["name"],
                    "repositoryLocationName": found[0]["location"]["name"],
                }
                return True
        return False

    def ask(self, document: str, **variables: Any) -> dict[str, Any]:
        """Send a document; return its data."""
        answer = httpx.post(
            f"http://127.0.0.1:{self.port}/graphql", json={"query": document, "variables": variables}, timeout=60
        ).json()
        assert "errors" not in answer, answer
        return dict(answer["data"])

    def parameters(self, job: str, config: dict[str, Any] | None = None) -> dict[str, Any]:
        """What a launch of a job sends."""
        return {"selector": {**self._selector, "jobName": job}, "mode": "default", "runConfigData": config or {}}

    def launch(self, job: str) -> str:
        """Start a job as its page does; the run's id."""
        found = self.ask(LAUNCH, parameters=self.parameters(job))["launchRun"]
        assert found["__typename"] == "LaunchRunSuccess", found
        return str(found["run"]["runId"])

    def cancel(self, run: str) -> None:
        """Cancel a run as its page does."""
        document = "mutation($run: String!) { terminateRun(runId: $run) { __typename } }"
        assert self.ask(document, run=run)["terminateRun"]["__typename"] == "TerminateRunSuccess"

    def status(self, run: str) -> str:
        """Of a run."""
        document = "query($run: ID!) { runOrError(runId: $run) { ... on Run { status } } }"
        return str(self.ask(document, run=run)["runOrError"]["status"])

    def runs(self) -> set[str]:
        """The ids of all runs."""
        found = self.ask("{ runsOrError { ... on Runs { results { runId } } } }")["runsOrError"]["results"]
        return {run["runId"] for run in found}

    def processes(self) -> dict[int, str]:
        """By id, the command lines of its processes, the runs' too."""
        ask = ["ps", "-ww", "-e", "-o", "pid=", "-o", "ppid=", "-o", "args="]
        listed = subprocess.run(ask, capture_output=True, text=True, check=True).stdout
        rows = [line.split(None, 2) for line in listed.splitlines()]
        family = {self.process.pid}
        while grown := {int(pid) for pid, parent, _ in rows if int(parent) in family} - family:
            family |= grown
        return {int(pid): command for pid, _, command in rows if int(pid) in family}

    def kill(self) -> None:
        """Kill -9 all of its processes, the runs' too."""
        for process in self.processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        self.process.wait(60)
