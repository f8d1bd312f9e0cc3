"""The simulated Linear behaves as Linear does."""

from __future__ import annotations

import itertools
from typing import Any

import httpx
import pytest

from veelocity_pipeline.simulator import Simulator

from .conftest import linear


def issues(simulator: Simulator, arguments: str, fields: str = "identifier updatedAt") -> list[dict[str, Any]]:
    """All issues that a listing has, page by page."""
    found: list[dict[str, Any]] = []
    after = "null"
    while True:
        page = f"pageInfo {{ hasNextPage endCursor }} nodes {{ {fields} }}"
        response = linear(simulator, f"{{ issues(first: 60, after: {after}, {arguments}) {{ {page} }} }}")
        assert response.status_code == 200, response.text
        connection = response.json()["data"]["issues"]
        found += connection["nodes"]
        if not connection["pageInfo"]["hasNextPage"]:
            return found
        after = f'"{connection["pageInfo"]["endCursor"]}"'


def test_archived_issues_come_only_when_asked_for(demo: Simulator) -> None:
    every = demo.organization.workspace.issues
    assert len(issues(demo, "includeArchived: true")) == len(every)
    assert len(issues(demo, "includeArchived: false")) == sum(each.archived_at is None for each in every) < len(every)


def test_order_is_newest_first(small: Simulator) -> None:
    times = [each["updatedAt"] for each in issues(small, "includeArchived: true, orderBy: updatedAt")]
    assert times == sorted(times, reverse=True)


def test_filters(demo: Simulator) -> None:
    every = demo.organization.workspace.issues
    since = sorted(each.updated_at for each in every)[-40]
    found = issues(
        demo,
        f'includeArchived: true, filter: {{updatedAt: {{gte: "{since.isoformat()}"}}, team: {{key: {{eq: "WEB"}}}}}}',
    )
    wanted = {each.identifier for each in every if each.updated_at >= since and each.team.key == "WEB"}
    assert {each["identifier"] for each in found} == wanted
    assert wanted


@pytest.mark.parametrize(
    "condition",
    [
        '{state: {type: {in: ["started"]}}}',
        '{labels: {name: {eqIgnoreCase: "incident"}}}',
        '{labels: {some: {name: {eq: "Incident"}}}}',
        "{or: [{priority: {eq: 1}}, {number: {lte: 3}}]}",
        "{assignee: {null: true}}",
        '{updatedAt: {gte: "-P2W"}}',
    ],
)
def test_conditions_choose_some(small: Simulator, condition: str) -> None:
    count = len(issues(small, f"includeArchived: true, filter: {condition}"))
    assert 0 < count < len(small.organization.workspace.issues)


def test_an_issue_answers_to_its_former_identifiers(demo: Simulator) -> None:
    moved = next(each for each in demo.organization.workspace.issues if each.previous_identifiers)
    query = "query ($id: String!) { issue(id: $id) { identifier previousIdentifiers number } }"
    body = linear(demo, query, id=moved.previous_identifiers[0]).json()
    assert body["data"]["issue"] == {
        "identifier": moved.identifier,
        "previousIdentifiers": moved.previous_identifiers,
        "number": moved.number,
    }


def test_an_issue_with_everything_on_it(demo: Simulator) -> None:
    issue = max(demo.organization.workspace.issues, key=lambda each: len(each.attachments) * 10 + len(each.history))
    query = """query ($id: String!) { issue(id: $id) { title branchName priority estimate trashed
        state { name type } assignee { name } team { key } labels { nodes { name } }
        history(first: 50) { nodes { createdAt fromStateId toStateId toState { type } actorId } }
        attachments { nodes { url sourceType metadata } } comments { nodes { createdAt user { id } } } } }"""
    found = linear(demo, query, id=issue.id).json()["data"]["issue"]
    assert found["title"] == issue.title
    assert found["branchName"].split("/")[1].startswith(issue.identifier.lower())
    assert [each["url"] for each in found["attachments"]["nodes"]][::-1] == [each.url for each in issue.attachments]
    changes = [each for each in reversed(found["history"]["nodes"]) if each["toStateId"]]
    assert changes[-1]["toStateId"] == issue.state.id
    for before, after in itertools.pairwise(changes):
        assert before["toStateId"] == after["fromStateId"]


def test_pull_requests_are_attached_by_their_address(demo: Simulator) -> None:
    urls = {
        f"https://github.com/{repository.full_name}/pull/{each.number}"
        for repository in demo.organization.repositories
        for each in repository.pull_requests
    }
    body = linear(demo, "{ attachments(first: 200) { nodes { url sourceType issue { identifier } } } }").json()
    nodes = body["data"]["attachments"]["nodes"]
    assert len(nodes) == 200
    assert {each["url"] for each in nodes} <= urls


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("teams", "id key name private"),
        ("users", "id name email active app"),
        ("workflowStates", "id name type position team { id }"),
        ("issueLabels", "id name team { id } parent { id } isGroup"),
        ("cycles", "id number startsAt endsAt completedAt team { key }"),
        ("projects", "id name state status { type } startedAt completedAt targetDate teams { nodes { key } }"),
        ("comments", "id createdAt issueId user { id }"),
    ],
)
def test_lists_of_the_workspace(demo: Simulator, name: str, fields: str) -> None:
    response = linear(demo, f"{{ {name}(first: 50) {{ nodes {{ {fields} }} pageInfo {{ hasNextPage }} }} }}")
    assert response.status_code == 200, response.text
    assert response.json()["data"][name]["nodes"]


def test_members_who_left_come_only_when_asked_for(demo: Simulator) -> None:
    present, every = (
        len(
            linear(demo, f"{{ users(first: 100, includeDisabled: {flag}) {{ nodes {{ id }} }} }}").json()["data"][
                "users"
            ]["nodes"]
        )
        for flag in ("false", "true")
    )
    assert (present, every) == (39, 41)


def test_complexity_is_counted_as_documented(fresh: Simulator) -> None:
    # 50 issues of one object and two properties each; hasNextPage is a property of no object that counts
    response = linear(fresh, "{ issues { nodes { id title } pageInfo { hasNextPage } } }")
    assert response.headers["x-complexity"] == "65"
    assert response.headers["x-ratelimit-complexity-remaining"] == str(250_000 - 65)
    assert response.headers["x-ratelimit-requests-remaining"] == "4999"
    assert fresh.log[-1].points == 65


def test_a_query_that_is_too_complex_is_refused(small: Simulator) -> None:
    nested = "{ issues(first: 100) { nodes { comments(first: 100) { nodes { id } } } } }"
    response = linear(small, nested)
    assert response.status_code == 400
    assert "too complex" in response.json()["errors"][0]["message"]


def test_a_page_that_is_too_large_is_refused(small: Simulator) -> None:
    errors = linear(small, "{ teams(first: 251) { nodes { id } } }").json()["errors"]
    assert "must not be greater than 250" in errors[0]["message"]
    assert errors[0]["extensions"]["code"] == "INPUT_ERROR"


def test_what_is_not_there_is_told(small: Simulator) -> None:
    errors = linear(small, '{ issue(id: "WEB-99999") { id } }').json()["errors"]
    assert errors[0]["message"] == "Entity not found: Issue"


@pytest.mark.parametrize("header", [{}, {"Authorization": "lin_api_nobody"}])
def test_a_key_is_needed(small: Simulator, header: dict[str, str]) -> None:
    response = httpx.post(small.linear_url, json={"query": "{ viewer { id } }"}, headers=header)
    assert response.status_code == 401
    assert response.json()["errors"][0]["extensions"]["code"] == "AUTHENTICATION_ERROR"


def test_numbers_are_whole_where_they_are(small: Simulator) -> None:
    response = linear(small, "{ issues(first: 5) { nodes { number estimate } } }")
    assert ".0" not in response.text
