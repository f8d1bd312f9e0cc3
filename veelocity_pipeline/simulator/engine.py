"""GraphQL over Python objects: documents are parsed, validated and executed by graphql-core.

A field reads the attribute of its name (``updatedAt`` is ``updated_at``) unless a resolver is given.
Plain values skip graphql-core's per-field machinery, since pages of fifty pull requests with all
their children are tens of thousands of values.
"""

from __future__ import annotations

import base64
import json
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path as FilePath
from typing import Any

from graphql import (
    DocumentNode,
    ExecutionContext,
    ExecutionResult,
    FieldNode,
    GraphQLError,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLResolveInfo,
    GraphQLScalarType,
    GraphQLSchema,
    GraphQLSyntaxError,
    GraphQLUnionType,
    build_schema,
    execute,
    get_named_type,
    get_nullable_type,
    is_leaf_type,
    located_error,
    parse,
    validate,
)
from graphql.pyutils import Path

from veelocity_pipeline.simulator.spoilt import Spoilt

Resolver = Callable[[Any, dict[str, Any], Any], Any]
"""(the object, the field's arguments, the request's context) -> value."""


def snake(name: str) -> str:
    """``updatedAt`` as ``updated_at``."""
    return re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", name).lower()


def timestamp(value: datetime) -> str:
    """A time as both providers write it in GraphQL; milliseconds are added where Linear has them."""
    return value.isoformat()[:19] + "Z"


def moment(value: str) -> datetime:
    """The time that a client wrote."""
    parsed = datetime.fromisoformat(value.replace("Z", "+00:00"))
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


class ApiError(GraphQLError):
    """An error with a provider's code: GitHub's ``type`` or Linear's ``extensions``."""

    def __init__(self, message: str, kind: str = "", extensions: dict[str, Any] | None = None) -> None:
        super().__init__(message, extensions=extensions)
        self.kind = kind


@dataclass(slots=True)
class PageInfo:
    """Where a page lies."""

    has_next_page: bool
    has_previous_page: bool
    start_cursor: str | None
    end_cursor: str | None


@dataclass(slots=True)
class Edge:
    """An item and its cursor."""

    cursor: str
    node: Any


def encode_cursor(value: Any) -> str:
    """An opaque cursor."""
    return base64.urlsafe_b64encode(json.dumps(["v2", value]).encode()).decode()


def decode_cursor(cursor: str) -> Any:
    """What a cursor of ours stands for.

    Raises:
        ValueError: it is none of ours.
    """
    version, value = json.loads(base64.urlsafe_b64decode(cursor.encode()))
    if version != "v2":
        raise ValueError(cursor)
    return value


page_limit: ContextVar[int | None] = ContextVar("page_limit", default=None)
"""The most that a page holds in the request that is being answered, however many are asked for."""


spoilt: ContextVar[Sequence[Spoilt]] = ContextVar("spoilt", default=())
"""Objects that fail in the request that is being answered."""

failed: ContextVar[list[Spoilt]] = ContextVar("failed")
"""Those of them that made the whole request fail."""


class Connection:
    """One page of a list.

    Args:
        items: the whole list, in the order asked for.
        args: first or last, after, before.
        name: of the field, for messages.
        key: sort key of an item as JSON values; then a cursor stands for a place in the order, and an
            item that moves while a client pages is met again rather than missed. Without it a cursor
            is an offset.
        descending: whether ``key`` falls along the list.
        default: page size where neither first nor last is given.
    """

    __slots__ = ("_has_next", "_items", "_key", "_start", "nodes", "total_count")

    def __init__(
        self,
        items: Sequence[Any],
        args: Mapping[str, Any],
        name: str = "",
        key: Callable[[Any], list[Any]] | None = None,
        descending: bool = False,
        default: int = 50,
    ) -> None:
        self._items, self._key = items, key
        self.total_count = len(items)
        start, end = 0, len(items)
        if args.get("after"):
            start = self._place(args["after"], True, descending)
        if args.get("before"):
            end = self._place(args["before"], False, descending)
        first, last = args.get("first"), args.get("last")
        if first is None and last is None:
            first = default
        limit = page_limit.get()
        if limit is not None:
            first, last = (None if each is None else min(each, limit) for each in (first, last))
        if first is not None:
            end = min(end, start + first)
        else:
            start = max(start, end - (last or 0))
        self._start = start
        self.nodes = items[start:end] if start < end else []
        self._has_next = end < len(items)

    def _place(self, cursor: str, is_after: bool, descending: bool) -> int:
        try:
            value = decode_cursor(cursor)
            if self._key is None:
                return int(value) + 1 if is_after else int(value)
            key = self._key
            passed: Callable[[Any, Any], bool]
            if is_after:
                passed = operator.lt if descending else operator.gt
            else:
                passed = operator.le if descending else operator.ge
            low, high = 0, len(self._items)
            while low < high:
                middle = (low + high) // 2
                if passed(key(self._items[middle]), value):
                    high = middle
                else:
                    low = middle + 1
            return low
        except (ValueError, TypeError) as error:
            raise ApiError(f"`{cursor}` does not appear to be a valid cursor.", "INVALID_CURSOR_ARGUMENTS") from error

    def _cursor(self, offset: int) -> str:
        item = self.nodes[offset]
        return encode_cursor(self._key(item) if self._key else self._start + offset)

    @property
    def edges(self) -> list[Edge]:
        """Items with their cursors."""
        return [Edge(self._cursor(offset), node) for offset, node in enumerate(self.nodes)]

    @property
    def page_info(self) -> PageInfo:
        """Where this page lies."""
        return PageInfo(
            has_next_page=self._has_next,
            has_previous_page=self._start > 0,
            start_cursor=self._cursor(0) if self.nodes else None,
            end_cursor=self._cursor(len(self.nodes) - 1) if self.nodes else None,
        )


class _QuickContext(ExecutionContext):
    """Execution that reads plain values without ceremony."""

    plain: Mapping[str, Mapping[str, tuple[Callable[[Any], Any], Callable[[Any], Any] | None]]] = {}

    def execute_field(
        self, parent_type: GraphQLObjectType, source: Any, field_nodes: list[FieldNode], path: Path
    ) -> Any:
        node = field_nodes[0]
        entry = self.plain[parent_type.name].get(node.name.value)
        if entry is not None and not node.arguments:
            getter, serialize = entry
            value = getter(source)
            if value is not None:
                return serialize(value) if serialize else value
        return super().execute_field(parent_type, source, field_nodes, path)


class GatewayError(Exception):
    """The server in between answers, whatever was asked."""


class _SpoiltContext(_QuickContext):
    """Execution in which some objects fail."""

    def execute_field(
        self, parent_type: GraphQLObjectType, source: Any, field_nodes: list[FieldNode], path: Path
    ) -> Any:
        name = field_nodes[0].name.value
        key = getattr(source, "id", None)
        for each in spoilt.get():
            if key != each.object or each.field not in ("", name):
                continue
            if each.value is not None:
                return each.value
            if each.code == "502":
                failed.get().append(each)
            error = ApiError(f"{parent_type.name} {key} is not to be had", each.code, {"code": each.code})
            if not each.field:
                raise error
            located = located_error(error, field_nodes, path.as_list())
            self.handle_field_error(located, parent_type.fields[name].type, path)
            return None
        return super().execute_field(parent_type, source, field_nodes, path)


class Engine:
    """A schema with resolvers, and what was parsed so far.

    Args:
        sdl: the file of the schema.
        resolvers: by type, by field; a field without arguments may be given a function of the object alone.
        type_name: the GraphQL type of an object, where the schema has an interface or union.
        time_format: how DateTime is written.
    """

    def __init__(
        self,
        sdl: FilePath,
        resolvers: Mapping[str, Mapping[str, Resolver]],
        values: Mapping[str, Mapping[str, Callable[[Any], Any]]],
        type_name: Callable[[Any], str],
        time_format: Callable[[datetime], str] = timestamp,
    ) -> None:
        self.schema: GraphQLSchema = build_schema(sdl.read_text(encoding="utf-8"))
        for name in ("DateTime", "GitTimestamp"):
            scalar = self.schema.type_map.get(name)
            if isinstance(scalar, GraphQLScalarType):
                scalar.serialize = time_format  # type: ignore[method-assign,assignment]
        plain: dict[str, dict[str, Any]] = {}
        forms = {"DateTime": time_format, "GitTimestamp": time_format, "Float": _number}
        for type_ in self.schema.type_map.values():
            if isinstance(type_, GraphQLInterfaceType | GraphQLUnionType):
                type_.resolve_type = lambda value, _info, _type: type_name(value)
            if not isinstance(type_, GraphQLObjectType):
                continue
            quick = plain.setdefault(type_.name, {"__typename": (lambda _value, name=type_.name: name, None)})
            given, simple = resolvers.get(type_.name, {}), values.get(type_.name, {})
            for unknown in (given.keys() | simple.keys()) - type_.fields.keys():
                raise ValueError(f"{sdl} has no field {type_.name}.{unknown}")
            for field_name, field in type_.fields.items():
                if field_name in given:
                    field.resolve = _with_context(given[field_name])
                    continue
                getter = simple.get(field_name) or operator.attrgetter(snake(field_name))
                field.resolve = lambda source, _info, _getter=getter, **_args: _getter(source)
                inner = get_nullable_type(field.type)
                if is_leaf_type(inner):
                    quick[field_name] = (getter, forms.get(get_named_type(inner).name))
        self._context = type("Context", (_QuickContext,), {"plain": plain})
        self._spoilt_context = type("Context", (_SpoiltContext,), {"plain": plain})
        self._prepare = lru_cache(maxsize=512)(self._prepare_document)

    def _prepare_document(self, query: str) -> tuple[DocumentNode | None, tuple[GraphQLError, ...]]:
        try:
            document = parse(query)
        except GraphQLSyntaxError as error:
            return None, (error,)
        return document, tuple(validate(self.schema, document))

    def prepare(self, query: str) -> tuple[DocumentNode | None, tuple[GraphQLError, ...]]:
        """The parsed document, or None, and the errors of syntax or validation; remembered."""
        return self._prepare(query)

    def run(
        self, document: DocumentNode, root: Any, context: Any, variables: dict[str, Any] | None, operation: str | None
    ) -> ExecutionResult:
        """Execute a valid document.

        Raises:
            GatewayError: something in it makes the server fail.
        """
        failed.set([])
        result = execute(
            self.schema,
            document,
            root_value=root,
            context_value=context,
            variable_values=variables,
            operation_name=operation,
            execution_context_class=self._spoilt_context if spoilt.get() else self._context,
            is_awaitable=lambda _value: False,
        )
        assert isinstance(result, ExecutionResult)
        if failed.get():
            raise GatewayError
        return result


def _with_context(resolver: Resolver) -> Callable[..., Any]:
    def resolve(source: Any, info: GraphQLResolveInfo, **args: Any) -> Any:
        return resolver(source, args, info.context)

    return resolve


def _number(value: float) -> float:
    """A whole number without a fraction, as JSON of a JavaScript server has it."""
    return int(value) if value == int(value) else value
