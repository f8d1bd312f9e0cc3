"""A refresh in this process: the sources' own load, the compiled models, the program's own publish.

It takes a few seconds where ``veelocity refresh`` takes twenty, since it starts neither Dagster nor dbt. That both come
to the same marts is what the whole refreshes show (``tests/integration``); what the marts hold is asserted on this one.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.dbt.harness import build_models, failed_tests
from tests.dbt.project import compiled_project
from veelocity_pipeline.config.load import load_settings
from veelocity_pipeline.config.rules import config_tables
from veelocity_pipeline.config.settings import Settings
from veelocity_pipeline.loading.dlt import make_pipeline, prepare
from veelocity_pipeline.loading.read import load
from veelocity_pipeline.published.open import read_published
from veelocity_pipeline.sources import SOURCES, Outcome, RefreshRequest
from veelocity_pipeline.transform.fingerprint import inputs
from veelocity_pipeline.warehouse.home import Home
from veelocity_pipeline.warehouse.publish import publish
from veelocity_pipeline.warehouse.status import forget_attempts, record_attempts, remember_build
from veelocity_pipeline.warehouse.store import connect, write_tables

if TYPE_CHECKING:
    from veelocity_pipeline.simulator import Simulator

Marts = dict[str, list[tuple[Any, ...]]]

AS_OF_TABLES = {"sync_status"}


def settings_of(simulator: Simulator, configuration: str = "", **values: str) -> Settings:
    """Return the settings of a home that reads a simulator.

    Args:
        configuration: a ``veelocity.toml``.
        values: settings by the names of their variables, as ``VEELOCITY_TIMEZONE``.
    """
    named = os.environ.pop("VEELOCITY_CONFIG", None)
    try:
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "veelocity.toml").write_text(configuration, encoding="utf-8")
            return load_settings(Path(folder), {**simulator.environment(), **values})
    finally:
        if named is not None:
            os.environ["VEELOCITY_CONFIG"] = named


def read(home: Home, settings: Settings, *, full: bool = False, only: Iterable[str] = tuple(SOURCES)) -> list[Outcome]:
    """Load the raw tables of these sources and write down what became of each, failures included."""
    home.make()
    outcomes: list[Outcome] = []
    for entry in (SOURCES[name] for name in only):
        for view in entry.connected(settings):
            outcomes += load(entry, view, make_pipeline(entry, home, view.connection), RefreshRequest(full))
    record_attempts(home, [outcome.to_row() for outcome in outcomes])
    return outcomes


def build(home: Home, settings: Settings) -> None:
    """Write the rules, make every model of what is loaded, and publish the marts.

    Raises:
        AssertionError: a model cannot be made, or one of its tests finds something.
    """
    write_tables(home, "config", config_tables(settings))
    with connect(home) as connection:
        there = {*connection.execute("select schema_name, table_name from duckdb_tables()").fetchall()}
    for entry in SOURCES.values():
        if not {(entry.dataset, table) for table in entry.tables} <= there:
            prepare(entry, make_pipeline(entry, home))
    record_attempts(home, [])
    forget_attempts(home, settings.repository_entries, [each.name for each in settings.connections])
    project = compiled_project()
    with connect(home) as connection:
        build_models(connection, project)
        assert (failed := failed_tests(project, connection)) == [], failed
    publish(home)
    remember_build(home, inputs(home, settings))


def refresh(
    home: Home, settings: Settings, *, full: bool = False, only: Iterable[str] = tuple(SOURCES)
) -> list[Outcome]:
    """Read, build and publish; return what could not be read."""
    outcomes = read(home, settings, full=full, only=only)
    build(home, settings)
    return [outcome for outcome in outcomes if outcome.error]


def marts(home: Home) -> Marts:
    """Return all published rows, sorted, without what holds ``as_of`` (``about.built_at`` is the newest)."""
    content = {}
    with read_published(home.published) as connection:
        tables = connection.execute("select table_name from duckdb_tables() where schema_name = 'marts'").fetchall()
        for (table,) in tables:
            if table in AS_OF_TABLES:
                continue
            columns = connection.execute(
                "select column_name from duckdb_columns() where table_name = ? order by column_index", [table]
            ).fetchall()
            shown = ", ".join(f'"{name}"' for (name,) in columns if "as_of" not in name and name != "built_at")
            content[table] = sorted(connection.execute(f"select {shown} from marts.{table}").fetchall(), key=repr)
    return content
