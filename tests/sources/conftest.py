"""What the tests of all sources share: settings out of nothing, a warehouse in a folder of the test's own."""

from __future__ import annotations

import gzip
import os
from collections.abc import Callable
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import pytest
from graphql import GraphQLSchema, build_schema

from veelocity_pipeline.config.settings import Settings
from veelocity_pipeline.loading.dlt import make_pipeline
from veelocity_pipeline.loading.read import load
from veelocity_pipeline.sources.kit.connector import Outcome, RefreshRequest, SourceEntry
from veelocity_pipeline.warehouse.home import Home


@pytest.fixture
def settings() -> Callable[..., Settings]:
    """Settings by field, whatever the environment says."""

    def make(**fields: Any) -> Settings:
        return Settings.model_validate({"github_repositories": ("acme/web",), "github_tokens": ("t0ken",), **fields})

    return make


class RawWarehouse:
    """A working file, refreshed by ``load`` and read by SQL."""

    def __init__(self, folder: Path) -> None:
        self.home = Home(folder)

    def refresh(
        self,
        entry: SourceEntry,
        settings: Settings,
        *,
        full: bool = False,
        scopes: tuple[str, ...] = (),
        since: date | None = None,
        on_progress: Callable[[str], None] | None = None,
    ) -> list[Outcome]:
        request = RefreshRequest(full, scopes, since=since)
        return list(load(entry, settings, make_pipeline(entry, self.home), request, on_progress))

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        with duckdb.connect(str(self.home.working), read_only=True) as connection:
            return connection.execute(sql).fetchall()

    def table(self, entry: SourceEntry, name: str) -> list[tuple[Any, ...]]:
        """All rows of a raw table, declared columns only, in an order of their own."""
        columns = ", ".join(entry.tables[name].columns)
        return sorted(self.rows(f"select {columns} from {entry.dataset}.{name}"), key=repr)

    def everything(self, entry: SourceEntry) -> dict[str, list[tuple[Any, ...]]]:
        return {name: self.table(entry, name) for name in entry.tables}


@pytest.fixture
def new_warehouse(tmp_path: Path) -> Callable[[str], RawWarehouse]:
    """Makes warehouses, each in a folder of that name."""

    def make(name: str = "home") -> RawWarehouse:
        (tmp_path / name / "dlt").mkdir(parents=True, exist_ok=True)
        return RawWarehouse(tmp_path / name)

    return make


@cache
def _contract(file: str) -> GraphQLSchema:
    folder = os.environ.get("VEELOCITY_CONTRACTS")
    if not folder:
        pytest.skip("VEELOCITY_CONTRACTS is not set: the official schemas are not here")
    with gzip.open(Path(folder) / file, "rt", encoding="utf-8") as lines:
        # GitHub's published SDL defines two fields twice, which a strict reading refuses.
        return build_schema(lines.read(), assume_valid_sdl=True)


@pytest.fixture
def github_contract() -> GraphQLSchema:
    """GitHub's official schema."""
    return _contract("github.schema.graphql.gz")


@pytest.fixture
def linear_contract() -> GraphQLSchema:
    """Linear's official schema."""
    return _contract("linear.schema.graphql.gz")
