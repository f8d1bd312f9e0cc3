"""The simulated GitHub's GraphQL behaves as GitHub's does."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from veelocity_pipeline.simulator import Simulator

from .conftest import github, graphql

PAGE = "pageInfo { hasNextPage hasPreviousPage startCursor endCursor }"


def pages(simulator: Simulator, query: str, *path: str, **variables: Any) -> list[Any]:
    """All nodes of a connection, page by page."""
    found: list[Any] = []
    after = None
    while True:
        body = graphql(simulator, query, after=after, **variables)
        assert "errors" not in body, body["errors"]
        connection = body["data"]
        for name in path:
            connection = connection[name]
        found += connection["nodes"]
        if not connection["pageInfo"]["hasNextPage"]:
            return found
        after = connection["pageInfo"]["endCursor"]


# -- pages


@pytest.mark.parametrize("direction", ["ASC", "DESC"])
def test_pages_hold_every_pull_request_once_in_order(small: Simulator, direction: str) -> None:
    query = """
        query ($after: String, $direction: OrderDirection!) {
          repository(owner: "acme", name: "web") {
            pullRequests(first: 7, after: $after, orderBy: {field: UPDATED_AT, direction: $direction}) {
              pageInfo { hasNextPage endCursor } nodes { number updatedAt }
            }
          }
        }"""
    nodes = pages(small, query, "repository", "pullRequests", direction=direction)
    times = [each["updatedAt"] for each in nodes]
    assert times == sorted(times, reverse=direction == "DESC")
    assert sorted(each["number"] for each in nodes) == sorted(
        each.number for each in small.organization.repositories[0].pull_requests
    )


def test_what_moves_while_one_pages_is_met_again_not_missed(fresh: Simulator) -> None:
    query = f"""
        query ($after: String) {{ repository(owner: "acme", name: "web") {{
          pullRequests(first: 20, after: $after, orderBy: {{field: UPDATED_AT, direction: ASC}}) {{
            {PAGE} nodes {{ number }} }} }} }}"""
    known = {each.number for each in fresh.organization.repositories[0].pull_requests}
    first = graphql(fresh, query)["data"]["repository"]["pullRequests"]
    seen = {each["number"] for each in first["nodes"]}
    fresh.advance(days=2)
    after = first["pageInfo"]["endCursor"]
    while after:
        page = graphql(fresh, query, after=after)["data"]["repository"]["pullRequests"]
        seen |= {each["number"] for each in page["nodes"]}
        after = page["pageInfo"]["endCursor"] if page["pageInfo"]["hasNextPage"] else None
    assert known <= seen


def test_last_and_before_go_backwards(small: Simulator) -> None:
    query = f"""query ($before: String) {{ repository(owner: "acme", name: "web") {{
        pullRequests(last: 3, before: $before) {{ totalCount {PAGE} nodes {{ number }} }} }} }}"""
    numbers = [each.number for each in small.organization.repositories[0].pull_requests]
    last = graphql(small, query)["data"]["repository"]["pullRequests"]
    assert [each["number"] for each in last["nodes"]] == numbers[-3:]
    assert last["totalCount"] == len(numbers)
    assert last["pageInfo"]["hasNextPage"] is False
    assert last["pageInfo"]["hasPreviousPage"] is True
    before = graphql(small, query, before=last["pageInfo"]["startCursor"])["data"]["repository"]["pullRequests"]
    assert [each["number"] for each in before["nodes"]] == numbers[-6:-3]


@pytest.mark.parametrize(
    ("field", "kind", "message"),
    [
        ("pullRequests { nodes { id } }", "MISSING_PAGINATION_BOUNDARIES", "You must provide a `first` or `last`"),
        ("pullRequests(first: 101) { nodes { id } }", "EXCESSIVE_PAGINATION", "exceeds the `first` limit of 100"),
        ("pullRequests(first: 0) { nodes { id } }", "INVALID_PAGINATION_BOUNDARIES", "must be a positive integer"),
        (
            "pullRequests(first: 100) { nodes { reviews(first: 100) { nodes {"
            " comments(first: 100) { totalCount } } } } }",
            "MAX_NODE_LIMIT_EXCEEDED",
            "1,010,100 possible nodes which exceeds the maximum limit of 500,000",
        ),
    ],
)
def test_too_much_or_nothing_is_refused(small: Simulator, field: str, kind: str, message: str) -> None:
    body = graphql(small, f'{{ repository(owner: "acme", name: "web") {{ {field} }} }}')
    assert body["errors"][0]["type"] == kind
    assert message in body["errors"][0]["message"]
    assert "data" not in body


def test_counting_needs_no_page(small: Simulator) -> None:
    body = graphql(small, '{ repository(owner: "acme", name: "web") { pullRequests { totalCount } } }')
    count = len(small.organization.repositories[0].pull_requests)
    assert body["data"]["repository"]["pullRequests"]["totalCount"] == count


def test_a_cursor_of_nobody_is_refused(small: Simulator) -> None:
    body = graphql(
        small, '{ repository(owner: "acme", name: "web") { pullRequests(first: 1, after: "x") { nodes { id } } } }'
    )
    assert body["errors"][0]["type"] == "INVALID_CURSOR_ARGUMENTS"


@pytest.mark.parametrize(
    ("query", "points", "nodes"),
    [
        # GitHub's own example of its documentation: 100 repositories, 50 issues each, 60 labels each.
        (
            "{ viewer { repositories(first: 100) { nodes { issues(first: 50) { nodes {"
            " labels(first: 60) { nodes { id } } } } } } } }",
            51,
            None,  # 1 + 100 + 5,000 requests
        ),
        ('{ repository(owner: "acme", name: "web") { id } }', 1, 0),
        (
            '{ repository(owner: "acme", name: "web") { pullRequests(first: 50) { nodes {'
            " reviews(first: 50) { nodes { id } } } } } }",
            1,
            2_550,
        ),
        (
            '{ nodes(ids: ["a", "b"]) { ... on PullRequest { reviews(first: 10) { nodes {'
            " comments(first: 30) { nodes { id } } } } } } }",
            1,
            620,
        ),
    ],
)
def test_costs_are_counted_as_documented(small: Simulator, query: str, points: int, nodes: int | None) -> None:
    from graphql import parse

    from veelocity_pipeline.simulator.cost import count
    from veelocity_pipeline.simulator.github.graphql import engine

    cost = count(engine().schema, parse(query), {}, None, must_page=True)
    assert cost.points == points
    assert nodes is None or cost.nodes == nodes


def test_rate_limit_is_told_and_spent(fresh: Simulator) -> None:
    query = "{ rateLimit { cost limit remaining used nodeCount resetAt } }"
    first, second = (graphql(fresh, query)["data"]["rateLimit"] for _ in range(2))
    assert first == {
        "cost": 1,
        "limit": 5_000,
        "remaining": 4_999,
        "used": 1,
        "nodeCount": 0,
        "resetAt": "2026-09-30T13:00:00Z",
    }
    assert second["remaining"] == 4_998
    assert [each.points for each in fresh.log] == [1, 1]


# -- finding things


def test_a_former_name_still_answers(demo: Simulator) -> None:
    found = graphql(demo, '{ repository(owner: "ACME", name: "docs") { nameWithOwner } }')
    assert found["data"]["repository"]["nameWithOwner"] == "acme/handbook"
    strict = graphql(demo, '{ repository(owner: "acme", name: "docs", followRenames: false) { id } }')
    assert strict["errors"][0]["type"] == "NOT_FOUND"


def test_one_unknown_repository_leaves_the_others(small: Simulator) -> None:
    query = '{ a: repository(owner: "acme", name: "web") { id } b: repository(owner: "acme", name: "nothing") { id } }'
    body = graphql(small, query)
    assert body["data"]["a"]["id"] == small.organization.repositories[0].id
    assert body["data"]["b"] is None
    assert body["errors"] == [
        {
            "type": "NOT_FOUND",
            "path": ["b"],
            "locations": [{"line": 1, "column": 52}],
            "message": "Could not resolve to a Repository with the name 'acme/nothing'.",
        }
    ]


def test_many_repositories_in_one_request(demo: Simulator) -> None:
    names = [each.name for each in demo.organization.repositories]
    fields = " ".join(f'r{i}: repository(owner: "acme", name: "{name}") {{ pushedAt }}' for i, name in enumerate(names))
    body = graphql(demo, f"{{ rateLimit {{ cost }} {fields} }}")
    assert len(body["data"]) == len(names) + 1
    assert body["data"]["rateLimit"]["cost"] == 1


def test_nodes_come_in_the_order_asked_for(small: Simulator) -> None:
    web = small.organization.repositories[0]
    ids = [web.pull_requests[3].id, "nothing", web.pull_requests[1].id]
    query = "query ($ids: [ID!]!) { nodes(ids: $ids) { __typename id ... on PullRequest { number } } }"
    body = graphql(small, query, ids=ids)
    assert [each and each["number"] for each in body["data"]["nodes"]] == [
        web.pull_requests[3].number,
        None,
        web.pull_requests[1].number,
    ]
    assert body["errors"][0]["type"] == "NOT_FOUND"


def test_the_rest_of_a_long_list_is_followed_from_its_node(small: Simulator) -> None:
    giant = max(small.organization.repositories[0].pull_requests, key=lambda each: len(each.reviews))
    query = f"""query ($id: ID!, $after: String) {{ node(id: $id) {{ ... on PullRequest {{
        reviews(first: 50, after: $after) {{ {PAGE} nodes {{ id comments(first: 100) {{ totalCount {PAGE} }} }} }}
        }} }} }}"""
    nodes = pages(small, query, "node", "reviews", id=giant.id)
    assert [each["id"] for each in nodes] == [each.id for each in giant.reviews]
    assert max(each["comments"]["totalCount"] for each in nodes) == 105


def test_a_deleted_account_is_nobody(demo: Simulator) -> None:
    pull_request = next(
        each for repo in demo.organization.repositories for each in repo.pull_requests if each.author.deleted_at
    )
    query = """query ($id: ID!) { node(id: $id) { ... on PullRequest { author { login }
        commits(first: 1) { nodes { commit { author { name email user { login } } } } } } } }"""
    node = graphql(demo, query, id=pull_request.id)["data"]["node"]
    assert node["author"] is None
    author = node["commits"]["nodes"][0]["commit"]["author"]
    assert author == {"name": pull_request.author.name, "email": pull_request.author.email, "user": None}


def test_bots_are_bots(demo: Simulator) -> None:
    pull_request = next(
        each for each in demo.organization.repositories[0].pull_requests if each.author.login == "dependabot"
    )
    query = "query ($id: ID!) { node(id: $id) { ... on PullRequest { author { __typename login } } } }"
    assert graphql(demo, query, id=pull_request.id)["data"]["node"]["author"] == {
        "__typename": "Bot",
        "login": "dependabot",
    }


def test_merge_commit_only_where_merged(small: Simulator) -> None:
    query = """{ repository(owner: "acme", name: "web") { pullRequests(first: 100) {
        nodes { state merged mergedAt mergeCommit { oid } } } } }"""
    for node in graphql(small, query)["data"]["repository"]["pullRequests"]["nodes"]:
        assert node["merged"] == (node["state"] == "MERGED") == (node["mergedAt"] is not None)
        assert (node["mergeCommit"] is not None) == node["merged"]


def test_timeline_items_are_of_the_types_asked_for(demo: Simulator) -> None:
    pull_request = next(
        each
        for each in demo.organization.repositories[0].pull_requests
        if [event.kind for event in each.events].count("ReadyForReviewEvent") == 2
    )
    query = """query ($id: ID!) { node(id: $id) { ... on PullRequest {
        timelineItems(first: 50, itemTypes: [READY_FOR_REVIEW_EVENT, CONVERT_TO_DRAFT_EVENT]) {
          nodes { __typename ... on ReadyForReviewEvent { createdAt actor { login } } } } } } }"""
    nodes = graphql(demo, query, id=pull_request.id)["data"]["node"]["timelineItems"]["nodes"]
    assert [each["__typename"] for each in nodes] == [
        "ReadyForReviewEvent",
        "ConvertToDraftEvent",
        "ReadyForReviewEvent",
    ]
    assert nodes[0]["actor"] == {"login": pull_request.author.login}


def test_a_review_that_is_not_sent_is_shown_without_a_time(small: Simulator) -> None:
    query = """{ repository(owner: "acme", name: "web") { pullRequests(last: 20) {
        nodes { reviews(first: 100, states: [PENDING]) { nodes { state submittedAt } } } } } }"""
    nodes = graphql(small, query)["data"]["repository"]["pullRequests"]["nodes"]
    pending = [review for each in nodes for review in each["reviews"]["nodes"]]
    assert {"state": "PENDING", "submittedAt": None} in pending


# -- history


def test_history_is_everything_reachable_newest_first(demo: Simulator) -> None:
    mobile = next(each for each in demo.organization.repositories if each.name == "mobile")
    query = f"""query ($after: String) {{ repository(owner: "acme", name: "mobile") {{ defaultBranchRef {{ target {{
        ... on Commit {{ history(first: 100, after: $after) {{ {PAGE} nodes {{ oid committedDate
        parents(first: 5) {{ nodes {{ oid }} }} }} }} }} }} }} }} }}"""
    nodes = pages(demo, query, "repository", "defaultBranchRef", "target", "history")
    place = {each["oid"]: number for number, each in enumerate(nodes)}
    assert len(place) == len(nodes)
    assert nodes[0]["oid"] == mobile.branches["main"].sha
    for each in nodes:
        assert all(place[parent["oid"]] > place[each["oid"]] for parent in each["parents"]["nodes"])
    merged = [each for each in mobile.pull_requests if each.state == "MERGED" and each.base_branch == "main"]
    assert {entry.commit.sha for each in merged for entry in each.commits} <= place.keys()


def test_since_misses_what_was_dated_before_and_merged_after(demo: Simulator) -> None:
    """As at GitHub: the date is the commit's, not the merge's."""
    mobile = next(each for each in demo.organization.repositories if each.name == "mobile")
    late = next(
        each
        for each in reversed(mobile.pull_requests)
        if each.merged_at and each.merged_at.date() > each.commits[0].commit.committed_at.date()
    )
    assert late.merged_at is not None
    query = """query ($since: GitTimestamp!) { repository(owner: "acme", name: "mobile") { object(expression: "main") {
        ... on Commit { history(first: 100, since: $since) { nodes { oid } } } } } }"""
    since = late.merged_at.isoformat()
    nodes = graphql(demo, query, since=since)["data"]["repository"]["object"]["history"]["nodes"]
    found = {each["oid"] for each in nodes}
    assert late.merge_commit is not None
    assert late.merge_commit.sha in found
    assert late.commits[0].commit.sha not in found


def test_commits_know_their_pull_requests(small: Simulator) -> None:
    api = small.organization.repositories[1]
    merged = next(each for each in api.pull_requests if each.merge_commit)
    assert merged.merge_commit is not None
    query = """query ($oid: GitObjectID!) { repository(owner: "acme", name: "api") { object(oid: $oid) {
        ... on Commit { associatedPullRequests(first: 5) { nodes { number } } } } } }"""
    found = graphql(small, query, oid=merged.merge_commit.sha)["data"]["repository"]["object"]
    assert found["associatedPullRequests"]["nodes"] == [{"number": merged.number}]


def test_tags_and_their_commits(demo: Simulator) -> None:
    query = f"""query ($after: String) {{ repository(owner: "acme", name: "mobile") {{
        refs(refPrefix: "refs/tags/", first: 100, after: $after) {{ {PAGE} nodes {{ name target {{ __typename oid
        ... on Tag {{ target {{ oid }} }} }} }} }} }} }}"""
    nodes = pages(demo, query, "repository", "refs")
    shas = {
        each["name"]: (each["target"]["target"] if each["target"]["__typename"] == "Tag" else each["target"])["oid"]
        for each in nodes
    }
    mobile = next(each for each in demo.organization.repositories if each.name == "mobile")
    assert shas == {tag.name: tag.commit.sha for tag in mobile.tags}
    assert {each["target"]["__typename"] for each in nodes} == {"Tag", "Commit"}


# -- issues, deployments, releases


def test_issues_since(demo: Simulator) -> None:
    sdk = next(each for each in demo.organization.repositories if each.name == "sdk-python")
    since = sorted(each.updated_at for each in sdk.issues)[-5]
    query = """query ($since: DateTime) { repository(owner: "acme", name: "sdk-python") {
        issues(first: 100, filterBy: {since: $since}, orderBy: {field: UPDATED_AT, direction: DESC}) {
          nodes { number updatedAt stateReason } } } }"""
    nodes = graphql(demo, query, since=since.isoformat())["data"]["repository"]["issues"]["nodes"]
    assert sorted(each["number"] for each in nodes) == sorted(
        each.number for each in sdk.issues if each.updated_at >= since
    )


def test_deployments_tell_their_runs(demo: Simulator) -> None:
    query = """{ repository(owner: "acme", name: "api") {
        deployments(first: 20, environments: ["production"], orderBy: {field: CREATED_AT, direction: DESC}) {
          nodes { state environment commitOid statuses(first: 10) { nodes { state logUrl createdAt } } } } } }"""
    nodes = graphql(demo, query)["data"]["repository"]["deployments"]["nodes"]
    assert len(nodes) == 20
    assert {each["environment"] for each in nodes} == {"production"}
    assert nodes[0]["statuses"]["nodes"][0]["logUrl"].startswith("https://github.com/acme/api/actions/runs/")
    assert sum(each["state"] == "ACTIVE" for each in nodes) == 1
    for each in nodes:
        times = [status["createdAt"] for status in each["statuses"]["nodes"]]
        assert times == sorted(times, reverse=True)


def test_drafts_have_no_tag(demo: Simulator) -> None:
    query = """{ repository(owner: "acme", name: "mobile") {
        releases(last: 100, orderBy: {field: CREATED_AT, direction: DESC}) {
          nodes { tagName isDraft isPrerelease publishedAt tagCommit { oid } } } } }"""
    nodes = graphql(demo, query)["data"]["repository"]["releases"]["nodes"]
    drafts = [each for each in nodes if each["isDraft"]]
    assert [each["tagName"] for each in drafts] == ["v9.0.0"]
    assert drafts[0]["publishedAt"] is None
    assert drafts[0]["tagCommit"] is None
    assert all(each["tagCommit"] and each["publishedAt"] for each in nodes if not each["isDraft"])


# -- requests


def test_a_document_that_is_not_valid_is_refused(small: Simulator) -> None:
    body = graphql(small, "{ repository(owner: 1) { nothing } }")
    assert "data" not in body
    assert any("nothing" in each["message"] for each in body["errors"])


def test_a_body_that_is_not_json_is_refused(small: Simulator) -> None:
    with github(small) as client:
        assert client.post("/graphql", content=b"{").status_code == 400


@pytest.mark.parametrize("header", [{}, {"Authorization": "Bearer nobody"}, {"Authorization": "Basic abc"}])
def test_credentials_are_needed(small: Simulator, header: dict[str, str]) -> None:
    response = httpx.post(f"{small.github_url}/graphql", json={"query": "{ viewer { login } }"}, headers=header)
    assert response.status_code == 401
    assert response.json()["message"]


def test_a_page_of_fifty_with_all_children_is_quick(demo: Simulator) -> None:
    """Far below the ten seconds that GitHub allows itself, on any machine."""
    query = """{ repository(owner: "acme", name: "web") { pullRequests(first: 50) { nodes { id title author { login }
        reviews(first: 50) { nodes { id state comments(first: 30) { nodes { id body createdAt } } } }
        commits(first: 50) { nodes { commit { oid message parents(first: 5) { nodes { oid } } } } } } } } }"""
    with github(demo) as client:
        response = client.post("/graphql", json={"query": query})
    assert len(response.json()["data"]["repository"]["pullRequests"]["nodes"]) == 50
    assert response.elapsed.total_seconds() < 5
