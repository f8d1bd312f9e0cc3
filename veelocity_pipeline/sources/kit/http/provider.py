"""What vendors do differently: how a token is sent, how a limit is told, what an error is called."""

from __future__ import annotations

import math
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
