"""A hostile web page in a real browser against a running ``veelocity dev``: it reads nothing, and starts nothing."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.integration.dev import LAUNCH, QUIET, Dev, eventually
from tests.report.browser import ARGUMENTS, CHROMIUM
from veelocity_pipeline.operations.jobs import INCREMENTAL, REBUILD
from veelocity_pipeline.transform.prepare import ship

playwright = pytest.importorskip("playwright.sync_api")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs a Chromium on the PATH")

TOKENS = {
    "GITHUB_TOKEN": "ghp_s3cretOfTheCode",
    "LINEAR_API_KEY": "lin_s3cretOfTheCode",
    "VEELOCITY_ALERT_URL": "http://127.0.0.1:9/s3cretOfTheCode",
}

ATTACKS = """
async ({target, socket, mutation, query}) => {
    const said = {};
    const body = JSON.stringify({query: mutation});
    const inQuery = `${target}/graphql?query=${encodeURIComponent(mutation)}`;
    const frame = (name) => {
        const made = document.createElement("iframe");
        made.name = name;
        document.body.append(made);
        return new Promise((resolve) => { made.onload = resolve; setTimeout(resolve, 5000); });
    };
    const form = async (enctype) => {
        const made = document.createElement("form");
        Object.assign(made, {method: "post", action: inQuery, enctype, target: enctype});
        const field = document.createElement("input");
        Object.assign(field, {name: '{"query": "', value: mutation + '"}'});
        made.append(field);
        document.body.append(made);
        const loaded = frame(enctype);
        made.submit();
        await loaded;
    };
    for (const enctype of ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"]) {
        await form(enctype);
    }

    const tried = async (name, url, options) => {
        try {
            const answer = await fetch(url, options);
            said[name] = answer.type === "opaque" ? "sent" : await answer.text();
        } catch (error) { said[name] = "refused"; }
    };
    const simple = {method: "POST", mode: "no-cors", credentials: "include"};
    const headers = (type) => ({"Content-Type": type});
    await tried("text", inQuery, {...simple, body});
    await tried("text that says JSON", `${target}/graphql`,
                {...simple, headers: headers("text/plain; application/json"), body});
    await tried("JSON", `${target}/graphql`, {method: "POST", headers: headers("application/json"), body});
    await tried("JSON without CORS", `${target}/graphql`, {...simple, headers: headers("application/json"), body});
    await tried("report", `${target}/report_asset_materialization/planted`, {...simple});
    await tried("read", `${target}/graphql?query=${encodeURIComponent(query)}`, {});
    navigator.sendBeacon(inQuery, body);

    const loads = (name, tag, url) => new Promise((resolve) => {
        const made = document.createElement(tag);
        made.onload = () => { said[name] = "loaded"; resolve(); };
        made.onerror = () => { said[name] = "refused"; resolve(); };
        made.src = url;
        document.body.append(made);
    });
    await loads("image", "img", inQuery);
    await loads("script", "script", `${target}/graphql?query=${encodeURIComponent(query)}`);
    await loads("picture of the UI", "img", `${target}/favicon.png`);

    said.socket = await new Promise((resolve) => {
        const made = new WebSocket(`${socket}/graphql`, "graphql-ws");
        made.onopen = () => resolve("open");
        made.onerror = () => resolve("refused");
    });

    const page = document.createElement("iframe");
    const shown = new Promise((resolve) => { page.onload = resolve; setTimeout(resolve, 5000); });
    page.src = `${target}/runs`;
    document.body.append(page);
    await shown;
    return said;
}
"""


class _HostilePage(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>Free kittens</title><body></body>")

    def log_message(self, *_arguments: Any) -> None:
        pass


@contextlib.contextmanager
def hostile_site() -> Iterator[int]:
    """A site of somebody else's; its port."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _HostilePage)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def dev(tmp_path: Path) -> Iterator[Dev]:
    home = tmp_path / "home"
    ship()
    environment = {
        **os.environ,
        **QUIET,
        **TOKENS,
        "GITHUB_REPOSITORIES": "acme/web",
        "GITHUB_API_URL": "http://127.0.0.1:9",
        "LINEAR_API_URL": "http://127.0.0.1:9",
        "VEELOCITY_DEAD_RUNS_SENSOR_MINUTES": "0",
        "VEELOCITY_ALERTS_SENSOR_MINUTES": "0",
        "VEELOCITY_HOME": str(home),
    }
    running = Dev(environment, tmp_path / "dev.log")
    try:
        yield running
    finally:
        running.kill()


def test_no_foreign_page_gets_in(dev: Dev, tmp_path: Path) -> None:
    mutation = launch_document(dev, REBUILD)
    with playwright.sync_playwright() as started, hostile_site() as site:
        browser = started.chromium.launch(
            executable_path=CHROMIUM,
            args=[*ARGUMENTS, "--host-resolver-rules=MAP evil.test 127.0.0.1"],
        )
        for origin in (f"http://127.0.0.1:{site}", f"http://localhost:{site}"):  # of another site, and of the same
            attack(browser, origin, dev.port, mutation)
            assert dev.runs() == set(), origin
        rebind(browser, dev.port, mutation)
        navigate(browser, f"http://evil.test:{site}", dev.port, mutation)
        assert dev.runs() == set()
        assert planted(dev) == []

        planted_dbt(dev, tmp_path)
        run = the_ui_works(browser, dev)
        browser.close()
    eventually(lambda: dev.status(run) in ("SUCCESS", "FAILURE"), "the run that the UI started has ended")
    assert dev.status(run) == "SUCCESS", dev.log.read_text()[-3000:]
    assert dev.runs() == {run}

    tokens_are_the_codes(dev)
    it_ends(dev)


def launch_document(dev: Dev, job: str) -> str:
    """A mutation without variables."""
    selector = ", ".join(f'{name}: "{value}"' for name, value in dev.parameters(job)["selector"].items())
    return (
        f"mutation {{ launchRun(executionParams: {{selector: {{{selector}}}, runConfigData: {{}}}}) {{ __typename }} }}"
    )


def attack(browser: Any, origin: str, port: int, mutation: str) -> None:
    """All that a page can send."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(origin)
    target = {"target": f"http://localhost:{port}", "socket": f"ws://localhost:{port}"}
    said = page.evaluate(ATTACKS, {**target, "mutation": mutation, "query": "{ version }"})
    # what is sent without being answerable is counted by the runs that it starts
    assert said.pop("text") in ("sent", "refused")
    assert said.pop("text that says JSON") in ("sent", "refused")
    assert said.pop("JSON without CORS") in ("sent", "refused")
    assert said.pop("report") in ("sent", "refused")
    assert set(said.values()) == {"refused"}, said
    frames = [frame for frame in page.frames if frame != page.main_frame]
    assert len(frames) == 4  # of the three forms, and the UI's
    assert [frame.url for frame in frames if "Dagster" in frame.content()] == []
    context.close()


def rebind(browser: Any, port: int, mutation: str) -> None:
    """A page of a name that its owner now points here is of the same origin as the UI to the browser."""
    page = browser.new_page()
    answer = page.goto(f"http://evil.test:{port}/")
    assert answer.status == 421
    assert "VEELOCITY_UI_HOSTS" in answer.text()
    for query in (mutation, "{ version }"):
        status, text = page.evaluate(
            """async (query) => {
                const answer = await fetch("/graphql", {
                    method: "POST", headers: {"Content-Type": "application/json"}, body: JSON.stringify({query})});
                return [answer.status, await answer.text()];
            }""",
            query,
        )
        assert (status, "data" in text) == (421, False)
    page.close()


def navigate(browser: Any, origin: str, port: int, mutation: str) -> None:
    """A link leads into the UI, and a mutation in its address does nothing."""
    page = browser.new_page()
    page.goto(origin)
    for address, title in (("/runs", "Runs"), (f"/graphql?query={quote(mutation)}", "GraphiQL")):
        page.evaluate("(url) => { window.location = url; }", f"http://localhost:{port}{address}")
        page.wait_for_url(f"http://localhost:{port}/**")
        eventually(lambda title=title: title in page.title(), "a link leads into the UI")  # type: ignore[misc]
        page.goto(origin)
    page.close()


def planted(dev: Dev) -> list[Any]:
    """Assets that somebody reported and nobody defined."""
    document = "{ assetRecordsOrError { ... on AssetRecordConnection { assets { key { path } } } } }"
    found = dev.ask(document)["assetRecordsOrError"]["assets"]
    return [asset for asset in found if asset["key"]["path"] == ["planted"]]


def planted_dbt(dev: Dev, tmp_path: Path) -> None:
    """Whoever may start runs still names no executable, and reads no variable."""
    program = tmp_path / "planted"
    program.write_text(f"#!/bin/sh\ntouch {tmp_path}/executed\n")
    program.chmod(0o755)
    for job, config in (
        (REBUILD, {"resources": {"dbt": {"config": {"dbt_executable": str(program)}}}}),
        (REBUILD, {"resources": {"io_manager": {"config": {"base_dir": str(tmp_path)}}}}),
        (INCREMENTAL, {"ops": {"ingest_github": {"config": {"since": {"env": "GITHUB_TOKEN"}}}}}),
    ):
        answer = dev.ask(LAUNCH, parameters=dev.parameters(job, config))["launchRun"]
        assert answer["__typename"] == "RunConfigValidationInvalid", answer
        assert "s3cretOfTheCode" not in json.dumps(answer)
    assert not (tmp_path / "executed").exists()


def the_ui_works(browser: Any, dev: Dev) -> str:
    """Its pages, its GraphQL and its WebSocket pass; return the run that it started."""
    page = browser.new_page()
    complaints: list[str] = []
    received: list[str] = []
    page.on("response", lambda answer: complaints.append(answer.url) if answer.status >= 400 else None)
    page.on("websocket", lambda socket: socket.on("framereceived", lambda frame: received.append(str(frame))))
    page.goto(f"http://localhost:{dev.port}/asset-groups")
    page.get_by_text("raw_github_actions").first.wait_for(timeout=120_000)
    answer = page.evaluate(
        """async (body) => (await fetch("/graphql", {
            method: "POST", headers: {"Content-Type": "application/json"}, body})).json()""",
        json.dumps({"query": LAUNCH, "variables": {"parameters": dev.parameters(REBUILD)}}),
    )
    run = str(answer["data"]["launchRun"]["run"]["runId"])
    page.goto(f"http://localhost:{dev.port}/runs/{run}")
    eventually(lambda: "[SUCCESS]" in page.title(), "the page tells that the run succeeded")
    assert any("connection_ack" in frame for frame in received)
    assert any("PipelineRunLogsSubscriptionSuccess" in frame for frame in received)
    assert complaints == []
    page.close()
    return run


def tokens_are_the_codes(dev: Dev) -> None:
    """The daemon and the webserver know none of them."""
    knowing: dict[str, bool] = {}
    for process, command in dev.processes().items():
        with contextlib.suppress(FileNotFoundError):
            environment = Path(f"/proc/{process}/environ").read_bytes()
            for part in ("code-server", "dagster._daemon", "veelocity_pipeline.defs.webserver"):
                if part in command:
                    knowing[part] = b"s3cretOfTheCode" in environment
    assert knowing == {"code-server": True, "dagster._daemon": False, "veelocity_pipeline.defs.webserver": False}


def it_ends(dev: Dev) -> None:
    """All of it, when it is asked to."""
    processes = dev.processes()
    assert len(processes) >= 5
    dev.process.send_signal(signal.SIGTERM)
    assert dev.process.wait(60) == 0
    left = [command for process, command in processes.items() if is_running(process, command)]
    assert left == []


def is_running(process: int, command: str) -> bool:
    try:
        running = Path(f"/proc/{process}/cmdline").read_bytes().replace(b"\0", b" ").decode().strip()
    except FileNotFoundError:
        return False
    return running == command.strip()
