"""Lists without end: cursors in a circle, ever-new ones, numbers on and on. Each ends, and costs its object alone."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from veelocity_pipeline.config.settings import Settings
from veelocity_pipeline.simulator import Simulator
from veelocity_pipeline.simulator.organization.code_host import Tag
from veelocity_pipeline.sources import SOURCES, Connector, Known, RefreshRequest, Scope, ScopeFailure
from veelocity_pipeline.sources.github import queries, trees
from veelocity_pipeline.sources.github.provider import GITHUB
from veelocity_pipeline.sources.github.tags import Tags
from veelocity_pipeline.sources.kit.http.client import Client
from veelocity_pipeline.sources.kit.http.errors import BadAnswerError, SourceError
from veelocity_pipeline.sources.kit.http.paging import Cursors, Pages

Endless = Callable[[], Iterator[str]]


class Nothing(Known):
    """Nothing is loaded yet."""

    def values(self, table: str, column: str, scope_id: str) -> set[Any]:
        return set()

    def rows(self, table: str, columns: Iterable[str], scope_id: str, where: str = "") -> list[dict[str, Any]]:
        return []


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    with Simulator(size="small") as made:
        yield made


@pytest.fixture
def configured(simulator: Simulator, settings: Callable[..., Settings]) -> Callable[..., Settings]:
    """Settings that lead to the simulator."""
    environment = simulator.environment()

    def make(**fields: Any) -> Settings:
        given = {
            "github_tokens": (environment["GITHUB_TOKEN"],),
            "github_api_url": environment["GITHUB_API_URL"],
            "github_repositories": tuple(environment["GITHUB_REPOSITORIES"].split(",")),
            "linear_api_key": environment["LINEAR_API_KEY"],
            "linear_api_url": environment["LINEAR_API_URL"],
        }
        return settings(**{**given, **fields})

    return make


def read_all(connector: Connector) -> dict[str, str]:
    """What became of each scope: an error, or nothing."""
    request = RefreshRequest()
    said = {}
    for scope in connector.scopes(request):
        if isinstance(scope, ScopeFailure):
            said[scope.name] = scope.error
            continue
        try:
            for _ in connector.read(scope, {}, request, Nothing()):
                pass
        except SourceError as error:
            said[scope.name] = str(error)
    return said


def spun(
    monkeypatch: pytest.MonkeyPatch,
    field: str,
    cursors: Iterator[str],
    about: str = "",
    change: Callable[[list[Any]], object] = lambda _nodes: None,
) -> None:
    """Have every list of that name in GraphQL's answers go on and on: after its end come pages without a row.

    Args:
        cursors: that lead on.
        about: in answers about this alone.
        change: what happens to the rows of such a list.
    """
    real = Client._graphql
    meant: dict[str, str] = {}

    def changed(self: Client, document: str, variables: Any, subject: str, *rest: Any) -> Any:
        forged = {name: meant[value] for name, value in variables.items() if isinstance(value, str) and value in meant}
        data, errors, lost = real(self, document, {**variables, **forged}, subject, *rest)
        if about in subject:
            walk(data, next(iter(forged.values()), None))
        return data, errors, lost

    def walk(value: Any, after: str | None) -> None:
        for name, inner in list(value.items() if isinstance(value, dict) else enumerate(value)):
            if isinstance(inner, dict | list):
                walk(inner, after)
            if name == field and isinstance(inner, dict) and "pageInfo" in inner:
                change(inner["nodes"])
                end = inner["pageInfo"]["endCursor"] or after
                if end is not None:
                    forged = next(cursors)
                    meant[forged] = end
                    inner["pageInfo"] = {"hasNextPage": True, "endCursor": forged}

    monkeypatch.setattr(Client, "_graphql", changed)


def circle() -> Iterator[str]:
    """A, B, A, B."""
    return itertools.cycle("AB")


def onward() -> Iterator[str]:
    """Ever-new ones."""
    return (f"cursor{number}" for number in itertools.count())


@pytest.mark.parametrize("cursors", [circle, onward])
@pytest.mark.parametrize(
    "field", ["pullRequests", "issues", "refs", "releases", "deployments", "history", "reviews", "commits", "labels"]
)
def test_cursors_without_end_cost_their_repository(
    configured: Callable[..., Settings],
    monkeypatch: pytest.MonkeyPatch,
    field: str,
    cursors: Endless,
) -> None:
    made = configured()
    first = made.github_repositories[0]
    connector = SOURCES["github"].connector(made)
    spun(monkeypatch, field, cursors(), first)
    said = read_all(connector)
    if field in ("refs", "releases", "deployments"):
        assert said == {}  # these are read until there is as much as there is
    else:
        assert set(said) == {first}
        assert "do not end" in said[first]
    assert connector.client.requests < 150


def test_ever_new_rows_are_read_no_further_than_there_are(
    configured: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = configured()
    first = made.github_repositories[0]
    connector = SOURCES["github"].connector(made)
    numbers = itertools.count()

    def grow(nodes: list[Any]) -> None:
        nodes[:] = [{**some[0], "id": f"I_{next(numbers)}"} for _ in range(50)]

    some: list[Any] = []

    def keep(nodes: list[Any]) -> None:
        some[:] = some or nodes
        grow(nodes)

    spun(monkeypatch, "issues", onward(), first, keep)
    said = read_all(connector)
    assert set(said) == {first}
    assert "in all, and they brought" in said[first]


@pytest.mark.parametrize("cursors", [circle, onward])
def test_an_owners_repositories_without_end_cost_the_owner_alone(
    configured: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch, cursors: Endless
) -> None:
    named = configured().github_repositories[1]
    connector = SOURCES["github"].connector(configured(github_repositories=("acme/*", named)))
    spun(monkeypatch, "repositories", cursors(), "acme/*")
    found = connector.scopes(RefreshRequest())
    assert isinstance(found[0], Scope)
    assert found[0].configured_as == named
    (failure,) = [item for item in found if isinstance(item, ScopeFailure)]
    assert failure.name == "acme/*"
    assert "pages of the repositories of acme do not end" in failure.error
    assert connector.client.requests < 20


@pytest.mark.parametrize("cursors", [circle, onward])
@pytest.mark.parametrize("field", ["teams", "users", "issueLabels", "issues", "comments", "history"])
def test_linears_cursors_without_end_end(
    configured: Callable[..., Settings],
    monkeypatch: pytest.MonkeyPatch,
    field: str,
    cursors: Endless,
) -> None:
    connector = SOURCES["linear"].connector(configured())
    spun(monkeypatch, field, cursors())
    if field in ("teams", "users", "issueLabels"):
        with pytest.raises(BadAnswerError, match="do not end"):
            connector.scopes(RefreshRequest())
    else:
        said = read_all(connector)
        assert said
        assert all("do not end" in error for error in said.values())
    assert connector.client.requests < 150


# --------------------------------------------------------------------------------------------------- REST


def rest(answer: Callable[[int, httpx.URL], tuple[Any, str]]) -> tuple[Client, list[httpx.URL]]:
    """A client of an API that answers the ``n``-th request with a body and where the next page is."""
    asked: list[httpx.URL] = []

    def respond(request: httpx.Request) -> httpx.Response:
        asked.append(request.url)
        body, following = answer(len(asked), request.url)
        headers = {"link": f'<{following}>; rel="next"'} if following else {}
        return httpx.Response(200, json=body, headers=headers)

    client = Client(
        "https://api.test",
        "https://api.test/graphql",
        [SecretStr("t")],
        transport=httpx.MockTransport(respond),
        provider=GITHUB,
    )
    return client, asked


def page(number: int) -> str:
    return f"https://api.test/things?page={number}"


def test_pages_end_where_there_are_no_more_whatever_follows() -> None:
    client, asked = rest(lambda n, _: ({"total_count": 3, "things": [{"id": 2 * n}, {"id": 2 * n + 1}]}, page(n + 1)))
    assert len(list(client.pages("/things", items_key="things"))) == 2
    assert len(asked) == 2


def test_an_empty_page_is_the_last() -> None:
    client, asked = rest(lambda n, _: ([{"id": n}] if n < 3 else [], page(n + 1)))
    assert list(client.pages("/things")) == [[{"id": 1}], [{"id": 2}], []]
    assert len(asked) == 3


def test_pages_that_bring_what_is_there_end_with_a_sentence() -> None:
    client, asked = rest(lambda n, _: ({"total_count": 10_000, "things": [{"id": 1}]}, page(n + 1)))
    with pytest.raises(BadAnswerError, match="GitHub's pages of acme/web do not end: what they bring is there already"):
        list(client.pages("/things", items_key="things", about="acme/web"))
    assert len(asked) == 2
    # a proxy that drops the Link header, and does not know which page is asked for
    client, asked = rest(lambda *_: ({"total_count": 10_000, "things": [{"id": 1}]}, ""))
    with pytest.raises(BadAnswerError, match="do not end"):
        list(client.pages("/things", items_key="things"))
    assert len(asked) == 2


def test_a_list_that_does_not_say_how_long_it_is_ends_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("veelocity_pipeline.sources.kit.http.rest.MOST_LISTED", 20)
    client, asked = rest(lambda n, _: ([{"id": n}], page(n + 1)))
    with pytest.raises(BadAnswerError, match="do not end: there were 20"):
        list(client.pages("/things"))
    assert len(asked) == 21


def tampered(
    monkeypatch: pytest.MonkeyPatch, path: str, change: Callable[[Any], Any], *, is_stuck: bool = False
) -> None:
    """Have REST's answers at such paths changed, and say of each that another page follows.

    Args:
        is_stuck: the first page comes whatever is asked for.
    """
    real = Client._send
    numbers = itertools.count(2)

    def changed(self: Client, method: str, url: str, *rest: Any, **named: Any) -> Any:
        if path not in url:
            return real(self, method, url, *rest, **named)
        asked = str(httpx.URL(url).copy_remove_param("page")) if is_stuck else url
        response, body, account = real(self, method, asked, *rest, **named)
        response.headers["link"] = f'<{response.url.copy_set_param("page", next(numbers))}>; rel="next"'
        return response, change(body), account

    monkeypatch.setattr(Client, "_send", changed)


@pytest.mark.parametrize("path", ["/actions/workflows", "/actions/runs?"])
def test_lists_of_actions_end(configured: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    made = configured()
    first = made.github_repositories[0]
    connector = SOURCES["github_actions"].connector(made)
    tampered(monkeypatch, f"{first}{path}", lambda body: {**body, "total_count": 900}, is_stuck=True)
    said = read_all(connector)
    assert set(said) == {first}
    assert "do not end: what they bring is there already" in said[first]
    assert connector.client.requests < 100


def test_pages_of_actions_end_with_the_total(
    configured: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    connector = SOURCES["github_actions"].connector(configured())
    read_all(connector)
    usual = connector.client.requests
    tampered(monkeypatch, "/actions/", lambda body: body)
    connector = SOURCES["github_actions"].connector(configured())
    assert read_all(connector) == {}
    assert connector.client.requests == usual


def test_a_run_of_a_billion_attempts_is_refused(
    configured: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = configured(deployments={"workflow_patterns": ("/./",), "exclude_patterns": ()})
    connector = SOURCES["github_actions"].connector(made)

    def tried(body: Any) -> Any:
        for run in body["workflow_runs"]:
            run["run_attempt"] = 10**9
        return body

    tampered(monkeypatch, f"{made.github_repositories[0]}/actions/runs?", tried)
    said = read_all(connector)
    assert set(said) == {made.github_repositories[0]}
    assert "1,000,000,000" in said[made.github_repositories[0]]


def test_windows_of_runs_hold_no_more_than_there_are(
    configured: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each window says that it holds as much as one may, and brings new runs."""
    made = configured()
    first = made.github_repositories[0]
    connector = SOURCES["github_actions"].connector(made)
    asked, numbers = itertools.count(), itertools.count(10**6)

    def more(body: Any) -> Any:
        nodes = [{**node, "id": next(numbers)} for node in body["workflow_runs"][:1]] or body["workflow_runs"]
        return {"total_count": 2_000 if next(asked) == 0 else 1_000, "workflow_runs": nodes}

    tampered(monkeypatch, f"{first}/actions/runs?", more)
    said = read_all(connector)
    assert set(said) <= {first}
    assert connector.client.requests < 600


def test_folders_that_lead_on_and_on_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trees, "MOST_DEEP", 20)

    def tree(n: int, url: httpx.URL) -> tuple[Any, str]:
        deep = {"path": "a", "mode": "040000", "type": "tree", "sha": f"{n:040x}"}
        return {"sha": "x", "tree": [deep], "truncated": "recursive" in url.params}, ""

    client, asked = rest(tree)
    with pytest.raises(BadAnswerError, match="acme/web: the folders of a commit lead on and on"):
        trees.changed_paths(client, "acme/web", "1", "2")
    assert len(asked) < 100


def test_tags_of_tags_without_end_are_refused(
    configured: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch, simulator: Simulator
) -> None:
    repository = simulator.organization.repositories[0]
    assert repository.head is not None
    numbers = itertools.count()

    def tag() -> dict[str, Any]:
        number = next(numbers)
        return {"__typename": "Tag", "id": f"TAG{number}", "oid": f"{number:040x}"}

    real = Client.graphql_partial
    peeled = Tags.peeled

    def deeper(self: Client, document: str, variables: Any = None, **named: Any) -> Any:
        if document == queries.TAG_TARGETS:
            return {"nodes": [{"id": key, "target": tag()} for key in variables["ids"]]}, []
        return real(self, document, variables, **named)

    monkeypatch.setattr(Client, "graphql_partial", deeper)
    monkeypatch.setattr(
        Tags,
        "peeled",
        lambda self, refs: peeled(self, [{**ref, "target": tag()} for ref in refs]),
    )
    at = simulator.now
    repository.tags.append(Tag("T", repository, "v", repository.head, True, simulator.organization.viewer, at))
    try:
        said = read_all(SOURCES["github"].connector(configured()))
    finally:
        repository.tags.pop()
    assert set(said) == {repository.full_name}
    assert "leads to other tags without end" in said[repository.full_name]


# ---------------------------------------------------------------------------------------------- by itself


def test_what_a_list_brings_is_counted_once() -> None:
    pages = Pages("GitHub", "things", most=5, most_barren=2)
    pages.note([{"id": 1}, {"oid": "a"}, {"name": "x"}, {}, 7])
    pages.note([{"id": 1}, {"oid": "a"}, {"name": "x"}, {"id": "1"}])
    assert pages.brought == 6
    pages.note([{"id": 1}])
    with pytest.raises(BadAnswerError, match="is there already"):
        pages.note([])


def test_a_cursor_may_be_none_of_those_before_and_must_be_one() -> None:
    cursors = Cursors("Linear", "issues")

    def connection(cursor: Any, more: bool = True) -> dict[str, Any]:
        return {"pageInfo": {"hasNextPage": more, "endCursor": cursor}, "nodes": [{"id": str(cursor)}]}

    assert [cursors.following(connection(name)) for name in "AB"] == ["A", "B"]
    assert Cursors("Linear", "issues").following(connection(None, more=False)) is None
    wrong: tuple[Any, ...] = ("A", None, "", {}, 0)
    for bad in wrong:
        with pytest.raises(BadAnswerError, match="comes again"):
            cursors.following(connection(bad))
    with pytest.raises(BadAnswerError, match="does not say whether"):
        cursors.following({})
