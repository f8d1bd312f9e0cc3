"""GitHub: every list is read to its end, however long, and a read that was cut off goes on where it was."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from veelocity_pipeline.config.settings import Settings
from veelocity_pipeline.simulator import Fault, Simulator
from veelocity_pipeline.simulator.github import objects, refs
from veelocity_pipeline.simulator.organization.code_host import (
    Commit,
    Deployment,
    DeploymentStatus,
    Release,
    Repository,
    Review,
    ReviewComment,
    Tag,
)
from veelocity_pipeline.sources.github import ENTRY, deployments, issues, pulls, queries, tags
from veelocity_pipeline.sources.kit.follow import changes
from veelocity_pipeline.sources.kit.http import client as http

from .conftest import RawWarehouse
from .test_github import differences, settings_of

New = Callable[[str], RawWarehouse]


class Asked(Fault):
    """No fault: keeps the requests that match."""

    def __init__(self, match: str) -> None:
        super().__init__("slow", match)
        self.requests: list[str] = []

    def meets(self, request: str) -> bool:
        if self.match in request:
            self.requests.append(request)
        return False


@pytest.fixture
def simulator(monkeypatch: pytest.MonkeyPatch) -> Iterator[Simulator]:
    """A small organisation of the test's own; waits take no time."""
    real = http.Client.__init__

    def patient(self: http.Client, *arguments: Any, **named: Any) -> None:
        real(self, *arguments, **{**named, "sleep": lambda _seconds: None})

    monkeypatch.setattr(http.Client, "__init__", patient)
    with Simulator(size="small") as made:
        yield made


def refresh(warehouse: RawWarehouse, settings: Settings, **named: Any) -> None:
    errors = [outcome.error for outcome in warehouse.refresh(ENTRY, settings, **named) if outcome.error]
    assert errors == []


# ------------------------------------------------------------------------------------------------ long lists


def touch(commit: Commit, count: int) -> list[str]:
    commit.paths[:] = [f"src/part{number % 40}/file{number}.py" for number in range(count)]
    return sorted(commit.paths)


def test_a_commit_and_a_pull_request_of_more_files_than_github_lists(
    simulator: Simulator, new_warehouse: New, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository = simulator.organization.repositories[0]
    direct = next(each for each in reversed(repository.commits.values()) if not each.pull_requests and each.parents)
    pull_request = next(each for each in reversed(repository.pull_requests) if each.state == "OPEN")
    paths = {direct.id: touch(direct, 3_205), pull_request.id: touch(pull_request.commits[0].commit, 3_105)}
    paths[pull_request.id] = sorted(pull_request.paths)
    settings = settings_of(simulator)
    for limit in (100_000, 2_000):
        # With the lower limit no tree is listed whole with all below it, and folder after folder is walked.
        monkeypatch.setattr("veelocity_pipeline.simulator.github.trees.MOST_ENTRIES", limit)
        warehouse = new_warehouse(f"home{limit}")
        refresh(warehouse, settings)
        read = warehouse.rows("select path from raw_github.commit_files where commit_id = '" + direct.id + "'")
        assert sorted(path for (path,) in read) == paths[direct.id]
        read = warehouse.rows(
            f"select path from raw_github.pull_request_files where pull_request_id = '{pull_request.id}'"
        )
        assert sorted(path for (path,) in read) == paths[pull_request.id]


def test_a_folder_that_cannot_be_listed_costs_the_paths_of_its_commit(
    simulator: Simulator, new_warehouse: New, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository = simulator.organization.repositories[0]
    direct = next(each for each in reversed(repository.commits.values()) if not each.pull_requests and each.parents)
    touch(direct, 3_205)
    monkeypatch.setattr("veelocity_pipeline.simulator.github.trees.MOST_ENTRIES", 30)
    outcomes = new_warehouse("home").refresh(ENTRY, settings_of(simulator))
    assert {outcome.error for outcome in outcomes} == {None}
    (skipped,) = [outcome for outcome in outcomes if outcome.skipped]
    assert (skipped.table, skipped.scope_name, skipped.skipped) == ("commit_files", repository.full_name, 1)
    assert f"{repository.full_name}: the folder src/" in (skipped.skipped_example or "")


def test_lists_within_lists_are_followed_at_both_levels(simulator: Simulator, new_warehouse: New) -> None:
    repository = simulator.organization.repositories[0]
    pull_request = repository.pull_requests[-1]
    author, now = simulator.organization.viewer, simulator.now

    def review(number: int) -> Review:
        return Review(f"PRR_{number}", number, pull_request, author, "COMMENTED", "", None, now, now, now)

    pull_request.reviews += [review(number) for number in range(108)]
    simulator.organization.nodes.update((each.id, each) for each in pull_request.reviews)
    # One on the first page, and one that only comes with the rest.
    for number in (3, 77):
        one = pull_request.reviews[number - 108]
        one.comments += [
            ReviewComment(f"PRRC_{number}_{each}", each, one, author, "why?", "a.py", now, now) for each in range(101)
        ]
    pull_request.updated_at = now
    warehouse = new_warehouse("home")
    refresh(warehouse, settings_of(simulator))
    key = f"where pull_request_id = '{pull_request.id}'"
    assert warehouse.rows(f"select count(*) from raw_github.pull_request_reviews {key}") == [
        (sum(each.submitted_at is not None for each in pull_request.reviews),)
    ]
    found = warehouse.rows(
        f"""select review_id, count(distinct id), count(*) from raw_github.pull_request_review_comments {key}
            group by 1 having count(*) > 50 order by 1"""
    )
    assert found == [("PRR_3", 101, 101), ("PRR_77", 101, 101)]


def test_a_tag_of_a_tag_of_a_tag_and_so_on_leads_to_its_commit(
    simulator: Simulator, new_warehouse: New, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository = simulator.organization.repositories[0]
    assert repository.head is not None
    tag = Tag("T_deep", repository, "v-deep", repository.head, True, simulator.organization.viewer, simulator.now)
    repository.tags.append(tag)
    real = refs.tag_ref

    def deep(each: Tag) -> objects.Ref:
        ref = real(each)
        if each is tag:
            simulator.organization.nodes[ref.target.id] = ref.target
            for level in range(8):
                outer = objects.TagObject(tag)
                outer.id, outer.oid, outer.target = f"TO_{level}", f"{level:040}", ref.target
                simulator.organization.nodes[outer.id] = outer
                ref = replace(ref, target=outer)
        return ref

    def when(ref: objects.Ref) -> Any:
        return repository.head.committed_at  # type: ignore[union-attr]

    monkeypatch.setattr(refs, "tag_ref", deep)
    monkeypatch.setattr(objects.TagObject, "committed_at", property(when), raising=False)
    warehouse = new_warehouse("home")
    refresh(warehouse, settings_of(simulator))
    assert warehouse.rows("select sha from raw_github.tags where name = 'v-deep'") == [(repository.head.sha,)]


@pytest.mark.parametrize(
    ("field", "text"),
    [("pullRequests", "pullRequests in"), ("history", "the history of"), ("reviews", "reviews of")],
)
def test_pages_that_do_not_end_are_said_and_stop_this_repository_alone(
    field: str, text: str, simulator: Simulator, new_warehouse: New, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queries, "PULL_REQUESTS_PER_PAGE", 3)
    monkeypatch.setattr(queries, "COMMITS_PER_PAGE", 3)
    names = settings_of(simulator).github_repositories
    real = http.Client._graphql
    cursors: list[str] = []

    def endless(self: http.Client, document: str, variables: Any, about: str, *rest: Any) -> Any:
        data, errors, lost = real(self, document, variables, about, *rest)
        if about == names[0]:
            spin(data)
        return data, errors, lost

    def spin(value: Any) -> None:
        for name, inner in value.items() if isinstance(value, dict) else enumerate(value):
            if name == field and isinstance(inner, dict) and "pageInfo" in inner:
                cursors.extend(filter(None, [inner["pageInfo"]["endCursor"]]))
                inner["pageInfo"] = {"hasNextPage": True, "endCursor": cursors[0] if cursors else "Y3Vyc29yOjE="}
            if isinstance(inner, dict | list):
                spin(inner)

    monkeypatch.setattr(http.Client, "_graphql", endless)
    outcomes = new_warehouse("home").refresh(ENTRY, settings_of(simulator))
    errors = {(outcome.scope_name, outcome.error) for outcome in outcomes if outcome.error}
    ((name, error),) = errors
    assert name == names[0]
    assert text in error
    assert "do not end" in error


# ---------------------------------------------------------------------------------------------- deployments


def deploy(simulator: Simulator, repository: Repository, number: int, **fields: Any) -> Deployment:
    at = simulator.now - timedelta(days=300 - number)
    assert repository.head is not None
    made = Deployment(
        f"OURS-{number}",
        number,
        repository,
        fields.pop("environment", "production"),
        "deploy",
        "main",
        repository.head,
        simulator.organization.viewer,
        "",
        at,
        at,
    )
    settle(simulator, made, "success", at)
    repository.deployments.append(made)
    simulator.organization.nodes[made.id] = made
    return made


def settle(simulator: Simulator, deployment: Deployment, state: str, at: Any) -> None:
    number = len(deployment.statuses)
    deployment.statuses.append(
        DeploymentStatus(
            f"{deployment.id}S{number}", number, deployment, state, simulator.organization.viewer, "", "", "", at, at
        )
    )
    deployment.updated_at = at


def test_every_deployment_that_a_new_one_replaced_is_seen_and_no_other_is_asked(
    simulator: Simulator, new_warehouse: New
) -> None:
    repository = simulator.organization.repositories[0]
    old = [deploy(simulator, repository, number) for number in range(60)]
    for number in range(60, 200):
        deploy(simulator, repository, number, environment="elsewhere")
    settings = settings_of(simulator, services=())
    warehouse = new_warehouse("home")
    refresh(warehouse, settings)

    # One that leaves the others as they are: the newest few of its environment are looked at.
    deploy(simulator, repository, 290)
    asked = Asked("deploymentsById")
    simulator.faults.append(asked)
    refresh(warehouse, settings)
    assert len(asked.requests) == 1
    assert 0 < asked.requests[0].count("OURS-") <= deployments.MOST_REPLACED

    # One that replaces all earlier ones, as GitHub does by itself where an environment is none of production.
    deploy(simulator, repository, 291)
    for each in (*old, repository.deployments[-2]):
        settle(simulator, each, "inactive", simulator.now)
    asked.requests.clear()
    refresh(warehouse, settings)
    assert len(asked.requests) == 2
    assert warehouse.rows(
        """select environment, state, count(*) from raw_github.deployments where id like 'OURS-%'
           group by all order by all"""
    ) == [("elsewhere", "ACTIVE", 140), ("production", "ACTIVE", 1), ("production", "INACTIVE", 61)]


# ------------------------------------------------------------------------------------------------ resumption


def grow(simulator: Simulator) -> None:
    """More of what a small organisation has little of."""
    repository = simulator.organization.repositories[0]
    commits = list(repository.commits.values())
    viewer = simulator.organization.viewer
    for number in range(40):
        at = simulator.now - timedelta(days=90 - number)
        tag = Tag(f"REF_{number}", repository, f"v{number}", commits[number], False, viewer, at)
        repository.tags.append(tag)
        release = Release(
            f"RE_{number}", number, repository, f"v{number}", tag.name, tag, viewer, "", False, False, at, at, at
        )
        repository.releases.append(release)
        simulator.organization.nodes[release.id] = release
        deploy(simulator, repository, number)


LISTS = {
    "commits": "query commits(",
    "pull requests": "query pullRequests(",
    "issues": "query issues(",
    "tags": "query tags(",
    "releases": "query releases(",
    "deployments": "query deployments(",
    "files of commits": "/commits/",
}


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PULL_REQUESTS", "ISSUES", "COMMITS", "TAGS", "RELEASES", "DEPLOYMENTS"):
        monkeypatch.setattr(queries, f"{name}_PER_PAGE", 4)
    monkeypatch.setattr(tags, "TAGS_PER_CHECKPOINT", 4)
    monkeypatch.setattr(changes, "FIRST_OF_INCREMENT", 4)
    monkeypatch.setattr(pulls.PullRequests, "first", 4)
    monkeypatch.setattr(issues.Issues, "first", 4)


@pytest.mark.usefixtures("small_pages")
@pytest.mark.parametrize("kind", ["first", "full", "increment"])
def test_a_read_that_was_cut_off_in_any_list_goes_on_at_the_page(
    kind: str, simulator: Simulator, new_warehouse: New
) -> None:
    """One read after the other, each cut off in the middle of the next list."""
    cut, clean = new_warehouse("cut"), new_warehouse("clean")
    web = simulator.environment()["GITHUB_REPOSITORIES"].split(",")[0]
    settings = settings_of(simulator, github_repositories=(web,))
    is_full = kind == "full"
    if kind == "increment":
        for warehouse in (cut, clean):
            refresh(warehouse, settings)
        simulator.advance(days=40)
    grow(simulator)
    if is_full:
        for warehouse in (cut, clean):
            refresh(warehouse, settings)
    asked = {name: Asked(match) for name, match in LISTS.items()}
    simulator.faults.extend(asked.values())
    refresh(clean, settings, full=is_full)
    counts = {name: len(each.requests) for name, each in asked.items() if len(each.requests) >= 3}
    assert len(counts) >= 6, counts

    lists = list(counts)
    for name in lists:
        asked[name].requests.clear()
    for number, name in enumerate(lists):
        later = [Fault("forbidden", LISTS[each], times=1_000) for each in lists[number + 1 :]]
        simulator.faults[:0] = [Fault("forbidden", LISTS[name], after=counts[name] // 2, times=100), *later]
        cut.refresh(ENTRY, settings, full=is_full)
        before = len(asked[name].requests)
        assert before == counts[name] // 2
        del simulator.faults[0]
        outcomes = cut.refresh(ENTRY, settings, full=is_full)
        del simulator.faults[: len(later)]
        # Every page once, but for the front, which is asked once more where something may have moved to it.
        assert len(asked[name].requests) <= counts[name] + 1, (name, counts[name], len(asked[name].requests))
    assert not [outcome.error for outcome in outcomes if outcome.error]
    assert differences(cut.everything(ENTRY), clean.everything(ENTRY)) == {}
    if kind == "increment":
        # What changed while nobody read is not lost either.
        simulator.advance(days=3)
        for warehouse in (cut, clean):
            refresh(warehouse, settings)
        assert differences(cut.everything(ENTRY), clean.everything(ENTRY)) == {}
