"""Which deployment shipped a commit, and which one went back: small graphs by hand, random ones against brute force."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from veelocity_pipeline.transform.commit_graph import CommitGraph, Finished, Sweep, trace

MONDAY = datetime(2026, 3, 2, 9)  # noqa: DTZ001 - models hold UTC without saying so


def finished(name: str, sha: str | None, hour: float, *, lasts: float = 0.1, lane: object = "web") -> Finished:
    end = MONDAY + timedelta(hours=hour)
    return Finished(name, lane, sha, end - timedelta(hours=lasts), end)


#   a ── b ── d ── e        main, d merges c
#         \  /
#          c
MERGED = CommitGraph({"a": [], "b": ["a"], "c": ["b"], "d": ["b", "c"], "e": ["d"]})


def test_a_deployment_ships_what_no_earlier_one_shipped() -> None:
    sweep = Sweep(MERGED, ["b", "e"])
    assert [sorted(shas) for shas in sweep.shipped] == [["a", "b"], ["c", "d", "e"]]
    assert sweep.unknown == []


def test_the_same_sha_again_ships_nothing() -> None:
    assert [sorted(shas) for shas in Sweep(MERGED, ["b", "b", "e", "e"]).shipped] == [
        ["a", "b"],
        [],
        ["c", "d", "e"],
        [],
    ]


def test_an_older_sha_that_finishes_later_ships_nothing() -> None:
    assert Sweep(MERGED, ["e", "b"]).shipped[1] == []


def test_an_unknown_sha_ships_nothing_and_is_named() -> None:
    sweep = Sweep(MERGED, ["b", "lost", None, "e"])
    assert sweep.unknown == [1, 2]
    assert sorted(sweep.shipped[3]) == ["c", "d", "e"]


def test_history_that_was_cut_ends_the_walk() -> None:
    graph = CommitGraph({"b": ["a"], "c": ["b"]})  # a was never fetched
    assert len(graph) == 2
    assert "a" not in graph
    assert [sorted(shas) for shas in Sweep(graph, ["c"]).shipped] == [["b", "c"]]


def test_a_rollback_takes_back_what_was_running() -> None:
    traces = trace(MERGED, [finished("one", "b", 1), finished("two", "e", 2), finished("three", "b", 3)])
    assert [(one.deployment_id, one.rolls_back) for one in traces] == [("one", None), ("two", None), ("three", "two")]
    assert traces[2].shipped == ()


def test_rolling_forward_after_a_rollback_is_none() -> None:
    traces = trace(MERGED, [finished("1", "b", 1), finished("2", "d", 2), finished("3", "b", 3), finished("4", "e", 4)])
    assert [one.rolls_back for one in traces] == [None, None, "2", None]
    assert traces[3].shipped == ("e",)


def test_a_second_rollback_takes_back_the_first() -> None:
    traces = trace(
        MERGED,
        [
            finished("1", "a", 1),
            finished("2", "b", 2),
            finished("3", "e", 3),
            finished("4", "b", 4),
            finished("5", "a", 5),
        ],
    )
    assert [one.rolls_back for one in traces] == [None, None, None, "3", "4"]


def test_one_that_started_before_the_running_one_finished_is_late_and_no_rollback() -> None:
    traces = trace(MERGED, [finished("one", "a", 0), finished("fast", "e", 2), finished("slow", "b", 3, lasts=1.5)])
    assert [one.rolls_back for one in traces] == [None, None, None]


def test_another_branch_is_no_rollback_until_what_it_had_there_comes_back() -> None:
    """1 to 3 are new here. 4 brings back what 2 had brought, before 3 ran; 5 leads on from there."""
    graph = CommitGraph({"a": [], "m1": ["a"], "m2": ["m1"], "r1": ["a"], "r2": ["r1"]})
    traces = trace(
        graph,
        [
            finished("1", "m1", 1),
            finished("2", "r1", 2),
            finished("3", "m2", 3),
            finished("4", "r1", 4),
            finished("5", "r2", 5),
        ],
    )
    assert [one.rolls_back for one in traces] == [None, None, None, "3", None]


def test_a_roll_forward_between_branches_is_no_rollback() -> None:
    """r1 took over from m1; 3 takes it back, 4 brings it again: m1 was there before r1, not the other way round."""
    graph = CommitGraph({"a": [], "m1": ["a"], "r1": ["a"]})
    traces = trace(graph, [finished(str(n), sha, n) for n, sha in enumerate(["m1", "r1", "m1", "r1"], 1)])
    assert [one.rolls_back for one in traces] == [None, None, "2", None]


def test_a_roll_forward_past_what_never_ran_before_is_no_rollback() -> None:
    """3 takes back to b, which was never deployed by itself; 4 brings c again, which leads on from b."""
    graph = CommitGraph({"a": [], "b": ["a"], "c": ["b"]})
    traces = trace(graph, [finished(str(n), sha, n) for n, sha in enumerate(["a", "c", "b", "c"], 1)])
    assert [one.rolls_back for one in traces] == [None, None, "2", None]


def test_a_maintained_line_that_was_merged_back_is_no_rollback_of_it() -> None:
    """m2 has r1 as its second parent; the line's own release afterwards is new here, and takes nothing back."""
    graph = CommitGraph({"a": [], "r1": ["a"], "m1": ["a"], "m2": ["m1", "r1"]})
    traces = trace(graph, [finished("1", "m1", 1), finished("2", "m2", 2), finished("3", "r1", 3)])
    assert [one.rolls_back for one in traces] == [None, None, None]


@pytest.mark.parametrize(
    ("workflow", "takes_back_any", "rolls_back"),
    [("deploy", False, "2"), ("other", False, None), ("other", True, "2"), ("late", False, None)],
)
def test_a_workflow_takes_back_only_its_own(workflow: str, takes_back_any: bool, rolls_back: str | None) -> None:
    """``late`` is a step behind ``deploy``: it brings a, b … in its own order. What says rollback takes back any."""
    graph = CommitGraph({"z": [], "a": ["z"], "b": ["a"]})
    made = [
        replace(finished("0", "z", 0), workflow="late"),
        replace(finished("1", "a", 1), workflow="deploy"),
        replace(finished("2", "b", 2), workflow="deploy"),
        replace(finished("3", "a", 3), workflow=workflow, takes_back_any=takes_back_any),
    ]
    assert [one.rolls_back for one in trace(graph, made)] == [None, None, None, rolls_back]


def test_what_moved_is_what_was_shipped_taken_back_or_brought_again() -> None:
    """c and d ship with 2; 3 goes back to b, which takes them and the merge back; 4 brings them again; 5 nothing."""
    made = [
        replace(finished(str(n), sha, n), is_told_by_changes=True) for n, sha in enumerate(["b", "e", "b", "e", "e"], 1)
    ]
    assert [sorted(one.moved) for one in trace(MERGED, made)] == [
        ["a", "b"],
        ["c", "d", "e"],
        ["c", "d", "e"],
        ["c", "d", "e"],
        [],
    ]
    assert all(one.moved == () for one in trace(MERGED, [finished("1", "b", 1), finished("2", "e", 2)]))


def test_a_commit_behind_the_second_parent_is_one_to_go_back_to_if_it_ran_before() -> None:
    traces = trace(MERGED, [finished("1", "c", 1), finished("2", "e", 2), finished("3", "c", 3)])
    assert traces[2].rolls_back == "2"


def test_lanes_know_nothing_of_each_other() -> None:
    traces = trace(MERGED, [finished("eu", "e", 1, lane=("web", "eu")), finished("us", "b", 2, lane=("web", "us"))])
    assert {one.deployment_id: sorted(one.shipped) for one in traces} == {
        "eu": ["a", "b", "c", "d", "e"],
        "us": ["a", "b"],
    }
    assert all(one.rolls_back is None for one in traces)


def test_a_sha_that_is_not_known_is_said_so() -> None:
    traces = trace(MERGED, [finished("one", "lost", 1), finished("two", "b", 2)])
    assert [one.is_sha_known for one in traces] == [False, True]


@st.composite
def histories(draw: st.DrawFn) -> tuple[dict[str, list[str]], list[str]]:
    size = draw(st.integers(1, 14))
    parents = {
        f"c{number}": [f"c{parent}" for parent in draw(st.lists(st.integers(0, number - 1), max_size=2, unique=True))]
        if number
        else []
        for number in range(size)
    }
    shas = draw(st.lists(st.sampled_from([*parents, "lost"]), max_size=12))
    return parents, shas


def ancestors(parents: dict[str, list[str]], sha: str) -> set[str]:
    """The commit and all it can reach, by the plainest means."""
    if sha not in parents:
        return set()
    return {sha}.union(*(ancestors(parents, parent) for parent in parents[sha]))


def first_parents(parents: dict[str, list[str]], sha: str) -> set[str]:
    """The commit and all it can reach over first parents."""
    found = set()
    while sha:
        found.add(sha)
        sha = next(iter(parents[sha]), "")
    return found


@settings(max_examples=300, deadline=None)
@given(histories())
def test_sweep_and_rollbacks_agree_with_brute_force(history: tuple[dict[str, list[str]], list[str]]) -> None:
    parents, shas = history
    traces = trace(CommitGraph(parents), [finished(f"{n:02}", sha, n) for n, sha in enumerate(shas)])
    seen: set[str] = set()
    for position, (one, sha) in enumerate(zip(traces, shas, strict=True)):
        reachable = ancestors(parents, sha)
        assert set(one.shipped) == reachable - seen
        assert len(one.shipped) == len(set(one.shipped))
        seen |= reachable
        before = shas[position - 1] if position else "lost"
        went_back = (
            {sha, before} <= set(parents)
            and sha != before
            and before not in ancestors(parents, sha)
            and (sha in first_parents(parents, before) or shas.index(sha) < shas.index(before))
        )
        assert (one.rolls_back is not None) == went_back


@settings(max_examples=300, deadline=None)
@given(histories())
def test_what_two_commits_do_not_share_agrees_with_brute_force(history: tuple[dict[str, list[str]], list[str]]) -> None:
    parents, shas = history
    graph = CommitGraph(parents)
    for one, other in pairwise(shas):
        found = graph.difference(one, other)
        known = {one, other} <= set(parents)
        assert sorted(found) == sorted(ancestors(parents, one) ^ ancestors(parents, other) if known else ())


@settings(max_examples=50, deadline=None)
@given(histories(), st.randoms())
def test_the_order_of_rows_changes_nothing(history: tuple[dict[str, list[str]], list[str]], chance: Random) -> None:
    parents, shas = history
    deployments = [finished(f"{n:02}", sha, n // 2) for n, sha in enumerate(shas)]
    shuffled = chance.sample(deployments, len(deployments))
    expected = trace(CommitGraph(parents), deployments)
    found = trace(CommitGraph(parents), shuffled)
    assert [(t.deployment_id, set(t.shipped), t.rolls_back) for t in found] == [
        (t.deployment_id, set(t.shipped), t.rolls_back) for t in expected
    ]


@pytest.mark.parametrize("pattern", ["forward", "back and forth", "two branches"])
def test_time_grows_with_commits_and_not_with_their_product_with_deployments(pattern: str) -> None:
    """100,000 commits with 5,000 deployments: the product is 500 million steps, which would take minutes."""
    size, every = 100_000, 20
    parents = {f"m{n}": [f"m{n - 1}"] if n else [] for n in range(size)}
    parents |= {f"r{n}": [f"r{n - 1}"] if n else ["m0"] for n in range(size // 2)}
    forward = [f"m{n}" for n in range(0, size, every)]
    shas = {
        "forward": forward,
        "back and forth": [forward[-1], *(sha for late in forward for sha in (late, forward[-1]))],
        "two branches": [sha for n in range(0, size // 2, every) for sha in (f"m{n}", f"r{n}", f"m{n}", f"r{n}")],
    }[pattern]
    began = time.process_time()
    traces = trace(CommitGraph(parents), [finished(f"{n:06}", sha, n) for n, sha in enumerate(shas)])
    assert time.process_time() - began < 20
    assert len(traces) == len(shas)
