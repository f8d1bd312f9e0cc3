"""One small and one demo organisation for all tests that only read; tests that change things make their own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from veelocity_pipeline.simulator import Simulator

Ask = Callable[..., dict[str, Any]]


@pytest.fixture(scope="session")
def small() -> Iterator[Simulator]:
    """The small organisation, as it is at the fixed moment. Read only."""
    with Simulator(size="small") as simulator:
        yield simulator


@pytest.fixture(scope="session")
def demo() -> Iterator[Simulator]:
    """The demo's organisation, as it is at the fixed moment. Read only."""
    with Simulator(size="demo") as simulator:
        yield simulator


@pytest.fixture
def fresh() -> Iterator[Simulator]:
    """A small organisation of the test's own."""
    with Simulator(size="small") as simulator:
        yield simulator


def github(simulator: Simulator) -> httpx.Client:
    """A client with the simulated token; relative addresses are REST's."""
    headers = {"Authorization": f"Bearer {simulator.environment()['GITHUB_TOKEN']}"}
    return httpx.Client(base_url=simulator.github_url, headers=headers, timeout=30)


def graphql(simulator: Simulator, query: str, **variables: Any) -> dict[str, Any]:
    """The whole body of a GraphQL answer of the simulated GitHub."""
    with github(simulator) as client:
        response = client.post("/graphql", json={"query": query, "variables": variables})
    assert response.status_code == 200, response.text
    body: dict[str, Any] = response.json()
    return body


def linear(simulator: Simulator, query: str, **variables: Any) -> httpx.Response:
    """An answer of the simulated Linear."""
    headers = {"Authorization": simulator.environment()["LINEAR_API_KEY"]}
    body = {"query": query, "variables": variables}
    return httpx.post(simulator.linear_url, headers=headers, json=body, timeout=30)
