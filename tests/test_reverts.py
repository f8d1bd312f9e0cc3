"""Which deployment took a change back that was live: chains by hand, random ones against parity."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from veelocity_pipeline.transform.reverts import Shipped, TakenBack, taken_back

CHAIN = [("r1", "o"), ("r2", "r1"), ("r3", "r2")]


def shipped(*deployments: str) -> list[Shipped]:
    """Changes by deployment, in order: ``"o r1"`` are two that ship together."""
    return [
        Shipped(number, f"d{number}", change)
        for number, changes in enumerate(deployments, 1)
        for change in changes.split()
    ]


@pytest.mark.parametrize(
    ("deployments", "expected"),
    [
        (["o", "r1"], [("d1", "d2", "r1")]),
        (["o", "r1", "r2"], [("d1", "d2", "r1")]),
        # live again with d3, which the revert of the revert's revert takes back
        (["o", "r1", "r2", "r3"], [("d1", "d2", "r1"), ("d3", "d4", "r3")]),
        # together with its revert it never was live, and with the first two it is
        (["o r1", "r2", "r3"], [("d2", "d3", "r3")]),
        (["o r1 r2", "r3"], [("d1", "d2", "r3")]),
        (["o r1 r2 r3"], []),
        # all three at once are one
        (["o", "r1 r2 r3"], [("d1", "d2", "r1")]),
        (["o", "r1 r2"], []),
        # a revert that shipped first, and a change that never did
        (["r1", "o"], []),
        (["r1", "r2"], []),
    ],
)
def test_a_chain_goes_back_and_forth(deployments: list[str], expected: list[tuple[str, str, str]]) -> None:
    found = [
        (one.failed_deployment_id, one.deployment_id, one.revert_id) for one in taken_back(CHAIN, shipped(*deployments))
    ]
    assert found == expected


def test_of_two_reverts_side_by_side_one_is_enough() -> None:
    """d3 reverts it once more, which changes nothing; d4 takes back only the first of them."""
    pairs = [("r1", "o"), ("also", "o"), ("r2", "r1")]
    assert taken_back(pairs, shipped("o", "r1", "also", "r2")) == [TakenBack("o", "d1", "d2", "r1")]


def test_the_same_button_pressed_again_after_a_reapply() -> None:
    """The second revert names the original, not the change that brought it again."""
    pairs = [("r1", "o"), ("r2", "r1"), ("again", "o")]
    found = [
        (one.failed_deployment_id, one.deployment_id) for one in taken_back(pairs, shipped("o", "r1", "r2", "again"))
    ]
    assert found == [("d1", "d2"), ("d3", "d4")]


def test_a_revert_of_several_takes_each_back() -> None:
    pairs = [("r", "o"), ("r", "p")]
    assert taken_back(pairs, shipped("o", "p", "r")) == [
        TakenBack("o", "d1", "d3", "r"),
        TakenBack("p", "d2", "d3", "r"),
    ]


def test_texts_that_contradict_each_other_end() -> None:
    assert taken_back([("a", "b"), ("b", "a"), ("a", "o")], shipped("o", "a", "b")) == [TakenBack("o", "d1", "d2", "a")]


@given(st.permutations(["o", "r1", "r2", "r3"]), st.lists(st.booleans(), min_size=4, max_size=4))
def test_along_a_chain_it_is_the_parity_of_what_has_shipped(order: list[str], breaks: list[bool]) -> None:
    deployments: list[list[str]] = []
    for change, is_new in zip(order, breaks, strict=True):
        if is_new or not deployments:
            deployments.append([])
        deployments[-1].append(change)
    names = ["o", "r1", "r2", "r3"]
    present: set[str] = set()
    live, expected = False, []
    for number, changes in enumerate(deployments, 1):
        present.update(changes)
        reach = next((n for n, name in enumerate(names) if name not in present), len(names))
        now = reach % 2 == 1
        expected += [f"d{number}"] if live and not now else []
        live = now
    found = taken_back(CHAIN, shipped(*(" ".join(changes) for changes in deployments)))
    assert [one.deployment_id for one in found] == expected
