"""What a connector is, and what it is given and gives: scopes to read, chunks with marks, outcomes, failures."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from veelocity_pipeline.safety.foreign import sentence
from veelocity_pipeline.sources.kit.http.client import Client
from veelocity_pipeline.sources.kit.tables import Row, Table

if TYPE_CHECKING:
    from veelocity_pipeline.config.settings import Settings


@dataclass(frozen=True)
class RefreshRequest:
    """What one refresh is asked to read.

    Attributes:
        full: read everything again and find deletions, instead of only what is new.
        since: of a full read of what was read whole before, only what changed or ended on this day or later is read
            again; deletions are found all the same.
        scopes: names of repositories or teams; empty means all that are configured.
        run: which run of several sources this is part of; what they need in common is asked for once.
    """

    full: bool = False
    scopes: tuple[str, ...] = ()
    run: str = ""
    since: date | None = None


@dataclass(frozen=True)
class Scope:
    """What is read, fails and has a mark by itself: a repository, a team, or ``*`` for a whole workspace.

    Attributes:
        id: the provider's immutable id.
        name: the present name: ``owner/name``, or a team's key.
        configured_as: the entry of the settings that brought it.
        info: what the connector learned when it resolved the scope.
        size: about how much there is of it, in things; larger ones are begun earlier.
    """

    id: str
    name: str
    configured_as: str = ""
    info: Mapping[str, Any] = field(default_factory=dict)
    size: int = 0


@dataclass(frozen=True)
class Change:
    """A scope that changed upstream after it was read.

    Attributes:
        scope: its name is empty where the provider was not asked for it.
        newest: the newest change that was seen, by the provider's clock.
    """

    scope: Scope
    newest: datetime


@dataclass(frozen=True)
class ScopeFailure:
    """A configured scope that cannot be read at all; ``error`` is a sentence."""

    name: str
    configured_as: str
    error: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "error", sentence(self.error))


@dataclass(frozen=True)
class Progress:
    """How far the read of a list of a scope has come.

    Attributes:
        what: is counted, in the plural.
        expected: how many there are, where the provider says.
        pages: that were read.
    """

    what: str
    done: int
    expected: int | None
    pages: int

    def __str__(self) -> str:
        """As people read it: ``1,200 of 3,400 pull requests (12 pages)``."""
        of = f" of {self.expected:,}" if self.expected is not None else ""
        return f"{self.done:,}{of} {self.what} ({self.pages:,} {'page' if self.pages == 1 else 'pages'})"


@dataclass(frozen=True)
class CheckResult:
    """One line of a connection check; what is foreign in it is made plain."""

    subject: str
    ok: bool
    detail: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "subject", sentence(self.subject, 300))
        object.__setattr__(self, "detail", sentence(self.detail))


@dataclass
class Chunk:
    """Rows that may be loaded together, and the mark that stands for them.

    Attributes:
        rows: rows of tables with a primary key, by table.
        sets: whole sets of children of tables with a merge key: table → parent's id → all its rows. An
            empty list says that the parent has none (any more).
        mark: what replaces the scope's mark (JSON values only), saved in the same load; None leaves it.
            ``mark["watermarks"]`` may hold an ISO time by table, and ``mark["skipped"]`` what could not be read, by
            table and id; both are shown in ``sync_status``.
        listed: the complete set of ids of a table (the first column of its key) in this scope, after a
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
        scope_id, scope_name: with the connection in front where it is not the vendor's own (``config.connections``).
        connection: its name.
        read_at: the server's time at the start of this read if it was complete, else None.
        rows: rows that were loaded, gone ones and emptied sets not counted.
        watermark: the newest change that was seen, where the connector keeps one.
        error: None if all went well.
        requests, points, waited, received: what the whole scope cost (``http.Usage``); on its first table only, so
            that sums are right.
        budget_left: what all tokens together had left when the scope was read, where the provider says.
        budget_share: the same as a share of what they have when full, from 0 to 1.
        skipped: objects of the table that could not be read, or not whole, and will be asked for again.
        skipped_example: one of them, with the reason.
    """

    source: str
    table: str
    scope_id: str
    scope_name: str
    connection: str
    attempted_at: datetime
    succeeded_at: datetime | None
    read_at: datetime | None
    rows: int
    watermark: datetime | None
    error: str | None
    is_full: bool
    requests: int
    points: int
    waited: float = 0.0
    received: int = 0
    budget_left: int | None = None
    budget_share: float | None = None
    skipped: int = 0
    skipped_example: str | None = None

    def __post_init__(self) -> None:
        """Its texts are foreign, and go to tables, files, the run history and alerts."""
        for name in ("scope_id", "scope_name"):
            object.__setattr__(self, name, sentence(getattr(self, name), 300))
        object.__setattr__(self, "error", self.error and sentence(self.error))
        object.__setattr__(self, "skipped_example", self.skipped_example and sentence(self.skipped_example))

    def to_row(self) -> dict[str, str | int | float | bool | datetime | None]:
        """As ``operations.sync_status`` has it (``warehouse.SYNC_STATUS``)."""
        return {
            "source": self.source,
            "connection": self.connection,
            "table_name": self.table,
            "repository": self.scope_name,
            "source_key": self.scope_id or None,
            "attempted_at": self.attempted_at,
            "succeeded_at": self.succeeded_at,
            "read_at": self.read_at,
            "rows": self.rows,
            "watermark": self.watermark,
            "error": self.error,
            "is_full": self.is_full,
            "requests": self.requests,
            "points": self.points,
            "waited_seconds": self.waited,
            "bytes_received": self.received,
            "budget_left": self.budget_left,
            "skipped": self.skipped,
            "skipped_example": self.skipped_example,
        }


class Known(ABC):
    """What is already loaded. Safe to use from any thread; empty where there is no table yet."""

    @abstractmethod
    def values(self, table: str, column: str, scope_id: str) -> set[Any]:
        """All values of one column of a scope's rows."""

    @abstractmethod
    def rows(self, table: str, columns: Iterable[str], scope_id: str, where: str = "") -> list[Row]:
        """Some columns of a scope's rows; ``where`` is SQL of our own, never of a user's making."""


class Connector(ABC):
    """One refresh of one source. Each refresh makes its own; all network goes through its client.

    Attributes:
        say: told one short sentence about something out of the ordinary; from any thread.
        progress: told how far the read of a scope has come, page by page; from any thread.
    """

    client: Client
    say: Callable[[str], None] = staticmethod(lambda _text: None)
    progress: Callable[[Scope, Progress], None] = staticmethod(lambda _scope, _progress: None)

    @abstractmethod
    def __init__(self, settings: Settings, client: Client | None = None) -> None:
        """Read the settings; no request yet. Tests pass their own client."""

    @abstractmethod
    def scopes(self, request: RefreshRequest) -> list[Scope | ScopeFailure]:
        """What is to be read, in the order of the settings, and what of it cannot be.

        Raises:
            SourceError: nothing of this source can be read.
        """

    def vanished(self, remembered: Mapping[str, str], found: Iterable[Scope | ScopeFailure]) -> Iterable[ScopeFailure]:
        """Scopes that were read before and that nothing lists any more, which the settings still mean.

        Args:
            remembered: names by id.
            found: what ``scopes`` gave, asked for all.
        """
        return ()

    def begin(self, marks: Mapping[str, Mapping[str, Any]]) -> None:  # noqa: B027 - most need not know
        """Told the mark of each scope, by its id, before the first is read."""

    @abstractmethod
    def read(self, scope: Scope, mark: dict[str, Any], request: RefreshRequest, known: Known) -> Iterator[Chunk]:
        """Read one scope; each chunk is a checkpoint. Runs in a thread of its own.

        Args:
            mark: the scope's mark of the last load that was saved; empty at first. A copy: change it freely.

        Raises:
            SourceError: the rest of the scope cannot be read. What was yielded stays.
        """

    def changed_since(self, read_at: Mapping[str, datetime]) -> list[Change] | None:
        """Scopes that changed after they were read, or were never read, in a few requests; None: that takes more.

        What moves no time of its own upstream (something was deleted, say) is not noticed.

        Args:
            read_at: by scope's id, the provider's time at the start of its last complete read.

        Raises:
            SourceError: it cannot be asked.
        """
        del read_at
        return None

    @classmethod
    @abstractmethod
    def client_of(cls, settings: Settings, **options: Any) -> Client:
        """Make the client that these settings name.

        Args:
            options: as ``Client`` has them.

        Raises:
            AuthenticationError: the settings hold no credentials that could be sent.
        """

    @abstractmethod
    def reach(self) -> None:
        """Make one cheap request, which shows whether the API is there and accepts the credentials.

        Raises:
            SourceError: it is not, or does not, or cannot answer.
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
        along_with: the source whose scopes this one reads too, if it is another's.
        reads_repositories: its scopes are repositories of a code host.
    """

    name: str
    title: str
    dataset: str
    tables: Mapping[str, Table]
    connector: type[Connector]
    is_configured: Callable[[Settings], bool]
    missing: str
    scope_column: Mapping[str, str]
    along_with: str = ""
    reads_repositories: bool = False

    def is_read(self, settings: Settings) -> bool:
        """Whether any of its connections is configured."""
        return any(map(self.is_configured, self.connected(settings)))

    @property
    def vendor(self) -> str:
        """The name of the vendor whose connections it reads."""
        return self.along_with or self.name

    def connected(self, settings: Settings) -> list[Settings]:
        """The settings of each connection that it reads, the vendor's own first, whether configured or not."""
        return settings.connected(self.vendor)
