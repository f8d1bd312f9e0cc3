"""A refresh that is interrupted while it waits at a limit: what it says, what it leaves, what the next one does."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import dagster as dg

from tests.conftest import VEELOCITY, copied, veelocity
from veelocity_pipeline.simulator import Fault, Simulator
from veelocity_pipeline.warehouse import Home


def interrupted(home: Home, simulator: Simulator, match: str, how: signal.Signals) -> subprocess.CompletedProcess[str]:
    """A refresh that meets a limit of half an hour, and the signal as soon as it says so."""
    simulator.faults.append(Fault(kind="secondary_limit", match=match, times=1000, retry_after=1_800))
    process = subprocess.Popen(
        [VEELOCITY, "refresh"],
        env={**os.environ, **simulator.environment(), "VEELOCITY_HOME": str(home.path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        assert any("going on in 30 min" in line for line in process.stdout)
        process.send_signal(how)
        stdout, stderr = process.communicate(timeout=60)
    finally:
        process.kill()
    simulator.faults.clear()
    return subprocess.CompletedProcess(process.args, process.returncode, stdout, stderr)


def test_a_wait_ends_with_one_sentence_and_the_next_refresh_is_clean(small: Home, tmp_path: Path) -> None:
    home = copied(small, tmp_path / "home")
    environment = {"VEELOCITY_HOME": str(home.path)}
    with Simulator(size="small") as simulator:
        published = home.published.read_bytes()
        simulator.advance(days=3)
        for match, how in (("pullRequests", signal.SIGINT), ("/actions/runs", signal.SIGTERM)):
            result = interrupted(home, simulator, match, how)
            assert result.returncode == 1
            [said] = result.stderr.strip().splitlines()
            assert said.startswith("veelocity: interrupted; ")
            assert "Traceback" not in result.stdout
            assert home.published.read_bytes() == published
            with dg.DagsterInstance.from_config(str(home.dagster)) as instance:
                assert instance.get_runs(limit=1)[0].status == dg.DagsterRunStatus.FAILURE
        last = veelocity("refresh", **simulator.environment(), **environment)
        assert last.returncode == 0, last.stdout + last.stderr
        assert home.published.read_bytes() != published
