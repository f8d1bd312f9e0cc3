"""The simulated Linear behind HTTP: keys, limits, faults."""

from __future__ import annotations

from datetime import datetime, timedelta
from email.utils import format_datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from veelocity_pipeline.simulator.cost import Cost, count
from veelocity_pipeline.simulator.engine import Engine
from veelocity_pipeline.simulator.faults import Fault, common_fault, halve, json_response, lose, repeat, retry_after
from veelocity_pipeline.simulator.graphql_http import answer_graphql
from veelocity_pipeline.simulator.linear.graphql import Allowance, Context, engine
from veelocity_pipeline.simulator.world import Purse, World

LINEAR_KEY = "lin_api_simulated000000000000000000000000"
_KEY_START = LINEAR_KEY[:17]
LINEAR_REQUESTS, LINEAR_COMPLEXITY, LINEAR_QUERY = 5_000, 250_000, 10_000
"""Per hour and key; the last per query."""


class Linear:
    """A Linear over an organisation."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.engine: Engine = engine()
        self.routes = [Route("/linear/graphql", self._answer_graphql, methods=["POST"])]

    async def _answer_graphql(self, request: Request) -> Response:
        return await answer_graphql(self._world, "linear", request, self._graphql_answer, self._malformed)

    def _graphql_answer(self, body: dict[str, Any], authorization: str, fault: Fault | None) -> tuple[Response, int]:
        headers = self._headers()
        broken = common_fault(fault, headers, authorization)
        if broken is not None:
            return broken, 0
        kind = fault.kind if fault else ""
        key = authorization.removeprefix("Bearer ").strip()
        if kind == "unauthorized" or not key.startswith(_KEY_START):
            return self._refusal(401, "Authentication required, not authenticated", "AUTHENTICATION_ERROR", headers), 0
        requests = self._world.purse("requests", key, LINEAR_REQUESTS)
        complexity = self._world.purse("complexity", key, LINEAR_COMPLEXITY)
        reset = self._world.now + timedelta(hours=1)
        document, problems = self.engine.prepare(body["query"])
        if document is None or problems:
            errors = [_error(each.message, "GRAPHQL_VALIDATION_FAILED") for each in problems]
            return json_response(400, {"errors": errors}, headers), 0
        variables, operation = body.get("variables") or {}, body.get("operationName")
        cost: Cost = count(self.engine.schema, document, variables, operation, must_page=False)
        points = int(cost.complexity)
        if points > LINEAR_QUERY:
            message = f"Query too complex: {points} is more than {LINEAR_QUERY}"
            return self._refusal(400, message, "INPUT_ERROR", headers), points
        if fault is not None and kind in ("secondary_limit", "abuse"):
            return self._refusal(429, "Rate limit exceeded", "RATELIMITED", headers | retry_after(fault)), 0
        fits = requests.take(1) and complexity.take(points)
        if kind in ("primary_limit", "respelt_limit") or not fits:
            spent = Purse(LINEAR_REQUESTS, LINEAR_REQUESTS)
            limited = {**headers, **self._allowance_headers(spent, complexity, points, self._world.now)}
            message = "Rate limit exceeded. Only 5000 requests are allowed per 1 hour."
            return self._refusal(400, message, "RATE_LIMITED" if kind == "respelt_limit" else "RATELIMITED", limited), 0
        headers |= self._allowance_headers(requests, complexity, points, reset)
        if kind in ("forbidden", "not_found"):
            code = "FORBIDDEN" if kind == "forbidden" else "INPUT_ERROR"
            message = "You don't have permission to do this" if kind == "forbidden" else "Entity not found"
            return self._refusal(200, message, code, headers, {"data": None}), points
        allowances = (
            Allowance("requests", requests.limit, requests.remaining, reset),
            Allowance("complexity", complexity.limit, complexity.remaining, reset),
        )
        context = Context(self._world.organization, allowances)
        result = self.engine.run(document, None, context, variables, operation)
        answer: dict[str, Any] = {"data": result.data}
        if result.errors:
            answer["errors"] = [each.formatted for each in result.errors]
        if kind == "partial":
            halve(result.data)
            answer["errors"] = [_error("Internal server error", "INTERNAL_SERVER_ERROR")]
        if kind in ("lost_field", "lost_node") and (path := lose(answer["data"], kind == "lost_field")):
            answer["errors"] = [{**_error("Lock timeout", "LOCK_TIMEOUT"), "path": path}]
        if kind == "gave_up":
            answer = {"data": None, "errors": [_error("Internal server error", "INTERNAL_SERVER_ERROR")]}
        if kind == "duplicated":
            repeat(answer["data"])
        return json_response(200, answer, headers), points

    def _malformed(self) -> Response:
        return self._refusal(400, "The request is not JSON with a query", "INPUT_ERROR", self._headers())

    def _headers(self) -> dict[str, str]:
        return {"date": format_datetime(self._world.now, usegmt=True)}

    @staticmethod
    def _allowance_headers(requests: Purse, complexity: Purse, points: int, reset: datetime) -> dict[str, str]:
        at = str(int(reset.timestamp() * 1000))
        return {
            "x-ratelimit-requests-limit": str(requests.limit),
            "x-ratelimit-requests-remaining": str(requests.remaining),
            "x-ratelimit-requests-reset": at,
            "x-complexity": str(points),
            "x-ratelimit-complexity-limit": str(complexity.limit),
            "x-ratelimit-complexity-remaining": str(complexity.remaining),
            "x-ratelimit-complexity-reset": at,
        }

    def _refusal(
        self, status: int, message: str, code: str, headers: dict[str, str], more: dict[str, Any] | None = None
    ) -> Response:
        return json_response(status, {**(more or {}), "errors": [_error(message, code)]}, headers)


def _error(message: str, code: str) -> dict[str, Any]:
    kinds = {
        "RATELIMITED": "ratelimited",
        "AUTHENTICATION_ERROR": "authentication error",
        "FORBIDDEN": "forbidden",
        "INTERNAL_SERVER_ERROR": "internal error",
    }
    extensions = {
        "type": kinds.get(code, "invalid input"),
        "code": code,
        "userError": code != "INTERNAL_SERVER_ERROR",
        "userPresentableMessage": message,
    }
    return {"message": message, "extensions": extensions}
