"""Lists within the nodes of a page that are cut there: each is followed to its end, many in one request."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from veelocity_pipeline.sources.github import queries
from veelocity_pipeline.sources.github.partial import is_harmless
from veelocity_pipeline.sources.github.queries import Nested
from veelocity_pipeline.sources.kit.http.answers import MOST_ATTEMPTS
from veelocity_pipeline.sources.kit.http.client import Client
from veelocity_pipeline.sources.kit.http.paging import Cursors, PageSize, nodes

Node = Mapping[str, Any]


@dataclass
class _Cut:
    """A list that has more than came with its owner, which is ``item`` or inside of its list ``field``."""

    item: Any
    field: str
    owner: dict[str, Any]
    connection: dict[str, Any]
    nested: Nested
    cursors: Cursors


def complete(
    client: Client,
    size: PageSize,
    name: str,
    items: Sequence[Any],
    nested: Sequence[Nested],
    lost: Callable[[Any, str, object], None],
) -> None:
    """Follow every list inside these nodes of a repository to its end, in place.

    Args:
        lost: told the node, which of its lists is not whole, and why.
    """
    pending = [cut for node in items for cut in _cuts(node, nested)]
    is_again: set[int] = set()
    while pending:
        again: list[_Cut] = []
        for some, (data, failed) in size.portions(
            pending,
            lambda cuts, is_least: _rest(client, name, cuts, is_least),
            lambda cut, error: lost(cut.item, cut.field, error),
        ):
            for number, cut in enumerate(some):
                owner = data.get(f"n{number}")
                more = owner.get(cut.nested.field) if owner else None
                if more is None:
                    # Once in a while a provider says of something that it is not there, and it is.
                    if id(cut) in is_again:
                        lost(cut.item, cut.field, failed.get(number, "the rest of the list did not come"))
                    else:
                        is_again.add(id(cut))
                        again.append(cut)
                    continue
                if number in failed:
                    lost(cut.item, cut.field, failed[number])
                again.extend(_extend(cut, more))
        pending = again


def _rest(client: Client, name: str, cuts: list[_Cut], is_least: bool) -> tuple[dict[str, Any], dict[int, str]]:
    """What follows in some cut lists, as ``n0`` …, and what failed of which."""
    variables: dict[str, Any] = {}
    for number, cut in enumerate(cuts):
        variables[f"i{number}"] = cut.owner["id"]
        variables[f"c{number}"] = cut.connection["pageInfo"]["endCursor"]
    document = queries.overflow([cut.nested for cut in cuts])
    attempts = MOST_ATTEMPTS if is_least else 1
    data, lost = client.graphql_partial(document, variables, about=name, attempts=attempts)
    # Null is all that there is to know of who wrote something.
    return data, {each.index: each.said for each in lost if not each.within or not is_harmless(each)}


def _cuts(node: Any, nested: Iterable[Nested], item: Any = None, field: str = "") -> Iterator[_Cut]:
    """The cut lists of a node, and of the nodes in its lists.

    Args:
        item, field: the node that it is inside of, and which of its lists.
    """
    for one in nested:
        connection = node.get(one.field)
        if not connection:
            continue
        cursors = Cursors("GitHub", f"{one.field} of {node['id']}")
        if cursors.following(connection) is not None:
            yield _Cut(item or node, field or one.field, node, connection, one, cursors)
        for each in nodes(connection):
            yield from _inner_cuts(each, one, item or node, field or one.field)


def _inner_cuts(each: Any, nested: Nested, item: Any, field: str) -> Iterator[_Cut]:
    """The cut lists of an item of a list: a review's comments, the parents of a pull request's commit."""
    if nested is queries.REVIEWS:
        yield from _cuts(each, (queries.REVIEW_COMMENTS,), item, field)
    elif nested is queries.PULL_REQUEST_COMMITS and each.get("commit"):
        yield from _cuts(each["commit"], (queries.PARENTS,), item, field)


def _extend(cut: _Cut, more: Node) -> Iterator[_Cut]:
    """Put what followed to a cut list; yields what is cut still, itself or a list in one of its items."""
    items = nodes(more)
    cut.connection["nodes"] = [*(cut.connection.get("nodes") or ()), *items]
    cut.connection["pageInfo"] = more["pageInfo"]
    if cut.cursors.following(more) is not None:
        yield cut
    for each in items:
        yield from _inner_cuts(each, cut.nested, cut.item, cut.field)
