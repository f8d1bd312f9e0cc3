"""Rows and marks through dlt into a real file: replaced, emptied, marked gone, and never one without the other."""

from __future__ import annotations

import base64
import copy
import threading
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, ClassVar

import httpx
import pytest
from pydantic import SecretStr

from veelocity_pipeline.config.settings import Settings
from veelocity_pipeline.loading import read as loading_read
from veelocity_pipeline.loading.dlt import LoadError, make_pipeline, source_of
from veelocity_pipeline.loading.look import look
from veelocity_pipeline.loading.read import load
from veelocity_pipeline.safety.redaction import remember
from veelocity_pipeline.sources.github.provider import GITHUB
from veelocity_pipeline.sources.kit.connector import (
    CheckResult,
    Chunk,
    Connector,
    Known,
    Outcome,
    RefreshRequest,
    Scope,
    ScopeFailure,
    SourceEntry,
)
from veelocity_pipeline.sources.kit.http.client import Client
from veelocity_pipeline.sources.kit.http.errors import NotFoundError, UnreachableError
from veelocity_pipeline.sources.kit.tables import BIGINT, TEXT, TIMESTAMP, Table, by_name

from .conftest import RawWarehouse

TABLES = by_name(
    Table(
        "things",
        "One row per thing.",
        {"id": TEXT, "box": TEXT, "size": BIGINT, "never": TEXT, "seen_at": TIMESTAMP, "deleted_at": TIMESTAMP},
        primary_key=("id",),
    ),
    Table(
        "labels", "One row per thing and label.", {"thing_id": TEXT, "box": TEXT, "name": TEXT}, merge_key="thing_id"
    ),
    Table("quiet", "One row per nothing.", {"id": TEXT, "box": TEXT}, primary_key=("id",)),
)

MOMENT = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)

Reader = Callable[[Scope, dict[str, Any], RefreshRequest, Known], Iterator[Chunk]]


class Script(Connector):
    """A connector that does what the test says."""

    found: ClassVar[list[Scope | ScopeFailure]] = []
    reader: ClassVar[Reader] = staticmethod(lambda *_: iter(()))
    error: ClassVar[Exception | None] = None

    def __init__(self, settings: Settings, client: Client | None = None) -> None:
        self.client = client or self.client_of(settings)

    @classmethod
    def client_of(cls, settings: Settings, **options: Any) -> Client:
        del settings

        def answer(request: httpx.Request) -> httpx.Response:
            headers = {"date": "Sun, 01 Mar 2026 10:00:00 GMT"}
            return httpx.Response(200, json={"data": {"rateLimit": {"cost": 3}}}, headers=headers)

        return Client(
            "http://x",
            "http://x/graphql",
            [SecretStr("t")],
            transport=httpx.MockTransport(answer),
            **options,
            provider=GITHUB,
        )

    def reach(self) -> None:
        self.client.graphql("{ reach }")

    def scopes(self, request: RefreshRequest) -> list[Scope | ScopeFailure]:
        if self.error:
            raise self.error
        self.client.graphql("{ scopes }")
        return list(self.found)

    def read(self, scope: Scope, mark: dict[str, Any], request: RefreshRequest, known: Known) -> Iterator[Chunk]:
        self.client.graphql("{ rows }")
        yield from type(self).reader(scope, mark, request, known)

    def check(self) -> list[CheckResult]:
        return []


ENTRY = SourceEntry(
    name="toys",
    title="Toys",
    dataset="raw_toys",
    tables=TABLES,
    connector=Script,
    is_configured=lambda settings: True,
    missing="",
    scope_column={"things": "box", "labels": "box", "quiet": "box"},
)


def thing(key: str, box: str = "A", size: int | None = 1) -> dict[str, Any]:
    return {"id": key, "box": box, "size": size, "seen_at": MOMENT}


def chunk(
    *things: dict[str, Any],
    labels: Mapping[str, list[str]] | None = None,
    mark: dict[str, Any] | None = None,
    listed: set[str] | None = None,
) -> Chunk:
    made = Chunk(mark=mark)
    made.add("things", things)
    for parent, names in (labels or {}).items():
        made.add_set("labels", parent, [{"thing_id": parent, "box": "A", "name": name} for name in names])
    if listed is not None:
        made.listed["things"] = listed
    return made


Refresh = Callable[..., list[Outcome]]


@pytest.fixture
def warehouse(new_warehouse: Callable[[str], RawWarehouse]) -> RawWarehouse:
    return new_warehouse("home")


@pytest.fixture
def refresh(warehouse: RawWarehouse, settings: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch) -> Refresh:
    """Refresh box A (or other scopes) with some chunks, or with a reader of the test's own."""

    def run(
        *chunks: Chunk,
        reader: Reader | None = None,
        scopes: tuple[Scope | ScopeFailure, ...] = (Scope("A", "box/a"),),
        full: bool = False,
        on_progress: Callable[[str], None] | None = None,
    ) -> list[Outcome]:
        monkeypatch.setattr(Script, "found", list(scopes))
        monkeypatch.setattr(Script, "reader", staticmethod(reader or (lambda *_: iter(chunks))))
        return warehouse.refresh(ENTRY, settings(), full=full, on_progress=on_progress)

    return run


def marks(refresh: Refresh) -> list[dict[str, Any]]:
    """The mark that the next read begins with."""
    seen: list[dict[str, Any]] = []

    def reader(_scope: Scope, mark: dict[str, Any], *_: object) -> Iterator[Chunk]:
        seen.append(mark)
        return iter(())

    refresh(reader=reader)
    return seen


def test_every_declared_table_and_column_exists_after_a_quiet_load(refresh: Refresh, warehouse: RawWarehouse) -> None:
    refresh()
    found = warehouse.rows(
        "select table_name, column_name, data_type from information_schema.columns where table_schema = 'raw_toys'"
    )
    types = {(table, column): kind for table, column, kind in found}
    for table in TABLES.values():
        assert {(table.name, column) for column in table.columns} <= set(types)
    assert types["things", "never"] == "VARCHAR"
    assert types["things", "size"] == "BIGINT"
    assert types["things", "seen_at"] == "TIMESTAMP WITH TIME ZONE"


def test_a_table_of_an_earlier_version_gets_the_columns_that_it_lacks(
    refresh: Refresh, warehouse: RawWarehouse, settings: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    things = TABLES["things"]
    columns = {name: kind for name, kind in things.columns.items() if name != "size"}
    before = replace(ENTRY, tables={"things": replace(things, columns=columns)})
    earlier = {name: value for name, value in thing("1").items() if name != "size"}
    monkeypatch.setattr(Script, "found", [Scope("A", "box/a")])
    monkeypatch.setattr(Script, "reader", staticmethod(lambda *_: iter([chunk(earlier, mark={"page": 3})])))
    warehouse.refresh(before, settings())
    assert "size" not in {name for (name,) in warehouse.rows("select column_name from duckdb_columns()")}

    assert marks(refresh) == [{"page": 3}]  # and goes on from where the earlier version was
    refresh(chunk(thing("2", size=7)))
    assert warehouse.rows("select id, size from raw_toys.things order by id") == [("1", None), ("2", 7)]
    assert warehouse.rows("select count(*) from raw_toys.labels") == [(0,)]


def test_a_row_replaces_its_earlier_self_and_times_stay_what_they_were(
    refresh: Refresh, warehouse: RawWarehouse
) -> None:
    refresh(chunk(thing("1"), thing("2")))
    refresh(chunk(thing("2", size=None), thing("3", size=9)))
    assert warehouse.rows("select id, size, never, epoch(seen_at)::bigint from raw_toys.things order by id") == [
        ("1", 1, None, int(MOMENT.timestamp())),
        ("2", None, None, int(MOMENT.timestamp())),
        ("3", 9, None, int(MOMENT.timestamp())),
    ]


def test_a_set_replaces_the_earlier_set_an_empty_one_too(refresh: Refresh, warehouse: RawWarehouse) -> None:
    refresh(chunk(labels={"1": ["a", "b", "c"], "2": ["a"], "3": ["z"]}))
    refresh(chunk(labels={"1": ["b"], "2": []}))
    assert warehouse.rows("select thing_id, name from raw_toys.labels order by all") == [("1", "b"), ("3", "z")]
    refresh(chunk(labels={"2": ["new"]}))
    assert ("2", "new") in warehouse.rows("select thing_id, name from raw_toys.labels")


def test_a_parent_that_is_read_twice_in_a_load_has_its_children_once(refresh: Refresh, warehouse: RawWarehouse) -> None:
    refresh(
        chunk(thing("1", size=1), labels={"1": ["a", "b"], "2": ["x"]}),
        chunk(thing("1", size=2), labels={"1": ["b", "c"], "2": []}),
    )
    assert warehouse.rows("select id, size from raw_toys.things") == [("1", 2)]
    assert warehouse.rows("select thing_id, name from raw_toys.labels order by all") == [("1", "b"), ("1", "c")]


def test_what_a_complete_listing_lacks_is_marked_gone_in_its_scope_only(
    refresh: Refresh, warehouse: RawWarehouse
) -> None:
    both = (Scope("A", "box/a"), Scope("B", "box/b"))
    refresh(
        reader=lambda scope, *_: iter([chunk(thing(f"{scope.id}1", scope.id), thing(f"{scope.id}2", scope.id))]),
        scopes=both,
    )
    refresh(chunk(thing("A2"), thing("A3"), listed={"A2", "A3"}), full=True)
    gone = warehouse.rows("select id, epoch(deleted_at)::bigint, size from raw_toys.things order by id")
    at = int(datetime(2026, 3, 1, 10, tzinfo=UTC).timestamp())
    assert gone == [("A1", at, 1), ("A2", None, 1), ("A3", None, 1), ("B1", None, 1), ("B2", None, 1)]
    refresh(chunk(thing("A1", size=5)))
    assert warehouse.rows("select deleted_at, size from raw_toys.things where id = 'A1'") == [(None, 5)]


def test_a_mark_is_there_next_time_even_if_dlt_has_lost_its_folder(refresh: Refresh, warehouse: RawWarehouse) -> None:
    refresh(chunk(thing("1"), mark={"n": 1}), chunk(thing("2"), mark={"n": 2}))
    for path in sorted(warehouse.home.dlt.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    assert marks(refresh) == [{"n": 2}]


def test_a_mark_may_move_without_rows(refresh: Refresh) -> None:
    refresh(chunk(mark={"n": 1}))
    assert marks(refresh) == [{"n": 1}]


def test_nothing_is_loaded_where_nothing_is_new(refresh: Refresh, warehouse: RawWarehouse) -> None:
    refresh(chunk(thing("1"), mark={"n": 1}))
    before = warehouse.rows("select count(*) from raw_toys._dlt_loads")
    refresh(chunk(mark={"n": 1}))
    refresh()
    assert warehouse.rows("select count(*) from raw_toys._dlt_loads") == before


def test_a_warehouse_that_was_deleted_is_filled_from_the_start(refresh: Refresh, warehouse: RawWarehouse) -> None:
    refresh(chunk(thing("1"), mark={"n": 1}))
    warehouse.home.working.unlink()
    assert marks(refresh) == [{}]


def test_a_scope_that_fails_midway_keeps_what_it_read_and_does_not_stop_others(
    refresh: Refresh, warehouse: RawWarehouse
) -> None:
    def reader(scope: Scope, mark: dict[str, Any], *_: object) -> Iterator[Chunk]:
        yield chunk(thing(f"{scope.id}1", scope.id), mark={"n": 1})
        if scope.id == "A":
            raise NotFoundError("box/a is gone.")
        if scope.id == "C":
            raise ZeroDivisionError
        yield chunk(thing(f"{scope.id}2", scope.id), mark={"n": 2})

    scopes = (
        Scope("A", "box/a"),
        Scope("B", "box/b"),
        Scope("C", "box/c"),
        ScopeFailure("box/d", "box/d", "No box/d."),
    )
    outcomes = refresh(reader=reader, scopes=scopes)
    errors = {outcome.scope_name: outcome.error for outcome in outcomes if outcome.table == "things"}
    assert errors["box/a"] == "box/a is gone."
    assert errors["box/b"] is None
    assert "ZeroDivisionError" in (errors["box/c"] or "")
    assert errors["box/d"] == "No box/d."
    assert warehouse.rows("select id from raw_toys.things order by id") == [("A1",), ("B1",), ("B2",), ("C1",)]
    assert marks(refresh) == [{"n": 1}]


@pytest.mark.parametrize("value", [{"size": "many"}, {"id": None}], ids=["kind", "null"])
def test_a_value_of_the_wrong_kind_spoils_its_scope_only_and_its_mark_stays(
    value: dict[str, Any], refresh: Refresh, warehouse: RawWarehouse
) -> None:
    def reader(scope: Scope, *_: object) -> Iterator[Chunk]:
        yield chunk({**thing(f"{scope.id}1", scope.id, 3), **(value if scope.id == "A" else {})}, mark={"n": 1})

    outcomes = refresh(reader=reader, scopes=(Scope("A", "box/a"), Scope("B", "box/b")))
    assert {outcome.scope_name for outcome in outcomes if outcome.error} == {"box/a"}
    assert warehouse.rows("select id from raw_toys.things") == [("B1",)]
    assert marks(refresh) == [{}]


def test_a_source_that_cannot_be_read_fails_once_per_table(
    refresh: Refresh, warehouse: RawWarehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    refresh(chunk(thing("1")))
    monkeypatch.setattr(Script, "error", UnreachableError("toys.test cannot be reached."))
    outcomes = refresh()
    assert [(outcome.table, outcome.scope_id, outcome.error) for outcome in outcomes] == [
        (table, "*", "toys.test cannot be reached.") for table in TABLES
    ]
    assert warehouse.rows("select count(*) from raw_toys.things") == [(1,)]


def test_an_answer_that_is_none_fails_its_source_in_one_sentence(
    refresh: Refresh, warehouse: RawWarehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Script, "error", KeyError("pageInfo"))
    assert warehouse.home.working.exists() is False
    assert {(outcome.scope_id, outcome.error) for outcome in refresh()} == {
        ("*", "Unexpected KeyError while finding out what to read of Toys; see the log.")
    }
    # nothing was ever read, and the models find their tables all the same
    assert [warehouse.table(ENTRY, name) for name in TABLES] == [[], [], []]


def test_no_secret_is_in_what_is_loaded_remembered_or_told(refresh: Refresh, warehouse: RawWarehouse) -> None:
    secret = "ghp_aTokenThatTheServerSentBack000000001"
    remember(secret, in_rows=True)
    basic = base64.b64encode(f"me:{secret}".encode()).decode()
    said: list[str] = []
    outcomes = refresh(
        chunk(
            thing(f"1 {secret}"), thing("2"), labels={"2": [f"Basic {basic}"]}, mark={"etag": secret, secret: [basic]}
        ),
        scopes=(Scope("A", f"box/{secret}\n\x1b[2J"),),
        on_progress=said.append,
    )
    assert {outcome.scope_name for outcome in outcomes} == {"box/*** \\x1b[2J"}
    assert warehouse.rows("select id from raw_toys.things order by id") == [("1 ***",), ("2",)]
    assert warehouse.rows("select name from raw_toys.labels") == [("Basic ***",)]
    states = warehouse.rows("select state from raw_toys._dlt_pipeline_state")
    found = [b"".join(zlib.decompress(base64.b64decode(state)) for (state,) in states), "".join(said).encode()]
    found += [path.read_bytes() for path in warehouse.home.path.rglob("*") if path.is_file()]
    assert b"box/***" in found[0]
    for hidden in (secret, basic):
        assert not any(hidden.encode() in each for each in found)
    assert said
    assert all(line.isprintable() for line in said)


def test_a_source_that_is_not_configured_has_empty_tables_and_no_outcome(
    warehouse: RawWarehouse, settings: Callable[..., Settings]
) -> None:
    assert warehouse.refresh(replace(ENTRY, is_configured=lambda _: False), settings()) == []
    assert warehouse.rows("select count(*) from raw_toys.things") == [(0,)]


def test_an_outcome_says_what_it_cost_and_how_far_it_got(refresh: Refresh) -> None:
    mark = {"watermarks": {"things": "2026-02-28T10:00:00Z"}}
    outcomes = refresh(
        chunk(thing("1"), thing("2"), labels={"1": ["a"], "2": []}, mark=mark), scopes=(Scope("A", "box/a"),)
    )
    things, labels, quiet = outcomes
    assert [outcome.rows for outcome in outcomes] == [2, 1, 0]
    assert things.watermark == datetime(2026, 2, 28, 10, tzinfo=UTC)
    assert labels.watermark is None
    assert things.read_at == quiet.read_at == datetime(2026, 3, 1, 10, tzinfo=UTC)
    assert things.succeeded_at is not None
    assert (things.requests, things.points) == (2, 6)  # one to find the scopes, one to read
    assert (labels.requests, labels.points) == (0, 0)


def test_what_is_known_can_be_asked_while_others_are_loaded(refresh: Refresh, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading_read, "BATCH_ROWS", 1)
    seen: dict[str, set[str]] = {}

    def reader(scope: Scope, _mark: object, _request: object, known: Known) -> Iterator[Chunk]:
        for number in range(4):
            yield chunk(thing(f"{scope.id}{number}", scope.id))
            known.values("things", "id", scope.id)
        seen[scope.id] = known.values("quiet", "id", scope.id)

    scopes = tuple(Scope(name, f"box/{name}") for name in "ABC")
    outcomes = refresh(reader=reader, scopes=scopes)
    assert not [outcome.error for outcome in outcomes if outcome.error]
    assert seen == {"A": set(), "B": set(), "C": set()}

    def later(scope: Scope, _mark: object, _request: object, known: Known) -> Iterator[Chunk]:
        seen[scope.id] = {row["id"] for row in known.rows("things", ("id", "size"), scope.id, "size > 0")}
        return iter(())

    refresh(reader=later, scopes=scopes)
    assert seen["B"] == {"B0", "B1", "B2", "B3"}


def test_a_refresh_that_is_given_up_ends_its_threads_and_keeps_what_was_loaded(
    warehouse: RawWarehouse, settings: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loading_read, "BATCH_ROWS", 1)

    def reader(scope: Scope, *_: object) -> Iterator[Chunk]:
        yield chunk(thing(f"{scope.id}0", scope.id), mark={"n": 0})
        if scope.id == "A":
            return
        number = 1
        while True:
            yield chunk(thing(f"{scope.id}{number}", scope.id), mark={"n": number})
            number += 1

    monkeypatch.setattr(Script, "found", [Scope("A", "box/a"), Scope("B", "box/b")])
    monkeypatch.setattr(Script, "reader", staticmethod(reader))
    outcomes = load(ENTRY, settings(), make_pipeline(ENTRY, warehouse.home), RefreshRequest())
    assert next(outcomes).scope_name == "box/a"
    outcomes.close()  # type: ignore[attr-defined]
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("read-toys")]
    kept = warehouse.rows("select id from raw_toys.things where box = 'B'")
    assert kept


def test_a_load_that_breaks_leaves_rows_and_marks_of_before_and_the_next_one_works(
    refresh: Refresh, warehouse: RawWarehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    refresh(chunk(thing("1"), mark={"n": 1}))

    def broken(entry: SourceEntry, batch: Any = None, scopes: Any = None) -> Any:
        # A second resource of another type for the same column: dlt refuses it after the first was extracted.
        made = source_of(entry, batch, scopes)
        made.resources["things"].add_map(lambda table: table.append_column("size2", table["id"]).drop(["id"]))
        return made

    monkeypatch.setattr(loading_read, "source_of", broken)
    with pytest.raises(LoadError):
        refresh(chunk(thing("2"), mark={"n": 2}))
    monkeypatch.setattr(loading_read, "source_of", source_of)
    assert marks(refresh) == [{"n": 1}]
    refresh(chunk(thing("2"), mark={"n": 2}))
    assert warehouse.rows("select id from raw_toys.things order by id") == [("1",), ("2",)]


def test_the_empty_source_needs_no_warehouse_and_names_every_table() -> None:
    pipeline = make_pipeline(ENTRY, None)
    assert pipeline.pipeline_name == "veelocity_toys"
    assert pipeline.dataset_name == "raw_toys"
    assert set(source_of(ENTRY).resources) == set(TABLES)


# ------------------------------------------------------------------------------------------ a look loads nothing

Look = Callable[..., list[Outcome] | None]


@pytest.fixture
def seen(warehouse: RawWarehouse, settings: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch) -> Look:
    """Look at box A (or other scopes), which gives some chunks, or does what a reader of the test's own does."""

    def run(
        *chunks: Chunk,
        reader: Reader | None = None,
        scopes: tuple[Scope | ScopeFailure, ...] = (Scope("A", "box/a"),),
        entry: SourceEntry = ENTRY,
    ) -> list[Outcome] | None:
        monkeypatch.setattr(Script, "found", list(scopes))
        monkeypatch.setattr(Script, "reader", staticmethod(reader or (lambda *_: iter(chunks))))
        outcomes = look(entry, settings(), warehouse.home, RefreshRequest())
        assert not [thread for thread in threading.enumerate() if thread.name.startswith("read-toys")]
        return outcomes

    return run


def test_a_look_at_what_is_as_it_was_tells_what_a_load_would(
    refresh: Refresh, seen: Look, warehouse: RawWarehouse
) -> None:
    mark = {"n": 1, "watermarks": {"things": "2026-02-28T10:00:00Z"}}
    refresh(chunk(thing("1"), labels={"1": ["a"]}, mark=mark))
    before = warehouse.rows("select count(*) from raw_toys._dlt_loads"), warehouse.everything(ENTRY)
    given: list[dict[str, Any]] = []
    known: set[str] = set()

    def reader(scope: Scope, mark: dict[str, Any], _request: object, stored: Known) -> Iterator[Chunk]:
        given.append(copy.deepcopy(mark))
        known.update(row["id"] for row in stored.rows("things", ("id", "size"), scope.id, "size > 0"))
        yield Chunk(mark=mark)

    outcomes = seen(reader=reader)
    assert given == [mark]
    assert known == {"1"}
    assert outcomes is not None
    assert before == (warehouse.rows("select count(*) from raw_toys._dlt_loads"), warehouse.everything(ENTRY))
    loaded = refresh(reader=reader)

    def timeless(outcome: Outcome) -> Outcome:
        return replace(outcome, attempted_at=MOMENT, succeeded_at=MOMENT)

    assert list(map(timeless, outcomes)) == list(map(timeless, loaded))


def test_a_look_ends_at_the_first_thing_to_load(refresh: Refresh, seen: Look, warehouse: RawWarehouse) -> None:
    refresh(chunk(thing("1"), labels={"1": ["a"]}, mark={"n": 1}))
    both = (Scope("A", "box/a"), Scope("B", "box/b"))
    asked: list[int] = []

    def endless(scope: Scope, mark: dict[str, Any], *_: object) -> Iterator[Chunk]:
        yield chunk(thing("2")) if scope.id == "A" else Chunk()
        while True:
            asked.append(1)
            yield Chunk(mark=mark)

    assert seen(reader=endless, scopes=both) is None
    assert len(asked) < 1_000  # which goes on while nobody stops it
    for news in (
        chunk(thing("1")),  # that it is what it was is not known before it is loaded
        chunk(labels={"1": []}),
        chunk(mark={"n": 2}),
        chunk(listed=set()),
        chunk({**thing("2"), "size": "many"}),
    ):
        assert seen(news) is None
    assert seen(chunk(listed={"1"})) is not None
    assert seen(Chunk(), scopes=both) is None  # B has no mark that is saved
    assert seen(scopes=(*both[:1], ScopeFailure("box/c", "box/c", "No box/c."))) is None
    assert warehouse.rows("select id, size, deleted_at from raw_toys.things") == [("1", 1, None)]
    assert marks(refresh) == [{"n": 1}]


def test_a_look_that_fails_or_would_have_to_wait_is_none(
    refresh: Refresh, seen: Look, monkeypatch: pytest.MonkeyPatch
) -> None:
    refresh(chunk(thing("1"), mark={"n": 1}))

    def gone(*_: object) -> Iterator[Chunk]:
        raise NotFoundError("box/a is gone.")

    assert seen(reader=gone) is None
    assert seen(reader=lambda *_: iter([1 // 0])) is None
    answers = iter([httpx.Response(403, headers={"retry-after": "3000"}, json={"message": "secondary rate limit"})])
    real = Script.__init__

    def limited(self: Script, settings: Settings, client: Client | None = None) -> None:
        del client
        real(
            self,
            settings,
            Client("http://x", "http://x/graphql", [SecretStr("t")], transport=transport, provider=GITHUB),
        )

    transport = httpx.MockTransport(lambda _request: next(answers))
    with monkeypatch.context() as patch:
        patch.setattr(Script, "__init__", limited)
        assert seen() is None
    monkeypatch.setattr(Script, "error", UnreachableError("toys.test cannot be reached."))
    assert seen() is None


def test_a_look_before_all_tables_are_there_is_none(refresh: Refresh, seen: Look) -> None:
    assert seen() is None
    refresh(chunk(thing("1"), mark={"n": 1}))
    assert seen(chunk(mark={"n": 1})) is not None
    things = TABLES["things"]
    grown = replace(ENTRY, tables={**TABLES, "things": replace(things, columns={**things.columns, "colour": TEXT})})
    assert seen(chunk(mark={"n": 1}), entry=grown) is None
    assert seen(entry=replace(ENTRY, is_configured=lambda _: False)) == []
