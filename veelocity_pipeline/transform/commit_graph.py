"""Which deployment shipped which commit first, and which deployment went back to an older one.

Pure functions over shas: no database, no clock. A *lane* is one service in one environment; its
deployments are given in order of finish. Shipping is one sweep over the commit graph: each
deployment takes the commits that can be reached from its sha and that no earlier one took, so every
commit is visited once per lane and the work is linear in commits, however many deployments there are.
"""

from __future__ import annotations

import heapq
from array import array
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

_UNKNOWN = -1
_NOT_SHIPPED = -1
_BOTH = 3


class CommitGraph:
    """Commits of one repository and their parents.

    A parent that is not itself among the commits (shallow history) ends the walk there.

    Attributes:
        shas: by number.
        first_parents: number of each commit's first known parent; -1 where there is none.
        other_parents: of merges alone, the numbers of the others.
    """

    def __init__(self, parents: Mapping[str, Sequence[str]]) -> None:
        """Number the commits.

        Args:
            parents: sha of each known commit → shas of its parents, the first parent first.
        """
        self.shas: list[str] = list(parents)
        self._number = number = {sha: position for position, sha in enumerate(self.shas)}
        # Flat arrays: a million small tuples would cost more to keep than to walk over.
        self.first_parents = array("q", [_UNKNOWN]) * len(self.shas)
        self.other_parents: dict[int, tuple[int, ...]] = {}
        for commit, shas in enumerate(parents.values()):
            known = [number[sha] for sha in shas if sha in number]
            if known:
                self.first_parents[commit] = known[0]
                if len(known) > 1:
                    self.other_parents[commit] = tuple(known[1:])
        self._heights: array[int] | None = None
        self._first_parent_spans: tuple[array[int], array[int]] | None = None

    def __len__(self) -> int:
        return len(self.shas)

    def __contains__(self, sha: str | None) -> bool:
        return sha in self._number

    def number(self, sha: str | None) -> int:
        """The commit's number, or -1 where it is not known."""
        return self._number.get(sha, _UNKNOWN) if sha else _UNKNOWN

    @property
    def heights(self) -> array[int]:
        """Length of the longest way from each commit down to a root: an ancestor's is always smaller."""
        if self._heights is None:
            self._heights = self._measure_heights()
        return self._heights

    @property
    def first_parent_spans(self) -> tuple[array[int], array[int]]:
        """Begin and end of each commit's span in the tree of first parents.

        The span of a commit encloses the spans of all commits that lead to it over first parents
        alone, so that the commonest question (both on the default branch) is answered at once.
        """
        if self._first_parent_spans is None:
            self._first_parent_spans = self._measure_spans()
        return self._first_parent_spans

    def parents(self, commit: int) -> tuple[int, ...]:
        """Numbers of a commit's known parents, the first parent first."""
        first = self.first_parents[commit]
        return () if first == _UNKNOWN else (first, *self.other_parents.get(commit, ()))

    def difference(self, one: str | None, other: str | None) -> list[str]:
        """Return the shas that can be reached from exactly one of two commits; none where either is not known.

        Commits are visited from the highest down, so that each is met after all that lead to it, and no further than
        the commits that both have in common.
        """
        start, end = self.number(one), self.number(other)
        if _UNKNOWN in (start, end) or start == end:
            return []
        heights = self.heights
        sides = {start: 1, end: 2}
        heap = [(-heights[commit], commit) for commit in sides]
        heapq.heapify(heap)
        one_sided = len(heap)  # of those still to be visited
        found: list[str] = []
        while one_sided:
            commit = heapq.heappop(heap)[1]
            side = sides[commit]
            if side != _BOTH:
                one_sided -= 1
                found.append(self.shas[commit])
            for parent in self.parents(commit):
                known = sides.get(parent, 0)
                if known | side == known:
                    continue
                sides[parent] = known | side
                if not known:
                    heapq.heappush(heap, (-heights[parent], parent))
                    one_sided += side != _BOTH
                else:
                    one_sided -= 1  # both sides lead to it
        return found

    def _measure_heights(self) -> array[int]:
        first_parents, other_parents = self.first_parents, self.other_parents
        heights = array("q", [-1]) * len(self)
        for start in range(len(self)):
            stack = [start] if heights[start] < 0 else []
            while stack:
                commit = stack[-1]
                parent = first_parents[commit]
                height = heights[parent] if parent >= 0 else -1
                if parent >= 0 and height < 0:
                    stack.append(parent)
                    continue
                for parent in other_parents.get(commit, ()):
                    if heights[parent] < 0:
                        stack.append(parent)
                        break
                    height = max(height, heights[parent])
                else:
                    heights[commit] = height + 1
                    stack.pop()
        return heights

    def _measure_spans(self) -> tuple[array[int], array[int]]:
        # The tree of first parents as two arrays: a commit's first child, and the next one of the same parent.
        child, sibling = (array("q", [_UNKNOWN]) * len(self) for _ in range(2))
        stack: list[int] = []
        for commit, parent in enumerate(self.first_parents):
            if parent < 0:
                stack.append(commit)
            else:
                sibling[commit], child[parent] = child[parent], commit
        begins, ends = (array("q", [0]) * len(self) for _ in range(2))
        clock = 0
        while stack:
            commit = stack.pop()
            if commit < 0:
                ends[~commit] = clock
                continue
            clock += 1
            begins[commit] = clock
            stack.append(~commit)
            commit = child[commit]
            while commit >= 0:
                stack.append(commit)
                commit = sibling[commit]
        return begins, ends


@dataclass
class Sweep:
    """The deployments of one lane over a graph, in order of finish.

    Attributes:
        graph: the repository's commits.
        shas: sha that each deployment brought; None where it is not known.
        shipped: per deployment, the shas that it shipped first.
        unknown: positions of deployments whose sha is not among the commits: they shipped nothing.
    """

    graph: CommitGraph
    shas: Sequence[str | None]
    shipped: list[list[str]] = field(init=False)
    unknown: list[int] = field(init=False)
    _shipped_by: array[int] = field(init=False, repr=False)
    _first: dict[int, int] = field(init=False, repr=False)
    _answers: dict[tuple[int, int], bool] = field(init=False, repr=False, default_factory=dict)

    def __post_init__(self) -> None:
        graph, shipped_by = self.graph, array("q", [_NOT_SHIPPED]) * len(self.graph)
        self.shipped, self.unknown, self._first = [], [], {}
        for position, sha in enumerate(self.shas):
            start = graph.number(sha)
            self._first.setdefault(start, position)
            new: list[str] = []
            if start == _UNKNOWN:
                self.unknown.append(position)
            elif shipped_by[start] == _NOT_SHIPPED:
                shipped_by[start] = position
                stack = [start]
                while stack:
                    commit = stack.pop()
                    new.append(graph.shas[commit])
                    parent = graph.first_parents[commit]
                    if parent >= 0 and shipped_by[parent] == _NOT_SHIPPED:
                        shipped_by[parent] = position
                        stack.append(parent)
                    for parent in graph.other_parents.get(commit, ()):
                        if shipped_by[parent] == _NOT_SHIPPED:
                            shipped_by[parent] = position
                            stack.append(parent)
            self.shipped.append(new)
        self._shipped_by = shipped_by

    def goes_back(self, position: int, running: int) -> bool:
        """Whether a deployment went back from what an earlier one had running.

        That is, to a commit on the first-parent history of what runs, or to one that was deployed here before what runs
        was and does not lead to it.

        Args:
            position: the later deployment.
            running: the earlier one, whose sha was running.

        Returns:
            False too where either sha is unknown, or both are the same.
        """
        older, newer = self.graph.number(self.shas[position]), self.graph.number(self.shas[running])
        if _UNKNOWN in (older, newer) or older == newer:
            return False
        begins, ends = self.graph.first_parent_spans
        if begins[older] <= begins[newer] <= ends[older]:
            return True
        if self._first[older] > self._first[newer]:
            return False
        answer = self._answers.get((newer, older))
        if answer is None:
            answer = self._answers[newer, older] = self._is_ancestor(newer, older)
        return not answer

    def _is_ancestor(self, older: int, newer: int) -> bool:
        """Walk from the newer commit, past no commit that cannot lead to the older one.

        A commit that is not higher than the older one, or that shipped before it did, has it in no
        case among its ancestors; one that reaches it over first parents alone ends the walk.
        """
        heights, shipped_by = self.graph.heights, self._shipped_by
        begins, ends = self.graph.first_parent_spans
        begin, end = begins[older], ends[older]
        seen = {newer}
        stack = [newer]
        while stack:
            commit = stack.pop()
            if begin <= begins[commit] <= end:
                return True
            for parent in self.graph.parents(commit):
                if parent not in seen and heights[parent] >= heights[older] and shipped_by[parent] >= shipped_by[older]:
                    seen.add(parent)
                    stack.append(parent)
        return False


@dataclass(frozen=True)
class Finished:
    """A finished, successful deployment, as the sweep needs it.

    Attributes:
        deployment_id: the deployment.
        lane: its service and environment.
        sha: what it brought; None where it is not known.
        started_at: when it began.
        finished_at: when it ended.
        workflow: what made it; one workflow's deployments take back only each other.
        takes_back_any: it says that it is a rollback, and takes back any workflow's.
        is_told_by_changes: it is only one of its service if it moves one of that service's commits.
    """

    deployment_id: str
    lane: Hashable
    sha: str | None
    started_at: datetime
    finished_at: datetime
    workflow: Hashable = None
    takes_back_any: bool = False
    is_told_by_changes: bool = False


@dataclass(frozen=True)
class Trace:
    """What the graph says of one deployment.

    Attributes:
        deployment_id: the deployment.
        shipped: shas that it shipped first in its lane.
        is_sha_known: its sha is among the commits.
        rolls_back: the deployment that it took back, which was running when it started; None for every other one.
        moved: shas that it shipped, took back or brought again; only of those that are told by their changes.
    """

    deployment_id: str
    shipped: tuple[str, ...]
    is_sha_known: bool
    rolls_back: str | None
    moved: tuple[str, ...] = ()


def trace(graph: CommitGraph, deployments: Iterable[Finished]) -> list[Trace]:
    """Shipped commits and rollbacks of one repository's deployments.

    Args:
        graph: the repository's commits.
        deployments: in any order; within a lane they count in order of finish (then of start, then
            of id, so that the answer never depends on the order of rows).

    Returns:
        One trace per deployment, lane by lane, in order of finish. One that started before the
        running one had finished is late, not a rollback.
    """
    lanes: dict[Hashable, list[Finished]] = {}
    for deployment in deployments:
        lanes.setdefault(deployment.lane, []).append(deployment)
    traces: list[Trace] = []
    for lane in sorted(lanes, key=repr):
        ordered = sorted(lanes[lane], key=lambda one: (one.finished_at, one.started_at, one.deployment_id))
        sweep = Sweep(graph, [one.sha for one in ordered])
        unknown = set(sweep.unknown)
        latest: dict[Hashable, int] = {}
        for position, deployment in enumerate(ordered):
            running = position - 1 if deployment.takes_back_any else latest.get(deployment.workflow, -1)
            latest[deployment.workflow] = position
            rolls_back = None
            if (
                running >= 0
                and deployment.started_at >= ordered[running].finished_at
                and sweep.goes_back(position, running)
            ):
                rolls_back = ordered[running].deployment_id
            moved = list(sweep.shipped[position])
            if deployment.is_told_by_changes and running >= 0:
                moved += graph.difference(ordered[running].sha, deployment.sha)
            traces.append(
                Trace(
                    deployment_id=deployment.deployment_id,
                    shipped=tuple(sweep.shipped[position]),
                    is_sha_known=position not in unknown,
                    rolls_back=rolls_back,
                    moved=tuple(dict.fromkeys(moved)) if deployment.is_told_by_changes else (),
                )
            )
    return traces
