"""Lists within the nodes of a page that are cut there: each is followed to its end, many in one request."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from veelocity_pipeline.sources.github import queries
from veelocity_pipeline.sources.github.queries import Nested
from veelocity_pipeline.sources.kit.http.client import Client
from veelocity_pipeline.sources.kit.http.errors import BadAnswerError
from veelocity_pipeline.sources.kit.http.paging import Cursors, PageSize, nodes

Node = Mapping[str, Any]


@dataclass
class _Cut:
    """A list that has more than came with its owner."""

    owner: dict[str, Any]
    connection: dict[str, Any]
    nested: Nested
    cursors: Cursors


def complete(client: Client, size: PageSize, name: str, items: Sequence[Any], nested: Sequence[Nested]) -> None:
    """Follow every list inside these nodes of a repository to its end, in place."""
    pending = [cut for node in items for cut in _cuts(node, nested)]
    while pending:
        again: list[_Cut] = []
        for some, data in size.portions(pending, lambda cuts: _rest(client, name, cuts)):
            for number, cut in enumerate(some):
                again.extend(_extend(cut, data.get(f"n{number}")))
        pending = again


def _rest(client: Client, name: str, cuts: list[_Cut]) -> dict[str, Any]:
    """What follows in some cut lists, as ``n0`` …; null where the owner vanished."""
    variables: dict[str, Any] = {}
    for number, cut in enumerate(cuts):
        variables[f"i{number}"] = cut.owner["id"]
        variables[f"c{number}"] = cut.connection["pageInfo"]["endCursor"]
    document = queries.overflow([cut.nested for cut in cuts])
    data, errors = client.graphql_tolerant(document, variables, about=name)
    vanished = {error["path"][0] for error in errors if error.get("path")}
    for number, cut in enumerate(cuts):
        if data.get(f"n{number}") is None and f"n{number}" not in vanished:
            raise BadAnswerError(
                f"GitHub does not give the rest of the {cut.nested.field} of {cut.owner['id']} in {name}."
            )
    return data


def _cuts(node: Any, nested: Iterable[Nested]) -> Iterator[_Cut]:
    """The cut lists of a node, and of the nodes in its lists."""
    for one in nested:
        connection = node.get(one.field)
        if not connection:
            continue
        cursors = Cursors("GitHub", f"{one.field} of {node['id']}")
        if cursors.following(connection) is not None:
            yield _Cut(node, connection, one, cursors)
        for item in nodes(connection):
            yield from _inner_cuts(item, one)


def _inner_cuts(item: Any, nested: Nested) -> Iterator[_Cut]:
    """The cut lists of an item of a list: a review's comments, the parents of a pull request's commit."""
    if nested is queries.REVIEWS:
        yield from _cuts(item, (queries.REVIEW_COMMENTS,))
    elif nested is queries.PULL_REQUEST_COMMITS:
        yield from _cuts(item["commit"], (queries.PARENTS,))


def _extend(cut: _Cut, owner: Node | None) -> Iterator[_Cut]:
    """Put what followed to a cut list; yields what is cut still, itself or a list in one of its items."""
    more = owner.get(cut.nested.field) if owner else None
    if more is None:
        # It vanished while we read it; the next refresh sees what is left.
        return
    items = nodes(more)
    cut.connection["nodes"] = [*(cut.connection.get("nodes") or ()), *items]
    cut.connection["pageInfo"] = more["pageInfo"]
    if cut.cursors.following(more) is not None:
        yield cut
    for item in items:
        yield from _inner_cuts(item, cut.nested)
