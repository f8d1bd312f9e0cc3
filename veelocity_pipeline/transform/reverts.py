"""Which deployment took a change back that was live, and which one had last made it live.

Pure functions over ids: no database, no clock. A change is in effect once it has shipped, as long as no revert of it is
in effect; a revert is a change, so that the revert of a revert brings the first change back. Along a chain of reverts
this is the parity of what has shipped; of two reverts side by side one is enough.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Shipped:
    """A change that a deployment shipped first in a service; ordered by time.

    Attributes:
        deployed_at: when that deployment finished, as anything that can be compared.
        deployment_id: the deployment.
        change_id: the change.
    """

    deployed_at: object
    deployment_id: str
    change_id: str


@dataclass(frozen=True)
class TakenBack:
    """A change that was live until a deployment took it back.

    Attributes:
        change_id: the change.
        failed_deployment_id: the deployment that had last made it live.
        deployment_id: the one that took it back.
        revert_id: the change in it that did.
    """

    change_id: str
    failed_deployment_id: str
    deployment_id: str
    revert_id: str


def taken_back(reverts: Iterable[tuple[str, str]], shipped: Iterable[Shipped]) -> list[TakenBack]:
    """Return what was taken back in one service, by change and in order of time.

    Args:
        reverts: pairs of a change and the one that it reverts.
        shipped: in any order.
    """
    reverted_by: dict[str, list[str]] = {}
    is_revert = set()
    for revert, reverted in reverts:
        reverted_by.setdefault(reverted, []).append(revert)
        is_revert.add(revert)
    ships = {one.change_id: one for one in shipped}
    found: list[TakenBack] = []
    for change in sorted(reverted_by.keys() - is_revert):
        if change in ships:
            found += _history(change, _tree(change, reverted_by), reverted_by, ships)
    return found


def _tree(change: str, reverted_by: dict[str, list[str]]) -> list[str]:
    """Return a change and all reverts that have to do with it, the nearest first."""
    tree = [change]
    for each in tree:
        tree += [revert for revert in sorted(reverted_by.get(each, ())) if revert not in tree]
    return tree


def _history(
    change: str, tree: Sequence[str], reverted_by: dict[str, list[str]], ships: dict[str, Shipped]
) -> list[TakenBack]:
    found: list[TakenBack] = []
    present: set[str] = set()
    made_live_by: str | None = None
    moments = sorted({(ships[each].deployed_at, ships[each].deployment_id) for each in tree if each in ships})
    for _, deployment in moments:
        new = [each for each in tree if each in ships and ships[each].deployment_id == deployment]
        present.update(new)
        is_live = _is_in_effect(change, present, reverted_by)
        if is_live and made_live_by is None:
            made_live_by = deployment
        elif not is_live and made_live_by is not None:
            found.append(TakenBack(change, made_live_by, deployment, new[0]))
            made_live_by = None
    return found


def _is_in_effect(
    change: str, present: set[str], reverted_by: dict[str, list[str]], above: tuple[str, ...] = ()
) -> bool:
    """Return whether a change has shipped and no revert of it is in effect; one that leads back to itself is none."""
    return change in present and not any(
        _is_in_effect(revert, present, reverted_by, (*above, change))
        for revert in reverted_by.get(change, ())
        if revert not in above
    )
