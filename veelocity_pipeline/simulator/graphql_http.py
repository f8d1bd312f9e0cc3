"""GraphQL over HTTP, as far as all faces share it."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from veelocity_pipeline.simulator.engine import GatewayError, page_limit, spoilt
from veelocity_pipeline.simulator.faults import Fault, with_other_headers
from veelocity_pipeline.simulator.world import World

Answer = Callable[[dict[str, Any], str, Fault | None], tuple[Response, int]]
"""(body, Authorization header, fault) -> (answer, its cost)."""


async def answer_graphql(
    world: World, api: str, request: Request, answer: Answer, malformed: Callable[[], Response]
) -> Response:
    """Read a request, let its face answer it, and log it."""
    try:
        body = json.loads(await request.body())
        if not isinstance(body, dict) or not isinstance(body.get("query"), str):
            raise ValueError("no query")
    except ValueError:
        return world.note(api, request, malformed())
    operation = body.get("operationName") or ""
    fault = world.fault(f"{request.url.path} {operation} {body['query']} {json.dumps(body.get('variables') or {})}")
    if fault is not None and fault.kind in ("slow", "timeout"):
        await asyncio.sleep(fault.seconds)
    with world.lock:
        world.arrive()
        page_limit.set(world.page_limit)
        spoilt.set(tuple(world.spoilt))
        authorization = request.headers.get("authorization", "")
        try:
            response, points = answer(body, authorization, fault)
        except GatewayError:
            response, points = answer(body, authorization, Fault("502"))
        response = with_other_headers(fault, response, request)
        return world.note(api, request, response, points, operation or _operation(body["query"]))


def _operation(query: str) -> str:
    """Name of the document's first operation, for the log; of its first field where it has none."""
    named = re.match(r"\s*query\s+(\w+)", query)
    return named[1] if named else first_field(query)


def first_field(query: str) -> str:
    """Name of the first field."""
    inside = query.partition("{")[2].strip()
    word = "".join(each if each.isalnum() or each in "_:" else " " for each in inside).split()
    return word[0].rstrip(":") if word else ""
