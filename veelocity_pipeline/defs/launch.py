"""What a launch may configure: what a refresh reads, and how much the console says. Nothing else.

A launch's configuration comes from the UI, so no executable, path or module may be in reach of it. Dagster's own
executor, loggers and I/O manager take one each, and its configurable fields read any variable of the environment
(``{"env": "GITHUB_TOKEN"}``); these here do not.
"""

from typing import Any

import dagster as dg

REFRESH_CONFIG: dict[str, dg.Field] = {
    "full": dg.Field(
        bool, default_value=False, description="Read everything again, and mark what was deleted upstream."
    ),
    "repositories": dg.Field(
        [str],
        default_value=[],
        description="Only these (owner/name; Linear: team keys). Empty: all that the settings name.",
    ),
    "since": dg.Field(
        str,
        default_value="",
        description=(
            "With full: read again only what changed or ended on this day (2026-01-31) or later. Deletions are found "
            "all the same, and a repository that was never read completely is read whole. Empty: everything."
        ),
    ),
}
"""What a refresh reads. In the launchpad: under ``ops: ingest_<source>: config``.

Plain types: those of ``dg.Config`` also take the name of a variable, and their errors would show its value.
"""

NOTHING: dict[str, Any] = {}
"""The configuration of a step, or of a resource, that takes none; without it Dagster takes anything."""


def _defaults(_config: dict[str, Any]) -> dict[str, Any]:
    return {}


EXECUTOR = dg.in_process_executor.configured(_defaults, name="in_process", config_schema=NOTHING)


@dg.io_manager(
    config_schema=NOTHING, description="Steps hand on nothing but their order: all data is in the warehouse."
)
def io_manager(_context: dg.InitResourceContext) -> dg.InMemoryIOManager:
    """Keep outputs in memory; Dagster's default writes and reads pickles in a folder that a launch may name."""
    return dg.InMemoryIOManager()


_LEVELS = dg.Enum("LogLevel", [dg.EnumValue(level) for level in ("CRITICAL", "ERROR", "WARNING", "INFO", "DEBUG")])


def console_config(level: str) -> dict[str, Any]:
    """The part of a run's configuration that says how much goes to the console."""
    return {"loggers": {"console": {"config": {"log_level": level}}}}


def _with_level(config: dict[str, Any]) -> dict[str, Any]:
    return {"log_level": config["log_level"], "name": "dagster"}


CONSOLE = dg.colored_console_logger.configured(
    _with_level, config_schema={"log_level": dg.Field(_LEVELS, default_value="INFO")}
)
