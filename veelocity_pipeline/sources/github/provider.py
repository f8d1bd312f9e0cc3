"""GitHub as a provider: headers, limits, errors.

Facts: GitHub's "Rate limits for the REST API", "Rate limits and query limits for the GraphQL API" and "Best practices
for using the REST API".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar
from urllib.parse import urlsplit

import httpx

from veelocity_pipeline.sources.kit.http.accounts import Budget
from veelocity_pipeline.sources.kit.http.provider import (
    Json,
    Limited,
    Provider,
    error_codes,
    is_rate_limit,
    message,
    number,
)


class GitHub(Provider):
    """GitHub, in the cloud or one's own; headers of limits may be missing there."""

    title = "GitHub"
    variable = "GITHUB_TOKEN"
    address = "GITHUB_API_URL"
    cure = (
        "give the token read access to it (classic token: scope 'repo'; fine-grained token or GitHub App: Contents, "
        "Issues, Pull requests, Actions, Deployments and Metadata, read-only; with SAML also authorize it for the "
        "organization)"
    )
    limits: ClassVar[Mapping[str, str]] = {
        "core": "hourly limit of REST requests",
        "graphql": "hourly limit of GraphQL points",
    }

    def headers(self, token: str) -> dict[str, str]:
        return {
            "Authorization": f"Bearer {token}",
            "Accept": "application/vnd.github+json",
            "X-GitHub-Api-Version": "2022-11-28",
        }

    def costs(self, is_graphql: bool, points: int) -> dict[str, int]:
        return {"graphql": max(1, points)} if is_graphql else {"core": 1}

    def limited(self, response: httpx.Response, body: Json, now: float, is_graphql: bool) -> Limited | None:
        headers, text = response.headers, message(body).lower()
        after = number(headers.get("retry-after"))
        resource = headers.get("x-ratelimit-resource") or ("graphql" if is_graphql else "core")
        is_secondary = "secondary rate limit" in text or "abuse detection" in text
        if response.status_code in (403, 429):
            is_spent = headers.get("x-ratelimit-remaining") == "0" and not is_secondary
            if is_spent:
                return Limited(after if after is not None else self._until_reset(response, now), resource)
            if after is not None or is_secondary or "rate limit" in text or response.status_code == 429:
                return Limited(after, "")
        if response.status_code == 200 and is_graphql:
            if is_rate_limit(body) and not is_secondary:
                return Limited(after if after is not None else self._until_reset(response, now), resource)
            if is_secondary and error_codes(body):
                return Limited(after, "")
        return None

    def budgets(self, response: httpx.Response, now: float, is_graphql: bool) -> dict[str, Budget]:
        remaining = number(response.headers.get("x-ratelimit-remaining"))
        seconds = self._until_reset(response, now)
        if remaining is None or seconds is None:
            return {}
        resource = response.headers.get("x-ratelimit-resource") or ("graphql" if is_graphql else "core")
        limit = number(response.headers.get("x-ratelimit-limit"))
        window = number(response.headers.get("x-ratelimit-reset"))
        return {resource: Budget(int(remaining), seconds, window, None if limit is None else int(limit))}

    def points(self, response: httpx.Response, body: Json) -> int:
        limit = (body.get("data") or {}).get("rateLimit") if isinstance(body, dict) else None
        return int(limit.get("cost") or 0) if isinstance(limit, dict) else 0

    def pace(self, url: str) -> dict[str, int]:
        # In the cloud 2,000 points a minute of GraphQL and 900 of REST; a server of one's own has no such limit.
        host = urlsplit(url).hostname or ""
        return {"graphql": 2_000, "core": 900} if host == "api.github.com" or host.endswith(".ghe.com") else {}

    def lacking(self, response: httpx.Response) -> str:
        # What a fine-grained token or an App would have to be granted, in GitHub's own words.
        return response.headers.get("x-accepted-github-permissions") or ""

    def is_harmless(self, error: Mapping[str, Any]) -> bool:
        # An id has outgrown GraphQL's Int: that field is null then, and the rest is whole.
        path = error.get("path")
        return isinstance(path, list) and path[-1:] == ["databaseId"]

    @staticmethod
    def _until_reset(response: httpx.Response, now: float) -> float | None:
        reset = number(response.headers.get("x-ratelimit-reset"))
        # One second more: the header is cut to whole seconds.
        return None if reset is None else max(0.0, reset - now) + 1


GITHUB = GitHub()
