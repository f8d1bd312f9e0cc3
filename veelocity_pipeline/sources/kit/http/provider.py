"""What vendors do differently: how a token is sent, how a limit is told, what an error is called."""

from __future__ import annotations

import math
import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar

import httpx

from veelocity_pipeline.sources.kit.http.accounts import Budget

Json = Any


@dataclass(frozen=True)
class Limited:
    """An answer that says: not now.

    Attributes:
        seconds: how long to wait; None where the provider does not say.
        resource: whose hourly budget is spent; empty where it was too much at once, which blocks the whole token.
    """

    seconds: float | None
    resource: str


class Provider(ABC):
    """How one vendor sends tokens, tells limits and words errors.

    Attributes:
        title: for messages.
        variable: the setting that holds the token.
        address: the setting that holds the API's address.
        cure: what a token that may not read something lacks.
        limits: what each resource that has a budget is called, in the words after the title.
    """

    title: str
    variable: str
    address: str
    cure: str
    limits: ClassVar[Mapping[str, str]] = MappingProxyType({})

    @abstractmethod
    def headers(self, token: str) -> dict[str, str]:
        """Headers of every request with this token."""

    @abstractmethod
    def costs(self, is_graphql: bool, points: int) -> dict[str, int]:
        """What a request takes of each resource, if a GraphQL document costs this many points."""

    @abstractmethod
    def limited(self, response: httpx.Response, body: Json, now: float, is_graphql: bool) -> Limited | None:
        """Whether this answer is a limit. ``now`` is the server's time, in seconds of Unix."""

    @abstractmethod
    def budgets(self, response: httpx.Response, now: float, is_graphql: bool) -> dict[str, Budget]:
        """What the token has left, by resource; empty if the answer does not say."""

    def pace(self, url: str) -> dict[str, int]:
        """By resource, what a token may spend in a minute at the API with this address; empty: as much as it likes."""
        del url
        return {}

    @abstractmethod
    def points(self, response: httpx.Response, body: Json) -> int:
        """What a GraphQL answer cost, in the provider's points; 0 if it does not say."""

    def lacking(self, response: httpx.Response) -> str:
        """Return what a refusal says that the token would have to be granted; empty where it does not."""
        del response
        return ""

    def is_harmless(self, error: Mapping[str, Any]) -> bool:
        """Whether an error of GraphQL leaves the data whole."""
        del error
        return False


def number(text: str | None) -> float | None:
    try:
        value = float(text) if text is not None else None
    except ValueError:
        return None
    return value if value is not None and math.isfinite(value) else None


def message(body: Json) -> str:
    if isinstance(body, dict):
        said = body.get("message")
        if isinstance(said, str):
            return said
        errors = body.get("errors")
        if isinstance(errors, list):
            return "; ".join(str(error.get("message", "")) for error in errors if isinstance(error, dict))
    return ""


def error_code(error: Mapping[str, Any]) -> str:
    """Return the code of an error of GraphQL, in upper case: its ``type``, or its ``extensions.code``."""
    extensions = error.get("extensions")
    code = error.get("type") or (extensions.get("code") if isinstance(extensions, dict) else "") or ""
    return str(code).upper().replace(" ", "_")


def error_codes(body: Json) -> list[str]:
    errors = body.get("errors") if isinstance(body, dict) else None
    return [error_code(error) for error in errors if isinstance(error, dict)] if isinstance(errors, list) else []


_LIMIT = re.compile(r"RATE.?LIMIT|TOO.?MANY.?REQUESTS|THROTTL")
_TOO_LARGE = re.compile(
    r"too complex|complexity (limit|of|is)|too expensive|too many nodes|node limit|too large|"
    r"(exceeds|more than) the (maximum|max|allowed)|max(imum)?.?(node|complexity|cost|depth).{0,20}(limit|exceed)"
)


def all_codes(error: Mapping[str, Any]) -> list[str]:
    """Return everything that an error of GraphQL is called by: vendors change the place and the spelling."""
    extensions = error.get("extensions")
    inner = extensions if isinstance(extensions, Mapping) else {}
    found = (error.get("type"), error.get("code"), inner.get("code"), inner.get("type"))
    return [str(code).upper().replace(" ", "_").replace("-", "_") for code in found if code]


def is_rate_limit(body: Json) -> bool:
    """Whether the errors of a GraphQL answer say that there were too many requests, however that is spelt."""
    errors = body.get("errors") if isinstance(body, dict) else None
    if not isinstance(errors, list):
        return False
    known = [error for error in errors if isinstance(error, dict)]
    if any(_LIMIT.search(code) for error in known for code in all_codes(error)):
        return True
    said = any(re.search(r"rate.?limit", str(error.get("message")), re.IGNORECASE) for error in known)
    return said and not body.get("data")


def is_too_large(error: Mapping[str, Any]) -> bool:
    """Whether an error of GraphQL says that the query asks for too much, so that a smaller page may do."""
    text = " ".join([*(code.replace("_", " ") for code in all_codes(error)), str(error.get("message") or "")])
    return bool(_TOO_LARGE.search(text.lower()))
