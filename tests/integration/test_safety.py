"""What a whole refresh lets out: no secret in what it writes, no connection but to the APIs, no request but reads."""

from __future__ import annotations

import base64
import gzip
import os
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from subprocess import CompletedProcess
from typing import cast
from urllib.parse import quote

import dagster as dg
import duckdb
import pytest
from graphql import OperationDefinitionNode, OperationType, parse

from tests.conftest import veelocity
from veelocity_pipeline.simulator import Fault, LoggedRequest, SimulatedApp, Simulator
from veelocity_pipeline.simulator.github.face import GITHUB_TOKEN
from veelocity_pipeline.simulator.linear.face import LINEAR_KEY
from veelocity_pipeline.simulator.organization.whole import Organization
from veelocity_pipeline.sources.github import queries as github_queries
from veelocity_pipeline.warehouse.home import Home

SPY = """
import logging, os, pwd, sys

def hook(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo"):
        where = arguments[1] if event == "socket.connect" else arguments[:2]
        with open(os.environ["SPY_LOG"], "a") as log:
            log.write(f"{event}\\t{where!r}\\n")

sys.addaudithook(hook)

def unknown(*_):
    raise KeyError("getpwuid(): uid not found")

pwd.getpwuid = pwd.getpwnam = unknown  # as in a container that is given a user of its own
if "SPY_VERBOSE" in os.environ and "dbt" not in sys.argv[0]:
    logging.basicConfig(level=logging.DEBUG, stream=sys.__stderr__)
"""
"""Writes down every connection and every look-up of a name, and lets every library say all that it can say."""

TOKENS = (GITHUB_TOKEN[:13] + "R3cognisableToken0000one", GITHUB_TOKEN[:13] + "R3cognisableToken0000two")
KEY = LINEAR_KEY[:17] + "R3cognisableKey000000000"
SIGNATURE = "eyJhbGciOi"
"""How every JSON Web Token begins whose header names its algorithm first."""


@dataclass
class Ran:
    """What two refreshes of one home left behind."""

    home: Home
    said: str
    results: list[CompletedProcess[str]]
    connections: list[str]
    requests: list[LoggedRequest]
    documents: set[str]
    secrets: list[str]
    port: int


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ran]:
    """A refresh in which much goes wrong, and one that makes it good, with all the secrets that there can be.

    In the first one servers in between repeat what they were sent, in refusals and in headers; and somebody who knows
    the secrets wrote them into titles.
    """
    folder = tmp_path_factory.mktemp("safety")
    (folder / "sitecustomize.py").write_text(SPY)
    (folder / "connections").touch()
    home = Home(folder / "home")
    documents: set[str] = set()
    with Simulator(size="small") as simulator:
        simulator.github.app = app = SimulatedApp()
        for engine in (simulator.github.engine, simulator.linear.engine):
            prepare = engine.prepare

            def watched(query: str, prepare=prepare):  # type: ignore[no-untyped-def]
                documents.add(query)
                return prepare(query)

            engine.prepare = watched  # type: ignore[method-assign]
        names = simulator.environment()["GITHUB_REPOSITORIES"]
        tell_secrets(simulator.organization)
        environment = {
            **simulator.environment(),
            "GITHUB_TOKEN": ",".join(TOKENS),
            "GITHUB_APP_ID": app.id,
            "GITHUB_APP_PRIVATE_KEY": app.private_key.replace("\n", "\\n"),
            "GITHUB_REPOSITORIES": f"{names},globex/nothing",
            "LINEAR_API_KEY": KEY,
            "VEELOCITY_HOME": str(home.path),
            "VEELOCITY_ENV_FILE": os.devnull,
            "PYTHONPATH": str(folder),
            "SPY_LOG": str(folder / "connections"),
            **dict.fromkeys(("USER", "LOGNAME", "USERNAME", "LNAME"), ""),
        }
        simulator.faults += [
            Fault("not_json", match="/actions/workflows", times=3),
            Fault("drop", match="pullRequests", after=1),
            Fault("502", match="issues", after=2),
            Fault("parrot", match="/actions/workflows", times=9),
            Fault("echo", match="/actions/runs", times=1),
            Fault("echo", match="globex", times=9),  # each token is asked
            Fault("echo", match="/linear/graphql", times=1),
        ]
        umask = os.umask(0)
        results = [veelocity("refresh", **environment, SPY_VERBOSE="1", RUNTIME__LOG_LEVEL="DEBUG")]
        os.umask(umask)
        simulator.faults.clear()
        simulator.advance(days=2)  # the App's first token is too old by now
        results.append(veelocity("refresh", **environment))
        body = [line for line in app.private_key.splitlines() if not line.startswith("-----")]
        yield Ran(
            home,
            "".join(result.stdout + result.stderr for result in results),
            results,
            sorted(set((folder / "connections").read_text().splitlines())),
            list(simulator.log),
            documents,
            [*TOKENS, KEY, *app.issued, SIGNATURE, "PRIVATE KEY", *body[:-1]],
            simulator._port,
        )


def tell_secrets(organization: Organization) -> None:
    """Write secrets into titles of what GitHub and Linear list."""
    for token, pull_request in zip(TOKENS, organization.repositories[0].pull_requests, strict=False):
        pull_request.title = f"Deploy: use {token} here"
        pull_request.body = f"Basic {base64.b64encode(f'x-access-token:{token}'.encode()).decode()}"
    organization.workspace.issues[0].title = f"Linear: use {KEY} here"


def ways(secret: str) -> set[bytes]:
    """How a secret may be written: as it is, in URLs, in JSON, in hexadecimal, in base64 wherever it began."""
    data = secret.encode()
    found = {data, quote(secret, safe="").encode(), data.hex().encode(), data.hex().upper().encode()}
    found |= {"".join(f"%{byte:02{case}}" for byte in data).encode() for case in "xX"}
    found |= {"".join(f"\\u{ord(each):04{case}}" for each in secret).encode() for case in "xX"}
    for ahead in range(3):
        encoded = base64.b64encode(b"x" * ahead + data)
        # without the characters that depend on what is beside it
        found.add(encoded[(0, 2, 3)[ahead] : len(encoded) // 4 * 4 - 4])
    return found


def written(home: Home) -> Iterator[tuple[str, bytes]]:
    """Everything under the home: files as they are and unpacked, every text of every table."""
    for path in sorted(home.path.rglob("*")):
        if not path.is_file():
            continue
        content = path.read_bytes()
        yield str(path), content
        if content[:2] == b"\x1f\x8b":
            yield f"{path} unpacked", gzip.decompress(content)
        if path == home.report:
            packed = re.findall(rb'data-name="[^"]+">([^<]+)', content)
            yield f"{path} unpacked", b"\n".join(gzip.decompress(base64.b64decode(text)) for text in packed)
        if path.suffix == ".parquet":
            rows = duckdb.sql(f"select * from read_parquet('{path}')").fetchall()
            yield f"{path} rows", repr(rows).encode()
    for file in (home.working, home.published):
        with duckdb.connect(str(file), read_only=True) as connection:
            tables = connection.execute("select schema_name, table_name from duckdb_tables()").fetchall()
            for schema, table in tables:
                rows = connection.execute(f'select * from "{schema}"."{table}"').fetchall()
                yield f"{file.name} {schema}.{table}", repr(rows).encode()
                if table == "_dlt_pipeline_state":
                    states = connection.execute(f'select state from "{schema}"."{table}"').fetchall()
                    unpacked = [zlib.decompress(base64.b64decode(state)) for (state,) in states]
                    yield f"{file.name} {schema}.{table} unpacked", b"\n".join(unpacked)


def test_no_secret_is_in_anything_that_a_run_wrote(ran: Ran) -> None:
    assert [result.returncode for result in ran.results] == [1, 1], ran.said[-3000:]  # the echoes; globex/nothing
    assert "The refresh failed" not in ran.said
    assert "Traceback" not in ran.said.replace("DEBUG", "")
    # what was repeated did arrive, and was told
    assert len(re.findall(r"not allowed: Bearer \*\*\* \*\*\* \{", ran.said)) >= 2, ran.said[-5000:]
    found, places = [], dict(written(ran.home))
    sought = {way: secret for secret in ran.secrets for way in ways(secret)}
    for place, content in {**places, "stdout and stderr": ran.said.encode()}.items():
        found += [f"{secret[:6]}… as {way[:9]!r} in {place}" for way, secret in sought.items() if way in content]
    assert found == []
    titles = b"".join(content for place, content in places.items() if "pull_requests" in place or "issues" in place)
    assert b"use *** here" in titles
    assert b"Basic ***" in titles
    # the search does find what is there: plain, in a table, in dlt's packed state, in Dagster's event log
    holding = [place for place, content in places.items() if b"acme/web" in content]
    assert any("raw_github.pull_requests" in place for place in holding)
    assert any("_dlt_pipeline_state unpacked" in place for place in holding)
    assert any(str(ran.home.dagster) in place for place in holding)
    assert {str(ran.home.report), f"{ran.home.report} unpacked"} <= set(holding)
    assert "httpcore" in ran.said + (ran.home.path / "refresh.log").read_text()  # they did say all they can


def test_a_run_that_could_not_read_all_succeeds_and_its_checks_say_what(ran: Ran) -> None:
    """So that all else is built and published, and an alert has what it is about."""
    with dg.DagsterInstance.from_config(str(ran.home.dagster)) as instance:
        runs = instance.get_runs(ascending=True)
        assert [run.status for run in runs] == [dg.DagsterRunStatus.SUCCESS] * 2
        logs = [instance.all_logs(run.run_id, of_type={dg.DagsterEventType.ASSET_CHECK_EVALUATION}) for run in runs]
    failed = [
        {(check.asset_key.path[0], check.check_name) for check in map(evaluation, entries) if not check.passed}
        for entries in logs
    ]
    everything = {("github", "read_completely"), ("github_actions", "read_completely"), ("linear", "read_completely")}
    assert failed == [everything, everything - {("linear", "read_completely")}]


def evaluation(entry: dg.EventLogEntry) -> dg.AssetCheckEvaluation:
    """The check that an event tells of."""
    assert entry.dagster_event is not None
    return cast(dg.AssetCheckEvaluation, entry.dagster_event.event_specific_data)


def test_others_can_read_what_is_published_and_nothing_else(ran: Ran) -> None:
    """Whatever Dagster, dlt, dbt and SQLite make, too, and whatever the umask of who calls it."""
    made = {ran.home.path, *ran.home.path.rglob("*")}
    assert {path for path in made if path.lstat().st_mode & 0o077} == {ran.home.path, ran.home.published}
    assert len(made) > 50


def test_nothing_is_connected_to_but_the_apis(ran: Ran) -> None:
    assert any("127.0.0.1" in line for line in ran.connections)
    outside = [
        line
        for line in ran.connections
        if not line.startswith((f"socket.connect\t('127.0.0.1', {ran.port}", "socket.getaddrinfo\t('127.0.0.1', "))
        and "'/" not in line  # a socket in the file system
    ]
    assert outside == []


def test_every_request_is_a_read(ran: Ran) -> None:
    others = {
        (entry.method, entry.path)
        for entry in ran.requests
        if entry.method != "GET" and not (entry.method == "POST" and entry.path == "/graphql")
    }
    assert {path.rpartition("/")[2] for _, path in others} == {"access_tokens"}
    assert len(ran.documents) >= 8
    for document in ran.documents:
        assert kinds(document) == {OperationType.QUERY}


def test_every_document_is_a_query() -> None:
    for document in github_queries.DOCUMENTS.values():
        assert kinds(document) == {OperationType.QUERY}


def kinds(document: str) -> set[OperationType]:
    """What the operations of a document are."""
    return {each.operation for each in parse(document).definitions if isinstance(each, OperationDefinitionNode)}
