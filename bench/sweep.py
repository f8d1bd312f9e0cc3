"""The sweep over the commit graph: which deployment shipped which commit, of a history as large as they come."""

from __future__ import annotations

import gc
import random
import time
from dataclasses import dataclass
from datetime import datetime, timedelta

from veelocity_pipeline.transform.commit_graph import CommitGraph, Finished, trace

BRANCH = 4
"""Commits of a branch before it is merged."""


@dataclass(frozen=True)
class Swept:
    """What one sweep took.

    Attributes:
        graph, trace: seconds of CPU to number the commits, and to sweep over them.
    """

    commits: int
    deployments: int
    graph: float
    trace: float


def history(commits: int, seed: int = 1) -> tuple[dict[str, list[str]], list[str]]:
    """Parents by sha, of a default branch to which branches are merged; and the branch's own commits, oldest first.

    Rows come in no order, as the warehouse gives them.
    """
    found: dict[str, list[str]] = {"m0": []}
    main = ["m0"]
    while len(found) < commits:
        number = len(found)
        tip = main[-1]
        for step in range(BRANCH):
            sha = f"b{number + step}"
            found[sha] = [tip]
            tip = sha
        merged = f"m{number + BRANCH}"
        found[merged] = [main[-1], tip]
        main.append(merged)
    shas = list(found)
    random.Random(seed).shuffle(shas)
    return {sha: found[sha] for sha in shas}, main


def sweep(commits: int, deployments: int) -> Swept:
    """Sweep over that many commits; every tenth deployment goes back to the one before it, every twentieth repeats."""
    parents, main = history(commits)
    begin = datetime(2020, 1, 1)  # noqa: DTZ001 - models hold UTC without saying so
    shipped, furthest = [], 0
    for number in range(deployments):
        place = (number + 1) * (len(main) - 1) // deployments
        if number % 10 == 9:
            place = (number - 1) * (len(main) - 1) // deployments
        elif number % 20 == 10:
            place = number * (len(main) - 1) // deployments
        furthest = max(furthest, place)
        started = begin + timedelta(hours=number)
        shipped.append(Finished(f"d{number}", "web", main[place], started, started + timedelta(minutes=5)))
    gc.collect()
    at = time.process_time()
    graph = CommitGraph(parents)
    built = time.process_time()
    found = trace(graph, shipped)
    ended = time.process_time()
    if sum(len(each.shipped) for each in found) != len(_reached(parents, main[furthest])):
        raise RuntimeError("the sweep did not ship every commit once")
    return Swept(len(parents), deployments, built - at, ended - built)


def _reached(parents: dict[str, list[str]], head: str) -> set[str]:
    seen, ahead = {head}, [head]
    while ahead:
        for parent in parents[ahead.pop()]:
            if parent not in seen:
                seen.add(parent)
                ahead.append(parent)
    return seen
