"""The simulated GitHub and Linear in a process of their own, with their log, and answers that can be given again.

An answer that was given once can be given again from memory (``replay``): what is measured then is the client, and not
how fast the simulator thinks.
"""

from __future__ import annotations

import hashlib
import multiprocessing
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

import anyio
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from veelocity_pipeline.simulator import Simulator


@dataclass(frozen=True)
class Asked:
    """What some requests came to, as the simulator's log has it.

    Attributes:
        graphql, points: GitHub's GraphQL requests and what they cost.
        rest, unchanged: GitHub's REST requests that were paid for, and those that answered 304.
        linear, complexity: Linear's requests and what they cost.
        operations: how many of each GraphQL operation or REST path (numbers left out).
    """

    graphql: int
    points: int
    rest: int
    unchanged: int
    linear: int
    complexity: int
    operations: dict[str, int]

    @property
    def requests(self) -> int:
        """All of them."""
        return self.graphql + self.rest + self.unchanged + self.linear


class _Replay:
    """Middleware that keeps answers, waits before it gives one, and gives kept ones again."""

    def __init__(self, app: ASGIApp, keep: dict[str, Any]) -> None:
        self.app = app
        self.keep = keep

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.keep["delay"]:
            await anyio.sleep(self.keep["delay"])
        if not self.keep["is_on"]:
            await self.app(scope, receive, send)
            return
        body = b""
        more = True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        headers = dict(scope["headers"])
        identity = [scope["method"], scope["path"], scope["query_string"], headers.get(b"if-none-match"), body]
        key = hashlib.sha256(repr(identity).encode()).hexdigest()
        answer: list[Message] | None = self.keep["answers"].get(key)
        if answer is None:
            answer = []

            async def request() -> Message:
                return {"type": "http.request", "body": body, "more_body": False}

            async def note(message: Message) -> None:
                answer.append(message)

            await self.app(scope, request, note)
            self.keep["answers"][key] = answer
            self.keep["misses"] += 1
        self.keep["count"] += 1
        for message in answer:
            await send(message)


def _asked(simulator: Simulator, since: int) -> Asked:
    log = simulator.log[since:]
    graphql = [each for each in log if each.api == "graphql"]
    rest = [each for each in log if each.api == "rest"]
    linear = [each for each in log if each.api == "linear"]

    def title(path: str) -> str:
        return "/".join("…" if part.isdigit() else part for part in path.partition("?")[0].split("/")[4:])

    operations = Counter(each.operation for each in (*graphql, *linear))
    operations.update(f"{each.status} {title(each.path)}" for each in rest)
    return Asked(
        graphql=len(graphql),
        points=sum(each.points for each in graphql),
        rest=sum(each.status != 304 for each in rest),
        unchanged=sum(each.status == 304 for each in rest),
        linear=len(linear),
        complexity=sum(each.points for each in linear),
        operations=dict(operations.most_common()),
    )


def _serve(size: str, pipe: Connection) -> None:
    keep: dict[str, Any] = {"is_on": False, "delay": 0.0, "answers": {}, "count": 0, "misses": 0}
    simulator = Simulator(size=size)
    simulator.app.add_middleware(_Replay, keep=keep)
    since = 0
    with simulator:
        pipe.send((simulator.environment(), simulator.configuration()))
        while True:
            command, value = pipe.recv()
            answer: Any = None
            if command == "stop":
                return
            if command == "asked":
                answer, since = _asked(simulator, since), len(simulator.log)
            elif command == "replay":
                keep["is_on"] = value
            elif command == "delay":
                keep["delay"] = value
            elif command == "answered":
                answer = (keep["count"], keep["misses"])
                keep["count"] = keep["misses"] = 0
            elif command == "bodies":
                bodies = (b"".join(part.get("body", b"") for part in each) for each in keep["answers"].values())
                answer = [body for body in bodies if body]
            elif command == "touch":
                _touch(simulator)
            elif command == "settle":
                simulator.settle()
                simulator.advance(hours=1)
            pipe.send(answer)


def _touch(simulator: Simulator) -> None:
    """Somebody changes the title of one pull request, a minute later."""
    simulator.advance(minutes=1)
    repository = simulator.organization.repositories[len(simulator.organization.repositories) // 2]
    pull_request = repository.pull_requests[0]
    pull_request.title += " (edited)"
    pull_request.updated_at = simulator.now


class Server:
    """A simulator in another process."""

    def __init__(self, pipe: Connection, environment: dict[str, str], configuration: str) -> None:
        self._pipe = pipe
        self.environment = environment
        self.configuration = configuration

    def _ask(self, command: str, value: Any = None) -> Any:
        self._pipe.send((command, value))
        return self._pipe.recv()

    def asked(self) -> Asked:
        """What was asked since the last time."""
        asked: Asked = self._ask("asked")
        return asked

    def replay(self, is_on: bool = True) -> None:
        """Keep answers, and give kept ones again."""
        self._ask("replay", is_on)

    def delay(self, seconds: float) -> None:
        """Let every answer take so long."""
        self._ask("delay", seconds)

    def answered(self) -> tuple[int, int]:
        """How many answers ``replay`` gave since the last time, and how many of these were not kept before."""
        answered: tuple[int, int] = self._ask("answered")
        return answered

    def bodies(self) -> list[bytes]:
        """The bodies of all kept answers."""
        bodies: list[bytes] = self._ask("bodies")
        return bodies

    def touch(self) -> None:
        """Change one pull request."""
        self._ask("touch")

    def settle(self) -> None:
        """Let an hour pass in which nothing happens, and nothing happen any more."""
        self._ask("settle")


@contextmanager
def serving(size: str) -> Iterator[Server]:
    """A simulated organisation of this size, while the block runs."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(size, theirs), daemon=True)
    process.start()
    theirs.close()  # so that its end is noticed here
    try:
        yield Server(ours, *ours.recv())
    finally:
        ours.send(("stop", None))
        process.join(timeout=10)
        if process.is_alive():
            process.terminate()
