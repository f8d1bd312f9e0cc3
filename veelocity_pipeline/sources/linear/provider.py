"""Linear as a provider: headers, limits, errors. Facts: Linear's "Rate limiting"."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import ClassVar

import httpx

from veelocity_pipeline.sources.kit.http.accounts import Budget
from veelocity_pipeline.sources.kit.http.provider import Json, Limited, Provider, is_rate_limit, number


class Linear(Provider):
    """Linear; a personal key is sent bare, an OAuth token as a bearer."""

    title = "Linear"
    variable = "LINEAR_API_KEY"
    address = "LINEAR_API_URL"
    cure = "use a key of a member who can see it"
    limits: ClassVar[Mapping[str, str]] = {
        "requests": "hourly limit of requests",
        "complexity": "hourly limit of complexity",
    }

    def headers(self, token: str) -> dict[str, str]:
        return {"Authorization": token if token.startswith("lin_api_") else f"Bearer {token}"}

    def costs(self, is_graphql: bool, points: int) -> dict[str, int]:
        return {"requests": 1, "complexity": max(1, points)}

    def limited(self, response: httpx.Response, body: Json, now: float, is_graphql: bool) -> Limited | None:
        if response.status_code == 429 or is_rate_limit(body):
            spent = {
                kind: budget.seconds
                for kind, budget in self.budgets(response, now, is_graphql).items()
                if budget.remaining == 0
            }
            kind = max(spent, key=lambda name: spent[name]) if spent else ""
            after = number(response.headers.get("retry-after"))
            return Limited(after if after is not None else spent.get(kind), kind)
        return None

    def budgets(self, response: httpx.Response, now: float, is_graphql: bool) -> dict[str, Budget]:
        found = {}
        for kind in ("requests", "complexity"):
            remaining = number(response.headers.get(f"x-ratelimit-{kind}-remaining"))
            milliseconds = number(response.headers.get(f"x-ratelimit-{kind}-reset"))
            if remaining is not None and milliseconds is not None:
                limit = number(response.headers.get(f"x-ratelimit-{kind}-limit"))
                seconds = max(0.0, milliseconds / 1000 - now) + 1
                found[kind] = Budget(int(remaining), seconds, limit=None if limit is None else int(limit))
        return found

    def points(self, response: httpx.Response, body: Json) -> int:
        return math.ceil(number(response.headers.get("x-complexity")) or 0)


LINEAR = Linear()
