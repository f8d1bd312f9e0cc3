"""How fresh each source is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import duckdb

from veelocity_pipeline.published.records import utc

SOURCE_TITLES = {"github": "GitHub", "github_actions": "GitHub Actions", "linear": "Linear"}
SOURCE_MISSING = {
    "github": "Not connected: set GITHUB_TOKEN and GITHUB_REPOSITORIES",
    "github_actions": "Not connected: set GITHUB_TOKEN and GITHUB_REPOSITORIES",
    "linear": "Not connected: set LINEAR_API_KEY",
}


@dataclass(frozen=True)
class SourceState:
    """How fresh one source is. `as_of` and `succeeded_at` are aware UTC times, None before the first complete read."""

    name: str
    title: str
    as_of: datetime | None
    succeeded_at: datetime | None
    scopes: int
    failed: tuple[tuple[str, str], ...] = ()
    missing: str = ""


def read_sources(connection: duckdb.DuckDBPyConnection) -> tuple[SourceState, ...]:
    """The state of the three sources, those that were never read included."""
    rows = connection.execute(
        """
        select
            source,
            min(read_at),
            max(succeeded_at),
            count(distinct repository) filter (repository <> '*')
        from marts.sync_status
        group by source
        """
    ).fetchall()
    known = {row[0]: row[1:] for row in rows}
    errors: dict[str, list[tuple[str, str]]] = {}
    for source, repository, error in connection.execute(
        """
        select source, if(repository = '*', 'everything', repository) as repository, min(error)
        from marts.sync_status
        where error is not null group by all order by source, repository
        """
    ).fetchall():
        errors.setdefault(source, []).append((repository, error))
    return tuple(
        SourceState(
            name=name,
            title=SOURCE_TITLES.get(name, name),
            as_of=utc(known[name][0]) if name in known else None,
            succeeded_at=utc(known[name][1]) if name in known else None,
            scopes=known[name][2] if name in known else 0,
            failed=tuple(errors.get(name, ())),
            missing="" if name in known else SOURCE_MISSING.get(name, "Never read"),
        )
        for name in [*SOURCE_TITLES, *sorted(known.keys() - SOURCE_TITLES.keys())]
    )


def read_freshness(connection: duckdb.DuckDBPyConnection) -> list[list[str | None]]:
    """By source and repository or team: its source's name, its own, complete as of (ISO, UTC), error; oldest first."""
    return [
        [SOURCE_TITLES.get(source, source), repository, as_of.isoformat() if as_of else None, error]
        for source, repository, as_of, error in connection.execute(
            """
            select source, repository, if(count(read_at) = count(*), min(read_at), null) as as_of, min(error)
            from marts.sync_status
            where repository <> '*'
            group by source, repository
            order by as_of nulls first, source, repository
            """
        ).fetchall()
    ]
