"""What the faces of one simulator share: the organisation and its clock, budgets, faults, and the log."""

from __future__ import annotations

import random
import threading
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from veelocity_pipeline.simulator.faults import Fault
from veelocity_pipeline.simulator.organization.life import Life, Still
from veelocity_pipeline.simulator.organization.whole import Organization
from veelocity_pipeline.simulator.spoilt import Spoilt


@dataclass(frozen=True)
class LoggedRequest:
    """A request that was answered; ``points`` are GitHub's points or Linear's complexity."""

    api: str
    method: str
    path: str
    status: int
    points: int
    operation: str


@dataclass
class Purse:
    """What one token has left in its hour.

    The clock stands still between advances, so a spent hour is refused once and then is over.
    """

    limit: int
    used: int = 0

    @property
    def remaining(self) -> int:
        """What is left."""
        return max(0, self.limit - self.used)

    def take(self, amount: int) -> bool:
        """Spend some of it, if there is enough."""
        if self.used + amount > self.limit:
            self.used = 0
            return False
        self.used += amount
        return True


class World:
    """One organisation, and what is known of those who ask about it.

    Attributes:
        faults: what is going to go wrong; append to it.
        spoilt: objects that never come as they should; append to it.
        log: every request answered so far.
        page_limit: the most that a page of GraphQL holds, however many are asked for.
        lock: held while a request is answered or the organisation changes.
    """

    def __init__(self, life: Life | Still, page_limit: int | None) -> None:
        self.life = life
        self.page_limit = page_limit
        self.faults: list[Fault] = []
        self.spoilt: list[Spoilt] = []
        self.log: list[LoggedRequest] = []
        self.lock = threading.RLock()
        self.planned: list[list[Any]] = []
        self.purses: dict[tuple[str, str], Purse] = {}
        self.served = 0

    @property
    def organization(self) -> Organization:
        """The truth, as of now in simulated time."""
        return self.life.organization

    @property
    def now(self) -> datetime:
        """The server's clock."""
        return self.organization.now

    def arrive(self) -> None:
        """A request is about to be answered."""
        due = [action for number, action in self.planned if number == 0]
        self.planned = [[number - 1, action] for number, action in self.planned if number > 0]
        for action in due:
            action()

    def fault(self, haystack: str) -> Fault | None:
        """The first fault that this request meets. Those that only wait count it too."""
        with self.lock:
            fault = next((fault for fault in self.faults if fault.meets(haystack)), None)
            if fault is not None and fault.kind == "moved":
                self._touch(random.Random(f"{fault.seed}/{self.served}"))
            return fault

    def _touch(self, chance: random.Random) -> None:
        """Change a pull request, an issue and an issue of the tracker now."""
        repository, workspace = chance.choice(self.organization.repositories), self.organization.workspace
        lists: tuple[list[Any], ...] = (repository.pull_requests, repository.issues, workspace.issues)
        for items in lists:
            if items:
                chance.choice(items).updated_at = self.now

    def purse(self, kind: str, token: str, limit: int) -> Purse:
        """What one token has left of one budget."""
        return self.purses.setdefault((kind, token), Purse(limit))

    def note(self, api: str, request: Request, response: Response, points: int = 0, operation: str = "") -> Response:
        """Log a request with its answer."""
        path = "/".join(["", *request.url.path.split("/")[2:]])  # without the face's own root
        if request.url.query:
            path += f"?{request.url.query}"
        self.log.append(LoggedRequest(api, request.method, path, response.status_code, points, operation))
        return response
