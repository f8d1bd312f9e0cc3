"""``veelocity``: the list of its commands, and the entry point of the console script.

Each command calls one function of another room and prints what that returns. It imports what is slow to import itself.
"""

from __future__ import annotations

import atexit
import gc

import typer

from veelocity_pipeline.faces.cli.app import explained
from veelocity_pipeline.faces.cli.demo import demo
from veelocity_pipeline.faces.cli.look import check, status
from veelocity_pipeline.faces.cli.numbers import explain, export, report, scorecard, sql
from veelocity_pipeline.faces.cli.refresh import rebuild, refresh
from veelocity_pipeline.faces.cli.serve import dev, serve
from veelocity_pipeline.faces.cli.upkeep import backup, compact
from veelocity_pipeline.safety.files import keep_private

COMMANDS = (
    *(demo, refresh, rebuild, check, status, compact, backup),
    *(scorecard, explain, sql, report, export),
    *(dev, serve),
)
"""In the order in which ``--help`` lists them."""

app = typer.Typer(
    name="veelocity",
    help="How your team delivers: DORA and flow metrics from your own GitHub, GitHub Actions and Linear.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for command in COMMANDS:
    app.command()(explained(command))


def main() -> None:
    """Run the command line."""
    # The interpreter would look for circles again and again among all that Dagster and dbt import, which has none worth
    # it: a fifth of a refresh with nothing new, and at the end seconds for nothing.
    keep_private()
    gc.set_threshold(50_000, 20, 20)
    atexit.register(gc.freeze)
    app()


if __name__ == "__main__":
    main()
