"""From what a connector reads to rows in the warehouse, and the marks that say how far it got.

A connector yields chunks; a chunk's rows and the mark that stands for them are saved by the same dlt
load, so neither can be there without the other. Scopes (repositories, teams) are read concurrently
and loaded one batch at a time, in the caller's thread: the warehouse has one writer.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from .http import Client
from .tables import Row, Table

if TYPE_CHECKING:
    import dlt

    from ..settings import Settings


@dataclass(frozen=True)
class RefreshRequest:
    """What one refresh is asked to read.

    Attributes:
        full: read everything again and find what is gone, instead of what is new.
        scopes: names of repositories or teams; empty means all that are configured.
    """

    full: bool = False
    scopes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Scope:
    """What is read, fails and has a mark by itself: a repository, a team, or ``*`` for a whole workspace.

    Attributes:
        id: the provider's immutable id.
        name: the present name: ``owner/name``, or a team's key.
        configured_as: the entry of the settings that brought it.
        info: what the connector learned when it resolved the scope.
    """

    id: str
    name: str
    configured_as: str = ""
    info: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class ScopeFailure:
    """A configured scope that cannot be read at all."""

    name: str
    configured_as: str
    error: str


@dataclass(frozen=True)
class CheckResult:
    """One line of a connection check."""

    subject: str
    ok: bool
    detail: str


@dataclass
class Chunk:
    """Rows that may be loaded together, and the mark that stands for them.

    Attributes:
        rows: rows of tables with a primary key, by table.
        sets: whole sets of children of tables with a merge key: table → parent's id → all its rows. An
            empty list says that the parent has none (any more).
        mark: what replaces the scope's mark (JSON values only), saved in the same load; None leaves it.
            ``mark["watermarks"]`` may hold an ISO time by table, which is shown in ``sync_status``.
        listed: the complete set of ids of a table (its single primary key) in this scope, after a
            full read: what is stored for the scope and not in it gets ``deleted_at``.
    """

    rows: dict[str, list[Row]] = field(default_factory=dict)
    sets: dict[str, dict[str, list[Row]]] = field(default_factory=dict)
    mark: dict[str, Any] | None = None
    listed: dict[str, set[str]] = field(default_factory=dict)

    def add(self, table: str, rows: Iterable[Row]) -> None:
        """Add rows of a table that has a primary key."""
        self.rows.setdefault(table, []).extend(rows)

    def add_set(self, table: str, parent: str, rows: Iterable[Row]) -> None:
        """Give all children that ``parent`` has in a table with a merge key."""
        self.sets.setdefault(table, {})[parent] = list(rows)

    @property
    def size(self) -> int:
        """How many rows there are, in all tables."""
        return sum(map(len, self.rows.values())) + sum(
            max(1, len(rows)) for parents in self.sets.values() for rows in parents.values()
        )


@dataclass(frozen=True)
class Outcome:
    """How reading one table of one scope went; what ``operations.sync_status`` holds.

    Attributes:
        read_at: the server's time at the start of this read if it was complete, else None.
        rows: rows that were loaded, gone ones and emptied sets not counted.
        watermark: the newest change that was seen, where the connector keeps one.
        error: None if all went well.
        requests, points: what the whole scope cost; on its first table only, so that sums are right.
    """

    source: str
    table: str
    scope_id: str
    scope_name: str
    attempted_at: datetime
    succeeded_at: datetime | None
    read_at: datetime | None
    rows: int
    watermark: datetime | None
    error: str | None
    is_full: bool
    requests: int
    points: int


class Known(ABC):
    """What is already loaded. Safe to use from any thread; empty where there is no table yet."""

    @abstractmethod
    def values(self, table: str, column: str, scope_id: str) -> set[Any]:
        """All values of one column of a scope's rows."""

    @abstractmethod
    def rows(self, table: str, columns: Iterable[str], scope_id: str, where: str = "") -> list[Row]:
        """Some columns of a scope's rows; ``where`` is SQL of our own, never of a user's making."""


class Connector(ABC):
    """One refresh of one source. Made anew for each; all network goes through its client."""

    client: Client

    @abstractmethod
    def __init__(self, settings: Settings, client: Client | None = None) -> None:
        """Read the settings; no request yet. Tests pass their own client."""

    @abstractmethod
    def scopes(self, request: RefreshRequest) -> list[Scope | ScopeFailure]:
        """What is to be read, in the order of the settings, and what of it cannot be.

        Raises:
            SourceError: nothing of this source can be read.
        """

    @abstractmethod
    def read(self, scope: Scope, mark: dict[str, Any], request: RefreshRequest, known: Known) -> Iterator[Chunk]:
        """Read one scope; each chunk is a checkpoint. Runs in a thread of its own.

        Args:
            mark: the scope's mark of the last load that was saved; empty at first. A copy: change it freely.

        Raises:
            SourceError: the rest of the scope cannot be read. What was yielded stays.
        """

    @abstractmethod
    def check(self) -> list[CheckResult]:
        """Whether the API can be reached and what the token may read. Raises nothing."""


@dataclass(frozen=True)
class SourceEntry:
    """A source, as the registry knows it.

    Attributes:
        name: of the source, of its dbt source, and the first part of its asset keys.
        title: for people.
        dataset: the schema of its raw tables.
        missing: what to say where the source is not configured; names the setting.
        scope_column: by table, the column that holds the scope's id; a table without belongs to no scope.
    """

    name: str
    title: str
    dataset: str
    tables: Mapping[str, Table]
    connector: type[Connector]
    is_configured: Callable[[Settings], bool]
    missing: str
    scope_column: Mapping[str, str]


def load(
    entry: SourceEntry,
    settings: Settings,
    pipeline: dlt.Pipeline,
    request: RefreshRequest,
    on_progress: Callable[[str], None] | None = None,
) -> Iterator[Outcome]:
    """Refresh one source, one outcome per table and scope."""
    raise NotImplementedError
