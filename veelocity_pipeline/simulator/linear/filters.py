"""Linear's filters: which objects a ``filter`` argument names."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from veelocity_pipeline.simulator.engine import ApiError, moment, snake
from veelocity_pipeline.simulator.organization.tracker import LinearIssue


def bad_input(message: str) -> ApiError:
    """An error as Linear words those of its arguments."""
    extensions = {
        "type": "invalid input",
        "code": "INPUT_ERROR",
        "statusCode": 400,
        "userError": True,
        "userPresentableMessage": message,
    }
    return ApiError(message, extensions=extensions)


def _instant(value: str, now: datetime) -> datetime:
    """A time, or a duration before (``-P2W``) or after now (``P2W``) in days or weeks."""
    sign = -1 if value.startswith("-") else 1
    text = value.removeprefix("-")
    if text.startswith("P") and text[-1:] in ("D", "W") and text[1:-1].isdigit():
        days = int(text[1:-1]) * (7 if text.endswith("W") else 1)
        return now + sign * timedelta(days=days)
    try:
        return moment(value)
    except ValueError as error:
        raise bad_input(f"Argument Validation Error: {value} is not a date or duration") from error


def _plain(text: str) -> str:
    decomposed = unicodedata.normalize("NFD", text.casefold())
    return "".join(each for each in decomposed if not unicodedata.combining(each))


_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "eq": lambda value, wanted: value == wanted,
    "neq": lambda value, wanted: value != wanted,
    "in": lambda value, wanted: value in wanted,
    "nin": lambda value, wanted: value not in wanted,
    "gt": lambda value, wanted: value is not None and value > wanted,
    "gte": lambda value, wanted: value is not None and value >= wanted,
    "lt": lambda value, wanted: value is not None and value < wanted,
    "lte": lambda value, wanted: value is not None and value <= wanted,
    "null": lambda value, wanted: (value is None) == wanted,
    "eqIgnoreCase": lambda value, wanted: (value or "").casefold() == wanted.casefold(),
    "neqIgnoreCase": lambda value, wanted: (value or "").casefold() != wanted.casefold(),
    "startsWith": lambda value, wanted: (value or "").startswith(wanted),
    "startsWithIgnoreCase": lambda value, wanted: (value or "").casefold().startswith(wanted.casefold()),
    "notStartsWith": lambda value, wanted: not (value or "").startswith(wanted),
    "endsWith": lambda value, wanted: (value or "").endswith(wanted),
    "notEndsWith": lambda value, wanted: not (value or "").endswith(wanted),
    "contains": lambda value, wanted: wanted in (value or ""),
    "containsIgnoreCase": lambda value, wanted: wanted.casefold() in (value or "").casefold(),
    "containsIgnoreCaseAndAccent": lambda value, wanted: _plain(wanted) in _plain(value or ""),
    "notContains": lambda value, wanted: wanted not in (value or ""),
    "notContainsIgnoreCase": lambda value, wanted: wanted.casefold() not in (value or "").casefold(),
}
_RELATIONS = {"team", "state", "assignee", "creator", "cycle", "project", "issue", "user", "parent"}
_COLLECTIONS = {"labels"}
_NAMES = {"private": "is_private", "active": "is_active", "app": "is_app", "isGroup": "is_group"}


def attribute(item: Any, name: str) -> Any:
    if name == "private":
        return False
    return getattr(item, _NAMES.get(name, snake(name)))


def matches(item: Any, wanted: dict[str, Any] | None, now: datetime) -> bool:
    """Whether an item passes a filter; all its conditions must hold."""
    for name, condition in (wanted or {}).items():
        if condition is None:
            continue
        if name == "and":
            passed = all(matches(item, each, now) for each in condition)
        elif name == "or":
            passed = any(matches(item, each, now) for each in condition)
        elif name == "null":
            passed = (item is None) == condition
        elif item is None:
            passed = False
        elif name in _RELATIONS:
            passed = matches(attribute(item, name), condition, now)
        elif name in _COLLECTIONS:
            passed = _collection(attribute(item, name), condition, now)
        else:
            passed = _compared(item, name, condition, now)
        if not passed:
            return False
    return True


def _collection(items: list[Any], condition: dict[str, Any], now: datetime) -> bool:
    """Conditions on a list: some (also written directly), every, length."""
    direct = {key: value for key, value in condition.items() if key not in ("some", "every", "length")}
    if direct and not any(matches(each, direct, now) for each in items):
        return False
    if condition.get("some") is not None and not any(matches(each, condition["some"], now) for each in items):
        return False
    if condition.get("every") is not None and not all(matches(each, condition["every"], now) for each in items):
        return False
    length = condition.get("length")
    return length is None or all(_COMPARE[key](len(items), value) for key, value in length.items())


def _compared(item: Any, name: str, condition: dict[str, Any], now: datetime) -> bool:
    values = [attribute(item, name)]
    if name == "id" and isinstance(item, LinearIssue):
        values.append(item.identifier)
    results = []
    for operator, wanted in condition.items():
        is_time = name.endswith("At") and operator != "null"
        if is_time and wanted is not None:
            wanted = [_instant(each, now) for each in wanted] if isinstance(wanted, list) else _instant(wanted, now)
        tested = [_COMPARE[operator](value, wanted) for value in values]
        results.append(all(tested) if operator in ("neq", "nin") else any(tested))
    return all(results)
