"""The simulated GitHub's REST behaves as GitHub's does."""

from __future__ import annotations

from email.utils import parsedate_to_datetime

import httpx
import pytest

from veelocity_pipeline.simulator import Simulator
from veelocity_pipeline.simulator.github.actions import FILTERED_LIMIT, created_range
from veelocity_pipeline.simulator.github.answers import ProblemError
from veelocity_pipeline.simulator.organization.plan import MOMENT

from .conftest import github

RUNS = "/repos/acme/web/actions/runs"


def test_following_links_brings_every_run_once_newest_first(demo: Simulator) -> None:
    found = []
    with github(demo) as client:
        url = f"{RUNS}?per_page=100"
        while url:
            response = client.get(url)
            found += [each["id"] for each in response.json()["workflow_runs"]]
            url = response.links.get("next", {}).get("url", "")
    assert found == [each.id for each in reversed(demo.organization.repositories[0].runs)]


def test_links_point_both_ways(demo: Simulator) -> None:
    with github(demo) as client:
        first = client.get(f"{RUNS}?per_page=50&event=push")
        second = client.get(first.links["next"]["url"])
        last = client.get(first.links["last"]["url"])
        only = client.get("/repos/acme/web/actions/workflows?per_page=100")
    assert first.links.keys() == {"next", "last"}
    assert second.links.keys() == {"prev", "next", "first", "last"}
    assert last.links.keys() == {"prev", "first"}
    assert "event=push" in second.links["next"]["url"]
    assert only.links == {}


def test_pages_have_at_most_a_hundred(demo: Simulator) -> None:
    with github(demo) as client:
        assert len(client.get(f"{RUNS}?per_page=500").json()["workflow_runs"]) == 100
        assert len(client.get(RUNS).json()["workflow_runs"]) == 30


def test_a_filtered_listing_ends_at_a_thousand(demo: Simulator) -> None:
    total = len(demo.organization.repositories[0].runs)
    assert total > FILTERED_LIMIT
    with github(demo) as client:
        page = client.get(f"{RUNS}?created=2025-01-01..2026-12-31&per_page=100&page=10")
        after = client.get(f"{RUNS}?created=2025-01-01..2026-12-31&per_page=100&page=11")
        unfiltered = client.get(f"{RUNS}?per_page=100&page=11")
    assert page.json()["total_count"] == total
    assert len(page.json()["workflow_runs"]) == 100
    assert "next" not in page.links
    assert after.json()["workflow_runs"] == []
    assert len(unfiltered.json()["workflow_runs"]) == 100


@pytest.mark.parametrize(
    ("value", "inside"),
    [
        ("2026-09-30", True),
        ("2026-09-29", False),
        ("2026-09-29..2026-09-30", True),
        ("2026-09-30T12:00:00Z..2026-09-30T12:00:00Z", True),
        ("2026-09-30T12:00:01Z..*", False),
        ("*..2026-09-30", True),
        (">=2026-09-30T12:00:00Z", True),
        (">2026-09-30T12:00:00Z", False),
        ("<2026-09-30T12:00:00Z", False),
        ("<=2026-09-30T12:00:00Z", True),
        (">=2026-09-30T14:00:00+02:00", True),
        ("<2026-09-30", False),
    ],
)
def test_created_is_a_range(value: str, inside: bool) -> None:
    assert created_range(value)(MOMENT) is inside


def test_created_that_is_no_date_is_refused() -> None:
    with pytest.raises(ProblemError, match="not a date"):
        created_range("yesterday")


def test_filters_of_runs(demo: Simulator) -> None:
    runs = demo.organization.repositories[0].runs
    with github(demo) as client:
        for name, value, wanted in (
            ("event", "schedule", [each for each in runs if each.event == "schedule"]),
            ("status", "failure", [each for each in runs if each.last.conclusion == "failure"]),
            ("status", "in_progress", [each for each in runs if each.last.status == "in_progress"]),
            ("branch", "main", [each for each in runs if each.head_branch == "main"]),
        ):
            body = client.get(RUNS, params={name: value, "per_page": 1}).json()
            assert body["total_count"] == len(wanted) > 0, name


def test_earlier_attempts_keep_their_own_times(demo: Simulator) -> None:
    run = next(each for each in demo.organization.repositories[0].runs if len(each.attempts) > 1)
    with github(demo) as client:
        latest = client.get(f"{RUNS}/{run.id}").json()
        first = client.get(f"{RUNS}/{run.id}/attempts/1").json()
        jobs = client.get(f"{RUNS}/{run.id}/attempts/1/jobs").json()["jobs"]
        nothing = client.get(f"{RUNS}/{run.id}/attempts/9")
    assert latest["run_attempt"] == len(run.attempts)
    assert first["run_attempt"] == 1
    assert first["created_at"] == latest["created_at"] == first["run_started_at"]
    assert first["updated_at"] <= latest["run_started_at"] < latest["updated_at"]
    assert [each["run_attempt"] for each in jobs] == [1] * len(jobs)
    assert nothing.status_code == 404


def test_a_run_of_a_fork_names_the_fork(demo: Simulator) -> None:
    with github(demo) as client:
        runs = client.get("/repos/acme/sdk-python/actions/runs?event=pull_request&per_page=100").json()["workflow_runs"]
    forks = [each for each in runs if each["head_repository"]["full_name"] != "acme/sdk-python"]
    assert forks
    assert {each["head_branch"] for each in forks} == {"main"}
    assert all(each["pull_requests"] == [] for each in forks)


def test_pull_requests_can_be_left_out(demo: Simulator) -> None:
    with github(demo) as client:
        full = client.get(f"{RUNS}?event=pull_request&per_page=5").json()["workflow_runs"]
        less = client.get(f"{RUNS}?event=pull_request&per_page=5&exclude_pull_requests=true").json()["workflow_runs"]
    assert all(each["pull_requests"] for each in full)
    assert all(each["pull_requests"] == [] for each in less)


def test_the_same_answer_again_is_free(fresh: Simulator) -> None:
    with github(fresh) as client:
        first = client.get(RUNS)
        again = client.get(RUNS, headers={"If-None-Match": first.headers["etag"]})
        fresh.advance(days=1)
        later = client.get(RUNS, headers={"If-None-Match": first.headers["etag"]})
    assert again.status_code == 304
    assert again.content == b""
    assert again.headers["x-ratelimit-used"] == first.headers["x-ratelimit-used"] == "1"
    assert later.status_code == 200


def test_an_etag_belongs_to_a_token(small: Simulator) -> None:
    with github(small) as client:
        first = client.get(RUNS)
        other = {"Authorization": client.headers["Authorization"] + "b", "If-None-Match": first.headers["etag"]}
        assert client.get(RUNS, headers=other).status_code == 200


def test_headers_tell_the_simulated_time_and_the_limits(fresh: Simulator) -> None:
    with github(fresh) as client:
        before = client.get("/user").headers
        fresh.advance(days=3, hours=2)
        after = client.get("/user").headers
    assert parsedate_to_datetime(before["date"]) == MOMENT
    assert (parsedate_to_datetime(after["date"]) - MOMENT).total_seconds() == 74 * 3600
    assert before["x-ratelimit-limit"] == "5000"
    assert int(before["x-ratelimit-reset"]) == MOMENT.timestamp() + 3600
    assert before["x-github-request-id"] != after["x-github-request-id"]


def test_asking_for_the_limits_is_free(fresh: Simulator) -> None:
    with github(fresh) as client:
        client.get("/user")
        limits = [client.get("/rate_limit").json()["resources"]["core"] for _ in range(2)]
    assert [each["remaining"] for each in limits] == [4_999, 4_999]


def test_a_former_name_is_a_redirect(demo: Simulator) -> None:
    with github(demo) as client:
        moved = client.get("/repos/acme/docs/actions/workflows")
        followed = client.get("/repos/acme/docs/actions/workflows", follow_redirects=True)
    assert moved.status_code == 301
    assert moved.json()["message"] == "Moved Permanently"
    assert followed.json()["workflows"][0]["name"] == "Publish site"


@pytest.mark.parametrize("path", ["/repos/acme/nothing", "/nothing", f"{RUNS}/1", "/repos/acme/web/commits/nothing"])
def test_what_is_not_there_is_not_found(small: Simulator, path: str) -> None:
    with github(small) as client:
        response = client.get(path)
    assert response.status_code == 404
    assert response.json()["message"] == "Not Found"


@pytest.mark.parametrize("header", [{}, {"Authorization": "token nobody"}])
def test_credentials_are_needed(small: Simulator, header: dict[str, str]) -> None:
    response = httpx.get(f"{small.github_url}/user", headers=header)
    assert response.status_code == 401
    assert response.json()["message"] in ("Bad credentials", "Requires authentication")


def test_a_commit_has_its_files(small: Simulator) -> None:
    web = small.organization.repositories[0]
    commit = next(each.merge_commit for each in web.pull_requests if each.merge_commit)
    with github(small) as client:
        body = client.get(f"/repos/acme/web/commits/{commit.sha}").json()
        short = client.get(f"/repos/acme/web/commits/{commit.sha[:10]}").json()
        missing = client.get(f"/repos/acme/web/commits/{'0' * 40}")
    assert [each["filename"] for each in body["files"]] == commit.paths
    assert short["sha"] == commit.sha
    assert missing.status_code == 422


def test_comparing_follows_the_graph(small: Simulator) -> None:
    api = small.organization.repositories[1]
    main = api.branches["main"]
    merge = main
    while len(merge.parents) < 2:
        merge = merge.parents[0]
    before, head = merge.parents
    with github(small) as client:

        def compare(basehead: str) -> dict[str, object]:
            answer: dict[str, object] = client.get(f"/repos/acme/api/compare/{basehead}").json()
            return answer

        ahead = compare(f"{before.sha}...{merge.sha}")
        behind = compare(f"{merge.sha}...{before.sha}")
        same = compare(f"main...{main.sha}")
        diverged = compare(f"{before.sha}...{head.sha}")
    assert ahead["status"] == "ahead"
    assert isinstance(ahead["commits"], list)
    assert ahead["commits"][-1]["sha"] == merge.sha
    assert ahead["ahead_by"] == ahead["total_commits"] == len(ahead["commits"]) == behind["behind_by"]
    assert behind["status"] == "behind"
    assert same["status"] == "identical"
    assert diverged["status"] in ("diverged", "ahead")
