"""What a GraphQL document costs, by the rules that GitHub and Linear publish.

GitHub ("Rate limits and query limits for the GraphQL API"): each connection is asked once per parent
node, with every parent page full; the sum of those requests divided by 100 is the cost in points, at
least 1. Nodes are counted the same way; more than 500,000 is an error.

Linear ("Rate limiting"): a property is 0.1, an object 1, a connection multiplies what lies below by its
page size (50 unless given); rounded up.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLNamedType,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    get_named_type,
    is_leaf_type,
    is_object_type,
    value_from_ast_untyped,
)


@dataclass
class Cost:
    """The count of a document; ``problems`` are (message, type) of page sizes that GitHub refuses."""

    requests: int = 0
    nodes: int = 0
    complexity: float = 0.0
    depth: int = 0
    problems: list[tuple[str, str]] = field(default_factory=list)

    @property
    def points(self) -> int:
        """GitHub's points."""
        return max(1, round(self.requests / 100))


class _Counter:
    def __init__(self, schema: GraphQLSchema, document: DocumentNode, variables: dict[str, Any], pages: bool) -> None:
        self.schema, self.variables, self.must_page = schema, variables, pages
        self.fragments = {
            each.name.value: each for each in document.definitions if isinstance(each, FragmentDefinitionNode)
        }
        self.cost = Cost()

    def argument(self, node: FieldNode, name: str) -> Any:
        for argument in node.arguments:
            if argument.name.value == name:
                return value_from_ast_untyped(argument.value, self.variables)
        return None

    def fields(
        self, selections: SelectionSetNode, type_: GraphQLNamedType
    ) -> Iterator[tuple[FieldNode, GraphQLNamedType]]:
        for selection in selections.selections:
            if isinstance(selection, FieldNode):
                yield selection, type_
            elif isinstance(selection, InlineFragmentNode):
                condition = selection.type_condition
                inner = self.schema.type_map[condition.name.value] if condition else type_
                yield from self.fields(selection.selection_set, inner)
            elif isinstance(selection, FragmentSpreadNode):
                fragment = self.fragments[selection.name.value]
                inner = self.schema.type_map[fragment.type_condition.name.value]
                yield from self.fields(fragment.selection_set, inner)

    def walk(self, selections: SelectionSetNode, type_: GraphQLNamedType, times: int) -> float:
        """Count below ``type_``, of which there are ``times``; returns Linear's complexity of one."""
        complexity = 0.0
        for node, parent in self.fields(selections, type_):
            name = node.name.value
            if name.startswith("__") or not hasattr(parent, "fields"):
                complexity += 0.1
                continue
            definition = parent.fields[name]
            inner = get_named_type(definition.type)
            if is_leaf_type(inner) or node.selection_set is None:
                complexity += 0.1
                continue
            if is_object_type(inner) and inner.name.endswith("Connection"):
                size = self._page_size(node, name)
                self.cost.requests += times
                self.cost.nodes += times * size
                complexity += size * self.walk(node.selection_set, inner, times * size)
                continue
            many = 1
            if name == "nodes" and "ids" in definition.args:
                many = len(self.argument(node, "ids") or ())
            below = self.walk(node.selection_set, inner, times * many)
            wrapper = inner.name.endswith("Edge") or inner.name == "PageInfo"
            complexity += below if wrapper else 1 + below
        return complexity

    def _page_size(self, node: FieldNode, name: str) -> int:
        for argument in ("first", "last"):
            size = self.argument(node, argument)
            if size is None:
                continue
            if not isinstance(size, int) or size < 1:
                message = f"`{argument}` on the `{name}` connection must be a positive integer."
                self.cost.problems.append((message, "INVALID_PAGINATION_BOUNDARIES"))
                return 1
            if size > 100 and self.must_page:
                message = f"Requesting {size} records on the `{name}` connection exceeds"
                message += f" the `{argument}` limit of 100 records."
                self.cost.problems.append((message, "EXCESSIVE_PAGINATION"))
            return size
        asked = node.selection_set.selections if node.selection_set else ()
        if all(isinstance(each, FieldNode) and each.name.value == "totalCount" for each in asked):
            return 0  # only counted, not paged
        if self.must_page:
            message = f"You must provide a `first` or `last` value to properly paginate the `{name}` connection."
            self.cost.problems.append((message, "MISSING_PAGINATION_BOUNDARIES"))
            return 1
        return 50


def count(
    schema: GraphQLSchema,
    document: DocumentNode,
    variables: dict[str, Any] | None,
    operation: str | None,
    must_page: bool,
) -> Cost:
    """Count the operation that is going to be executed.

    Args:
        must_page: GitHub's rule that every connection has first or last, at most 100.
    """
    counter = _Counter(schema, document, _with_defaults(document, variables or {}), must_page)
    for each in document.definitions:
        if isinstance(each, OperationDefinitionNode) and (
            not operation or (each.name and each.name.value == operation)
        ):
            assert schema.query_type is not None
            counter.cost.complexity = math.ceil(counter.walk(each.selection_set, schema.query_type, 1))
            break
    return counter.cost


def _with_defaults(document: DocumentNode, variables: dict[str, Any]) -> dict[str, Any]:
    values = dict(variables)
    for each in document.definitions:
        if isinstance(each, OperationDefinitionNode):
            for definition in each.variable_definitions:
                name = definition.variable.name.value
                if name not in values and definition.default_value is not None:
                    values[name] = value_from_ast_untyped(definition.default_value)
    return values
