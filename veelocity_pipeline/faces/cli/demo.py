"""``veelocity demo``: a refresh of a simulated GitHub and Linear, which run in a process of their own."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import typer
from rich.text import Text

from veelocity_pipeline.config.load import load_settings
from veelocity_pipeline.faces.cli.app import FAILED
from veelocity_pipeline.faces.cli.numbers import print_scorecard
from veelocity_pipeline.faces.cli.refresh import run_refresh, tell
from veelocity_pipeline.faces.cli.terminal import out
from veelocity_pipeline.faces.cli.wording import shown, shown_home
from veelocity_pipeline.safety.files import WarehouseError
from veelocity_pipeline.warehouse.home import DEMO, Home


def demo() -> None:
    """Run the whole pipeline over a simulated GitHub and Linear, with no token and no network."""
    settings = load_settings()
    home = Home.of(settings)
    home.claim_for_demo()
    out.print("Starting a simulated GitHub and Linear on this machine …")
    with simulated_environment() as environment:
        os.environ.update(environment, **{DEMO: "1"})
        settings = load_settings()
        result = run_refresh(settings, full=not home.published.exists())
    tell(result, home)
    if not result.succeeded:
        raise typer.Exit(FAILED)
    print_scorecard(home, days=90, repository=None)
    if result.failures:  # of models of one's own, say
        raise typer.Exit(FAILED)
    prefix = shown_home(home)
    out.print(f"\nPublished marts  {shown(home.published)}\nReport           {shown(home.report)}\n")
    out.print("What to try next", style="bold")
    query = "select period_start, deployment_count, lead_time_hours_median from dora_metrics"
    query += " where scope = 'all' and period = 'month' order by 1"
    for comment, command in (
        ("the asset graph, runs and schedules, on http://localhost:3000", f"{prefix}make dev"),
        ("the numbers by month, in SQL", f'{prefix}.venv/bin/veelocity sql "{query}"'),
        (
            "your own GitHub (the demo's data make room for yours)",
            "GITHUB_TOKEN=… GITHUB_REPOSITORIES=owner/name make refresh",
        ),
    ):
        out.print(Text.assemble((f"  # {comment}", "dim"), f"\n  {command}"), soft_wrap=True)
    if result.failures:
        raise typer.Exit(FAILED)


@contextlib.contextmanager
def simulated_environment() -> Iterator[dict[str, str]]:
    """Run the simulator on a free port of this machine while the block runs.

    Yields:
        the variables that point the pipeline at it.

    Raises:
        WarehouseError: it did not start.
    """
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "veelocity.toml"
        yield from _serve(config)


def _serve(config: Path) -> Iterator[dict[str, str]]:
    # -P: nothing is imported from the folder that one stands in
    simulator = [sys.executable, "-P", "-m", "veelocity_pipeline.simulator", "--port", "0", "--size", "demo"]
    process = subprocess.Popen([*simulator, "--config", str(config)], stdout=subprocess.PIPE, text=True)
    try:
        # nothing of the user's own settings: the demo is the same everywhere
        environment = {"VEELOCITY_CONFIG": str(config), "VEELOCITY_ENV_FILE": os.devnull}
        assert process.stdout is not None
        for line in process.stdout:
            if not line.strip():
                break
            name, _, value = line.strip().partition("=")
            environment[name] = value
        if "GITHUB_TOKEN" not in environment:
            raise WarehouseError("the simulated GitHub and Linear did not start; what they said stands above")
        yield environment
    finally:
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:  # a request may not have come to its end
            process.kill()
            process.wait()
