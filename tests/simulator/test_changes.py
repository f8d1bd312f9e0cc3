"""The vocabulary of single changes: every one can happen, and says truly what it moved."""

from __future__ import annotations

import random

from veelocity_pipeline.simulator import Simulator
from veelocity_pipeline.simulator.organization.changes.shown import SHOWN


def test_every_change_happens_in_a_long_life() -> None:
    simulator, chance = Simulator(size="tiny"), random.Random(1)
    made = set()
    names = list(SHOWN)
    for _ in range(20):
        chance.shuffle(names)
        for name in ["create a Linear issue"] * 4 + names * 2:
            if simulator.change(name, [chance.randrange(6) for _ in range(6)]) is not None:
                made.add(name)
        simulator.advance(days=chance.choice((0, 1, 40, 200)))
    assert set(SHOWN) - made == set()


def test_the_same_choices_make_the_same_organisation() -> None:
    prints = []
    for _ in range(2):
        simulator, chance = Simulator(size="tiny"), random.Random(2)
        for _ in range(100):
            simulator.change(chance.choice(list(SHOWN)), [chance.randrange(6) for _ in range(6)])
            simulator.advance(minutes=chance.randrange(3))
        prints.append(simulator.organization.fingerprint())
    assert prints[0] == prints[1]


def test_what_moves_shows_in_the_time_of_change() -> None:
    simulator = Simulator(size="tiny")
    simulator.change("open a pull request")
    (pull_request,) = (each for home in simulator.organization.repositories for each in home.pull_requests)
    opened_at = pull_request.updated_at
    simulator.advance(minutes=1)
    told = simulator.change("comment on a pull request")
    assert told is not None
    assert told.is_shown
    commented_at = pull_request.updated_at
    assert commented_at > opened_at
    simulator.advance(minutes=1)
    told = simulator.change("delete a comment on a pull request")
    assert told is not None
    assert not told.is_shown
    assert pull_request.updated_at == commented_at
    assert not pull_request.comments
