"""A stand-in for Metabase on loopback: the part of its API that is used, as strict about bodies as Metabase is.

The maps are those of its source (`CardCreateSchema`, `CardUpdateSchema`, `DashUpdates`, `UpdatedDashboardCard`, …):
closed, so that a key that is not in them is an error.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

Json = dict[str, Any]

KEY = "mb_a_key"

#: method and kind of a path: required keys, and the others that are allowed
BODIES = {
    ("POST", "collection"): ({"name"}, {"description", "parent_id", "namespace", "authority_level"}),
    ("POST", "card"): (
        {"name", "dataset_query", "display", "visualization_settings"},
        {"type", "entity_id", "parameters", "parameter_mappings", "description", "collection_id",
         "collection_position", "result_metadata", "cache_ttl", "dashboard_id", "dashboard_tab_id", "size"},
    ),
    ("PUT", "card"): (
        set(),
        {"name", "dataset_query", "display", "visualization_settings", "type", "parameters", "parameter_mappings",
         "description", "archived", "enable_embedding", "embedding_params", "collection_id", "collection_position",
         "result_metadata", "cache_ttl", "collection_preview", "dashboard_id", "dashboard_tab_id"},
    ),
    ("POST", "dashboard"): (
        {"name"}, {"parameters", "description", "cache_ttl", "collection_id", "collection_position"},
    ),
    ("PUT", "dashboard"): (
        set(),
        {"name", "description", "parameters", "archived", "width", "auto_apply_filters", "collection_id",
         "collection_position", "cache_ttl", "dashcards", "tabs"},
    ),
}  # fmt: skip
DASHCARD = (
    {"id", "size_x", "size_y", "row", "col"},
    {"card_id", "action_id", "dashboard_tab_id", "parameter_mappings", "visualization_settings", "series"},
)


class RefusedError(Exception):
    """What Metabase answers with 400 and 404."""


class Standin:
    """Its state, and every request that changed it. `stages`: it answers queries in the newer form."""

    def __init__(self, stages: bool) -> None:
        self.stages = stages
        self.databases = [{"id": 1, "name": "Sample Database"}, {"id": 7, "name": "Veelocity"}]
        self.things: dict[str, dict[int, Json]] = {"collection": {}, "card": {}, "dashboard": {}}
        self.writes: list[tuple[str, str]] = []
        self._numbers = iter(range(100, 100_000))

    def answer(self, method: str, address: str, body: Json | None) -> Any:
        url = urlsplit(address)
        _, api, kind, *rest = url.path.split("/")
        if api != "api":
            raise RefusedError(url.path)
        if method == "GET":
            return self._read(kind, rest, parse_qs(url.query))
        self.writes.append((method, kind))
        return self._write(method, kind, [int(each) for each in rest], body or {})

    def _read(self, kind: str, rest: list[str], asked: dict[str, list[str]]) -> Any:
        if (kind, rest) == ("database", []):
            return {"data": self.databases, "total": len(self.databases)}
        if (kind, rest) == ("collection", []):
            return [{"id": "root", "name": "Our analytics"}, *self.things["collection"].values()]
        if kind == "collection" and rest[1:] == ["items"]:
            return {
                "data": [
                    {"id": number, "model": model, "name": thing["name"]}
                    for model in asked["models"]
                    for number, thing in self.things[model].items()
                    if thing["collection_id"] == int(rest[0]) and not thing.get("archived")
                ]
            }
        return self._shown(kind, self._thing(kind, int(rest[0])))

    def _write(self, method: str, kind: str, rest: list[int], body: Json) -> Any:
        closed(body, *BODIES[method, kind])
        if method == "POST":
            number = next(self._numbers)
            made = {"id": number, "collection_id": None, "archived": False, "location": "/", **body}
            self.things[kind][number] = made | ({"dashcards": []} if kind == "dashboard" else {})
            return self._shown(kind, made)
        thing = self._thing(kind, rest[0])
        if "dashcards" in body:
            body["dashcards"] = self._dashcards({each["id"] for each in thing["dashcards"]}, body["dashcards"])
        thing |= body
        return self._shown(kind, thing)

    def _dashcards(self, known: set[int], dashcards: list[Json]) -> list[Json]:
        if len({each["id"] for each in dashcards}) != len(dashcards):
            raise RefusedError("ids are not unique")
        placed = []
        for each in dashcards:
            closed(each, *DASHCARD)
            if each["card_id"] is not None:
                self._thing("card", each["card_id"])
            if each["id"] > 0 and each["id"] not in known:
                raise RefusedError(f"no dashcard {each['id']}")
            placed.append({**each, "id": each["id"] if each["id"] > 0 else next(self._numbers)})
        return placed

    def _thing(self, kind: str, number: int) -> Json:
        if number not in self.things[kind]:
            raise RefusedError(f"no {kind} {number}")
        return self.things[kind][number]

    def _shown(self, kind: str, thing: Json) -> Json:
        if kind != "card":
            return thing
        query = thing["dataset_query"]
        if query["type"] != "native" or query["database"] not in {each["id"] for each in self.databases}:
            raise RefusedError("not a native query of a known database")
        stage = {"lib/type": "mbql.stage/native", "native": query["native"]["query"]}
        newer = {"lib/type": "mbql/query", "database": query["database"], "stages": [stage]}
        settings = {**thing["visualization_settings"], "table.pivot_column": "of its own"}
        return thing | {"dataset_query": newer if self.stages else query, "visualization_settings": settings}


def closed(body: Json, required: set[str], allowed: set[str]) -> None:
    if missing := required - body.keys():
        raise RefusedError(f"missing {missing}")
    if unknown := body.keys() - required - allowed:
        raise RefusedError(f"unknown {unknown}")


@contextmanager
def serving(standin: Standin) -> Iterator[str]:
    """The stand-in on a free port; its address."""

    class Handler(BaseHTTPRequestHandler):
        def _handle(self) -> None:
            length = int(self.headers.get("content-length") or 0)
            body = json.loads(self.rfile.read(length)) if length else None
            answer: Any
            try:
                if self.headers.get("x-api-key") != KEY:
                    status, answer = 401, "Unauthenticated"
                else:
                    status, answer = 200, standin.answer(self.command, self.path, body)
            except RefusedError as refused:
                status, answer = 400, {"errors": str(refused)}
            text = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("content-length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        do_GET = do_POST = do_PUT = _handle  # noqa: N815

        def log_message(self, *_: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
