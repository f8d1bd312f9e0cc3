"""The server itself: faults on a script, limits, the log, settings, the program."""

from __future__ import annotations

import subprocess
import sys
import time
import tomllib

import httpx
import pytest

from veelocity_pipeline.simulator import Fault, Simulator

from .conftest import github, graphql, linear

QUERY = '{ repository(owner: "acme", name: "web") { id pullRequests(first: 10) { nodes { number } } } }'
RUNS = "/repos/acme/web/actions/runs"


@pytest.mark.parametrize(
    ("kind", "status", "told"),
    [
        ("502", 502, "Bad Gateway"),
        ("not_json", 200, "<html>"),
        ("forbidden", 403, "Resource not accessible"),
        ("not_found", 404, "Not Found"),
        ("unauthorized", 401, "Bad credentials"),
        ("primary_limit", 403, "API rate limit exceeded"),
        ("secondary_limit", 403, "secondary rate limit"),
    ],
)
def test_faults_of_rest(fresh: Simulator, kind: str, status: int, told: str) -> None:
    fresh.faults.append(Fault(kind))
    with github(fresh) as client:
        spoiled, fine = client.get(RUNS), client.get(RUNS)
    assert spoiled.status_code == status
    assert told in spoiled.text
    assert fine.status_code == 200
    if kind == "primary_limit":
        assert spoiled.headers["x-ratelimit-remaining"] == "0"
        assert int(spoiled.headers["x-ratelimit-reset"]) == int(fresh.now.timestamp())
    if kind == "secondary_limit":
        assert spoiled.headers["retry-after"] == "0"


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [
        ("forbidden", 200, "FORBIDDEN"),
        ("not_found", 200, "NOT_FOUND"),
        ("primary_limit", 200, "RATE_LIMITED"),
        ("partial", 200, "RESOURCE_LIMITS_EXCEEDED"),
        ("secondary_limit", 403, "secondary rate limit"),
        ("502", 502, "Bad Gateway"),
        ("unauthorized", 401, "Bad credentials"),
    ],
)
def test_faults_of_graphql(fresh: Simulator, kind: str, status: int, code: str) -> None:
    fresh.faults.append(Fault(kind))
    with github(fresh) as client:
        spoiled = client.post("/graphql", json={"query": QUERY})
    assert spoiled.status_code == status
    assert code in spoiled.text
    assert "errors" not in graphql(fresh, QUERY)


def test_partial_data_lacks_half(fresh: Simulator) -> None:
    fresh.faults.append(Fault("partial"))
    nodes = graphql(fresh, QUERY)["data"]["repository"]["pullRequests"]["nodes"]
    assert [each is None for each in nodes] == [False] * 5 + [True] * 5


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [
        ("primary_limit", 400, "RATELIMITED"),
        ("unauthorized", 401, "AUTHENTICATION_ERROR"),
        ("forbidden", 200, "FORBIDDEN"),
        ("partial", 200, "INTERNAL_SERVER_ERROR"),
    ],
)
def test_faults_of_linear(fresh: Simulator, kind: str, status: int, code: str) -> None:
    fresh.faults.append(Fault(kind))
    spoiled = linear(fresh, "{ issues { nodes { id } } }")
    assert spoiled.status_code == status
    assert spoiled.json()["errors"][0]["extensions"]["code"] == code
    if kind == "primary_limit":
        assert spoiled.headers["x-ratelimit-requests-remaining"] == "0"
        assert int(spoiled.headers["x-ratelimit-requests-reset"]) == fresh.now.timestamp() * 1000
    assert linear(fresh, "{ issues { nodes { id } } }").status_code == 200


def test_a_dropped_connection(fresh: Simulator) -> None:
    fresh.faults.append(Fault("drop"))
    with github(fresh) as client:
        with pytest.raises(httpx.RemoteProtocolError):
            client.get(RUNS)
        assert client.get(RUNS).status_code == 200


def test_a_slow_answer(fresh: Simulator) -> None:
    fresh.faults.append(Fault("slow", seconds=0.05))
    with github(fresh) as client:
        response = client.get(RUNS)
    assert response.status_code == 200
    assert response.elapsed.total_seconds() >= 0.05


def test_a_fault_meets_what_it_matches_after_so_many_and_so_often(fresh: Simulator) -> None:
    fresh.faults.append(Fault("502", match="acme/web/actions", after=1, times=2))
    with github(fresh) as client:
        assert client.get("/repos/acme/api/actions/runs").status_code == 200
        assert [client.get(RUNS).status_code for _ in range(4)] == [200, 502, 502, 200]


def test_a_fault_matches_variables_and_names_of_operations(fresh: Simulator) -> None:
    fresh.faults += [Fault("502", match='"name": "api"'), Fault("502", match="slowOne")]
    query = 'query slowOne($name: String!) { repository(owner: "acme", name: $name) { id } }'
    with github(fresh) as client:
        statuses = [
            client.post(
                "/graphql", json={"query": query.replace("slowOne", name), "variables": {"name": repository}}
            ).status_code
            for name, repository in (("quick", "web"), ("quick", "api"), ("slowOne", "web"), ("slowOne", "web"))
        ]
    assert statuses == [200, 502, 502, 200]


def test_a_rate_spoils_the_same_requests_in_whatever_order_they_come(fresh: Simulator) -> None:
    paths = [f"{RUNS}?page={number}" for number in range(1, 81)]

    def spoilt(order: list[str], seed: int) -> set[str]:
        fresh.faults[:] = [Fault("504", rate=0.25, seed=seed)]
        with github(fresh) as client:
            return {path for path in order if client.get(path).status_code == 504}

    met = spoilt(paths, 1)
    assert 8 <= len(met) <= 32
    assert spoilt(paths[::-1], 1) == met
    assert spoilt(paths, 2) != met


@pytest.mark.parametrize("kind", ["bare", "garbled"])
def test_an_answer_may_come_without_good_headers(fresh: Simulator, kind: str) -> None:
    with github(fresh) as client:
        good = client.get(f"{RUNS}?per_page=1")
        fresh.faults.append(Fault(kind))
        bad = client.get(f"{RUNS}?per_page=1")
    assert bad.json() == good.json()
    told = {"date", "link", "etag", "x-ratelimit-remaining", "x-ratelimit-reset"}
    assert told <= good.headers.keys()
    assert {bad.headers.get(name) for name in told} == {None if kind == "bare" else "soon"}


@pytest.mark.parametrize(
    ("fault", "status", "after"),
    [
        (Fault("secondary_limit", retry_after=7), 403, "7"),
        (Fault("secondary_limit", retry_after=None), 403, None),
        (Fault("abuse"), 403, None),
        (Fault("empty"), 200, None),
        (Fault("not_modified"), 304, None),
        (Fault("504"), 504, None),
    ],
    ids=lambda value: value.kind if isinstance(value, Fault) else "",
)
def test_what_faults_answer(fresh: Simulator, fault: Fault, status: int, after: str | None) -> None:
    fresh.faults.append(fault)
    with github(fresh) as client:
        response = client.get(RUNS)
    assert (response.status_code, response.headers.get("retry-after")) == (status, after)
    assert bool(response.content) == (fault.kind not in ("empty", "not_modified"))


def test_each_list_may_give_its_first_item_twice(fresh: Simulator) -> None:
    document = """query { repository(owner: "acme", name: "web") { pullRequests(first: 2) {
        pageInfo { endCursor } nodes { id commits(first: 1) { pageInfo { endCursor } nodes { id } } } } } }"""
    fresh.faults.append(Fault("duplicated", times=2))
    with github(fresh) as client:
        page = client.post("/graphql", json={"query": document}).json()["data"]["repository"]["pullRequests"]["nodes"]
        runs = client.get(f"{RUNS}?per_page=2").json()["workflow_runs"]
    assert [len(page), len({node["id"] for node in page})] == [3, 2]
    assert page[0] == page[1]
    assert len({node["id"] for node in page[2]["commits"]["nodes"]}) == 1
    assert [run["id"] == runs[0]["id"] for run in runs] == [True, True, False]


def test_something_may_change_between_two_pages(fresh: Simulator) -> None:
    fresh.faults.append(Fault("moved", match="pullRequests", times=30))
    document = """query { repository(owner: "acme", name: "web") {
        pullRequests(first: 1, orderBy: {field: UPDATED_AT, direction: DESC}) { nodes { id updatedAt } } } }"""
    with github(fresh) as client:
        answers = [client.post("/graphql", json={"query": document}).json()["data"] for _ in range(20)]
    firsts = [answer["repository"]["pullRequests"]["nodes"][0] for answer in answers]
    assert len({node["id"] for node in firsts}) > 1
    assert firsts[-1]["updatedAt"] == f"{fresh.now:%Y-%m-%dT%H:%M:%SZ}"


def test_an_unknown_fault_is_refused() -> None:
    with pytest.raises(ValueError, match="kind must be one of 502, 504, drop"):
        Fault("flood")


def test_a_spent_hour_is_refused_once(fresh: Simulator) -> None:
    purse = fresh.purse("core", fresh.environment()["GITHUB_TOKEN"], 5_000)
    purse.used = 4_999
    with github(fresh) as client:
        statuses = [client.get("/user").status_code for _ in range(3)]
    assert statuses == [200, 403, 200]


def test_the_log_has_every_request(fresh: Simulator) -> None:
    with github(fresh) as client:
        client.get(f"{RUNS}?per_page=1")
        client.post("/graphql", json={"query": f"query shop {QUERY}", "operationName": "shop"})
    linear(fresh, "{ viewer { id } }")
    assert [(each.api, each.method, each.path, each.status, each.operation) for each in fresh.log] == [
        ("rest", "GET", f"{RUNS}?per_page=1", 200, ""),
        ("graphql", "POST", "/graphql", 200, "shop"),
        ("linear", "POST", "/graphql", 200, "viewer"),
    ]


def test_environment_names_the_settings_and_nothing_else(demo: Simulator) -> None:
    environment = demo.environment()
    assert environment.keys() == {
        "GITHUB_TOKEN",
        "GITHUB_API_URL",
        "GITHUB_REPOSITORIES",
        "LINEAR_API_KEY",
        "LINEAR_API_URL",
    }
    names = environment["GITHUB_REPOSITORIES"].split(",")
    assert len(names) == 9
    assert "acme/docs" in names  # the former name


def test_configuration_fits_the_organisation(demo: Simulator) -> None:
    told = tomllib.loads(demo.configuration())
    assert told["people"]["bots"] == ["acme-ci"]
    assert [each["name"] for each in told["services"]] == ["checkout", "billing"]
    logins = {each.login for each in demo.organization.accounts}
    keys = {each.key for each in demo.organization.workspace.teams}
    for team in told["teams"]:
        assert set(team["members"]) <= logins
        assert set(team["linear_teams"]) <= keys
        assert all(demo.organization.repository(name) for name in team["repositories"])


def test_two_simulators_answer_the_same(fresh: Simulator, small: Simulator) -> None:
    first, second = graphql(fresh, QUERY), graphql(small, QUERY)
    assert first == second


def test_the_program_serves_what_it_prints(tmp_path: object) -> None:
    command = [sys.executable, "-m", "veelocity_pipeline.simulator", "--port", "0", "--size", "small"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        told = dict(process.stdout.readline().strip().split("=", 1) for _ in range(5))
        try:
            headers = {"Authorization": f"Bearer {told['GITHUB_TOKEN']}"}
            for _ in range(100):
                try:
                    answer = httpx.get(f"{told['GITHUB_API_URL']}/user", headers=headers)
                    break
                except httpx.ConnectError:
                    time.sleep(0.05)
            assert answer.status_code == 200
        finally:
            process.terminate()
            process.wait(timeout=10)


def test_a_taken_port_is_told() -> None:
    with Simulator(size="small") as taken:
        port = taken.github_url.split(":")[2].split("/")[0]
        command = [sys.executable, "-m", "veelocity_pipeline.simulator", "--port", port, "--size", "small"]
        told = subprocess.run(command, capture_output=True, text=True, check=False)
    assert told.returncode == 2
    assert told.stderr.startswith(f"port {port} cannot be listened on")
    assert "choose another one with --port" in told.stderr
