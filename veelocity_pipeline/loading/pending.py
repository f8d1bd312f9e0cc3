"""One scope on its way through a load: what was read of it and is not loaded yet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pyarrow as pa

from veelocity_pipeline.sources.kit.connector import Chunk, Scope
from veelocity_pipeline.sources.kit.http.usage import Usage
from veelocity_pipeline.sources.kit.tables import Row, Table


@dataclass
class Pending:
    """What is read of a scope and not loaded yet; of twins the later one."""

    rows: dict[str, dict[tuple[Any, ...], Row]] = field(default_factory=dict)
    sets: dict[str, dict[str, list[Row]]] = field(default_factory=dict)
    mark: dict[str, Any] | None = None
    listed: dict[str, set[str]] = field(default_factory=dict)

    def add(self, chunk: Chunk, tables: Mapping[str, Table]) -> None:
        for name, rows in chunk.rows.items():
            key = tables[name].primary_key
            self.rows.setdefault(name, {}).update({tuple(row[column] for column in key): row for row in rows})
        for name, parents in chunk.sets.items():
            self.sets.setdefault(name, {}).update(parents)
        if chunk.mark is not None:
            self.mark = chunk.mark
        self.listed.update(chunk.listed)

    def counts(self) -> dict[str, int]:
        counted = {name: len(rows) for name, rows in self.rows.items()}
        return counted | {name: sum(map(len, parents.values())) for name, parents in self.sets.items()}

    def arrow(self, tables: Mapping[str, Table], connection: str) -> dict[str, pa.Table]:
        """What to load, by table. Raises pyarrow's errors where a value is not of its column's type."""
        rows = {name: list(rows.values()) for name, rows in self.rows.items() if rows}
        for name, parents in self.sets.items():
            rows[name] = [
                row for parent, children in parents.items() for row in children or [tables[name].empty_set(parent)]
            ]
        return {name: tables[name].arrow(found, connection) for name, found in rows.items() if found}


@dataclass
class Reading:
    """One scope on its way through a refresh."""

    scope: Scope
    mark: dict[str, Any]
    saved: dict[str, Any] | None
    attempted_at: datetime
    pending: Pending = field(default_factory=Pending)
    rows: dict[str, int] = field(default_factory=dict)
    usage: Usage = field(default_factory=Usage)
    error: str | None = None
    is_spoilt: bool = False
