"""What the modules that read the published file share."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import duckdb


def records(
    connection: duckdb.DuckDBPyConnection, query: str, parameters: dict[str, Any] | None = None
) -> list[dict[str, Any]]:
    """Return the rows of a query by column."""
    cursor = connection.execute(query, parameters) if parameters else connection.execute(query)
    names = [column[0] for column in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def rounded(value: float | None) -> float | None:
    """Return a number with five decimals."""
    return round(value, 5) if isinstance(value, float) else value


def utc(moment: datetime | None) -> datetime | None:
    """The marts hold UTC without saying so."""
    if moment is None:
        return None
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def name_of(scoped_id: str) -> str:
    """Return an id without the connection before it, as `acme/web#41`."""
    return scoped_id.split(":", 1)[-1]
