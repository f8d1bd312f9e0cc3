"""Lists of GitHub's GraphQL, as their arguments filter and order them, and finding one of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from veelocity_pipeline.simulator.engine import ApiError, Connection, moment
from veelocity_pipeline.simulator.github.objects import Context
from veelocity_pipeline.simulator.organization.code_host import Account, Repository


def ordered(
    items: Iterable[Any], args: dict[str, Any], name: str, default: tuple[str, str] | None = None
) -> Connection:
    """A page in the order asked for; the order is by the field, then by id."""
    order = args.get("orderBy")
    field, direction = (order["field"], order["direction"]) if order else (default or ("", ""))
    attribute = {
        "CREATED_AT": "created_at",
        "UPDATED_AT": "updated_at",
        "NAME": "name",
        "PUSHED_AT": "pushed_at",
        "COMMENTS": "comments",
        "STARGAZERS": "database_id",
        "TAG_COMMIT_DATE": "",
        "ALPHABETICAL": "name",
    }.get(field, "")
    if not attribute:
        return Connection(list(items), args, name)

    def key(item: Any) -> list[Any]:
        value = getattr(item, attribute)
        if isinstance(value, datetime):
            value = value.timestamp()
        elif isinstance(value, list):
            value = len(value)
        return [value, item.id]

    descending = direction == "DESC"
    return Connection(sorted(items, key=key, reverse=descending), args, name, key, descending)


def listing(name: str, getter: Callable[[Any], list[Any]], default: tuple[str, str] | None = None) -> Any:
    return lambda source, args, context: ordered(getter(source), args, name, default)


def filtered(name: str, getter: Callable[[Any], list[Any]]) -> Any:
    """Pull requests or issues by states, labels, branches and filterBy."""

    def resolve(source: Any, args: dict[str, Any], context: Context) -> Connection:
        items = getter(source)
        states, labels = args.get("states"), args.get("labels")
        if states:
            items = [each for each in items if each.state in states]
        if labels:
            items = [each for each in items if any(label.name in labels for label in each.labels)]
        for argument, attribute in (("baseRefName", "base_branch"), ("headRefName", "head_branch")):
            if args.get(argument):
                items = [each for each in items if getattr(each, attribute) == args[argument]]
        filters = args.get("filterBy") or {}
        if filters.get("since"):
            since = moment(filters["since"])
            items = [each for each in items if each.updated_at >= since]
        if filters.get("states"):
            items = [each for each in items if each.state in filters["states"]]
        if filters.get("labels"):
            items = [each for each in items if any(label.name in filters["labels"] for label in each.labels)]
        if filters.get("createdBy"):
            items = [each for each in items if each.author.login == filters["createdBy"]]
        if filters.get("assignee"):
            items = [each for each in items if each.assignee and each.assignee.login == filters["assignee"]]
        return ordered(items, args, name, ("CREATED_AT", "ASC"))

    return resolve


def repositories_of(source: Account, args: dict[str, Any], context: Context) -> Connection:
    items = [each for each in (*context.organization.repositories, *context.organization.forks) if each.owner is source]
    for argument, test in (
        ("isFork", lambda each: each.is_fork),
        ("isArchived", lambda each: each.archived_at is not None),
        ("isLocked", lambda each: False),
    ):
        if args.get(argument) is not None:
            items = [each for each in items if test(each) == args[argument]]
    return ordered(items, args, "repositories", ("NAME", "ASC"))


def repository_of(source: Account, args: dict[str, Any], context: Context) -> Repository | None:
    return find_repository(context, source.login, args["name"], args.get("followRenames", True))


def find_repository(context: Context, owner: str, name: str, follow: bool | None) -> Repository | None:
    repository = context.organization.repository(f"{owner}/{name}")
    if repository is None or (follow is False and repository.full_name.lower() != f"{owner}/{name}".lower()):
        message = f"Could not resolve to a Repository with the name '{owner}/{name}'."
        raise ApiError(message, "NOT_FOUND")
    return repository


def by_number(name: str, *getters: Callable[[Repository], list[Any]]) -> Any:
    def resolve(source: Repository, args: dict[str, Any], context: Context) -> Any:
        for getter in getters:
            for each in getter(source):
                if each.number == args["number"]:
                    return each
        raise ApiError(f"Could not resolve to {name} with the number of {args['number']}.", "NOT_FOUND")

    return resolve
