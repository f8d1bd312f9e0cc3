"""Dagster's own webserver behind the guard, in this process: what each of its endpoints does for a foreign page."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import dagster as dg
import httpx
import pytest
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._core.workspace.load_target import EmptyWorkspaceTarget
from dagster._daemon.asset_daemon import get_auto_materialize_paused, set_auto_materialize_paused
from dagster_webserver.app import create_app_from_workspace_process_context
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.types import ASGIApp

from veelocity_pipeline.config.addresses import OwnAddresses
from veelocity_pipeline.defs.guard import Guard

HERE = "http://localhost:3000"
REPORTED = dg.AssetKey("planted")
DOCUMENT = "mutation { setAutoMaterializePaused(paused: true) }"


@dataclass
class Server:
    """The webserver without a code location, with the guard and without."""

    instance: dg.DagsterInstance
    bare: Any
    guarded: ASGIApp

    def ask(self, app: ASGIApp, method: str, path: str, **options: Any) -> httpx.Response:
        async def send() -> httpx.Response:
            async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=HERE) as client:
                return await client.request(method, path, **options)

        return asyncio.run(send())


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with (
        dg.instance_for_test() as instance,
        WorkspaceProcessContext(instance, EmptyWorkspaceTarget(), version="here") as context,
    ):
        bare = create_app_from_workspace_process_context(context)
        yield Server(instance, bare, Guard(bare, OwnAddresses.of(HERE, (), "127.0.0.1")))


ATTACKS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "form": ("POST", f"/graphql?query={DOCUMENT}", {"headers": {"content-type": "text/plain"}, "content": "x=y"}),
    "encoded form": ("POST", f"/graphql?query={DOCUMENT}", {"data": {"a": "b"}}),
    "file": ("POST", f"/graphql?query={DOCUMENT}", {"files": {"a": b"b"}}),
    "nothing": ("POST", f"/graphql?query={DOCUMENT}", {}),
    "text that says JSON": (
        "POST",
        "/graphql",
        {"headers": {"content-type": "text/plain; application/json"}, "content": f'{{"query": "{DOCUMENT}"}}'},
    ),
    "GraphQL": ("POST", "/graphql", {"headers": {"content-type": "application/graphql"}, "content": DOCUMENT}),
    "address": ("GET", f"/graphql?query={DOCUMENT}", {"headers": {"accept": "image/*"}}),
    "rebinding": ("POST", "/graphql", {"headers": {"host": "evil.test"}, "json": {"query": DOCUMENT}}),
    "page": ("POST", "/graphql", {"headers": {"origin": "http://evil.test"}, "json": {"query": DOCUMENT}}),
    "event": ("POST", "/report_asset_materialization/planted", {}),
    "observation": ("POST", "/report_asset_observation/planted", {}),
}


@pytest.mark.parametrize("name", ATTACKS)
def test_what_changes_something_without_the_guard_changes_nothing_with_it(server: Server, name: str) -> None:
    method, path, options = ATTACKS[name]

    def changed() -> tuple[bool, int]:
        events = len(server.instance.fetch_materializations(REPORTED, limit=1000).records)
        observations = len(server.instance.fetch_observations(REPORTED, limit=1000).records)
        return get_auto_materialize_paused(server.instance), events + observations

    set_auto_materialize_paused(server.instance, False)
    before = changed()
    answer = server.ask(server.guarded, method, path, **options)
    assert 400 <= answer.status_code < 500, answer.text
    assert changed() == before
    # the attack is one
    assert server.ask(server.bare, method, path, **options).status_code == 200
    assert changed() != before


def test_no_endpoint_is_open_to_others(server: Server) -> None:
    """Whatever Dagster serves, also in a later version."""
    paths: set[tuple[str, str]] = set()
    for route in server.bare.routes:
        path = getattr(route, "path", "").replace(":path", "").replace(":str", "")
        assert isinstance(route, Route | Mount | WebSocketRoute)
        if not isinstance(route, WebSocketRoute):
            paths |= {(method, path) for method in getattr(route, "methods", None) or {"GET"}}
    assert {("POST", "/graphql"), ("GET", "/logs/{path}"), ("POST", "/report_asset_check/{asset_key}")} <= paths
    image = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors", "sec-fetch-dest": "image"}
    for method, path in sorted(paths):
        body: dict[str, Any] = {"json": {}} if method == "POST" else {}
        for headers in ({"host": "evil.test"}, {"origin": "http://evil.test"}, {"origin": "null"}, image):
            answer = server.ask(server.guarded, method, path, headers=headers, **body)
            assert 400 <= answer.status_code < 500, (method, path, headers)


def test_its_own_pages_are_served(server: Server) -> None:
    own = {"origin": HERE, "sec-fetch-site": "same-origin"}
    answer = server.ask(server.guarded, "POST", "/graphql", headers=own, json={"query": "{ version }"})
    assert answer.json() == {"data": {"version": "here"}}
    assert server.ask(server.guarded, "GET", "/server_info").status_code == 200
    page = server.ask(server.guarded, "GET", "/runs")
    assert "Dagster" in page.text
    # Dagster's policy stays beside the guard's
    assert ["script-src" in policy for policy in page.headers.get_list("content-security-policy")] == [True, False]
