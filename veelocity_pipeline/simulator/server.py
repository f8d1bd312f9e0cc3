"""The server: a GitHub and a Linear on loopback over one organisation."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Sequence
from datetime import timedelta

import uvicorn
from starlette.applications import Starlette

from veelocity_pipeline.simulator.github.face import GITHUB_TOKEN, GitHub
from veelocity_pipeline.simulator.linear.face import LINEAR_KEY, Linear
from veelocity_pipeline.simulator.organization.changes.base import Told
from veelocity_pipeline.simulator.organization.changes.make import Changes
from veelocity_pipeline.simulator.organization.life import Life, Still
from veelocity_pipeline.simulator.organization.plan import CI_ACCOUNT, OWNER
from veelocity_pipeline.simulator.organization.whole import Organization
from veelocity_pipeline.simulator.world import World


class Simulator(World):
    """A GitHub and a Linear over one deterministic organisation.

    Args:
        size: demo (what ``make demo`` shows), medium, small (two repositories, made in a moment) or tiny (three, in
            which nothing happens but what ``change`` makes).
        seed: another seed is another organisation of the same kind; the same one is the same, byte for byte.
        port: 0 takes a free one.
        page_limit: the most that a page of GraphQL holds, however many are asked for.
        organization: serve this one instead; nothing happens in it by itself, and ``change`` cannot change it.

    Use as a context manager, or ``start`` and ``stop``.

    Attributes:
        faults: what is going to go wrong; append to it.
        spoilt: objects that never come as they should; append to it.
        log: every request answered so far.
        github: the simulated GitHub, whose App and token permissions may be changed.
        linear: the simulated Linear.
    """

    def __init__(
        self,
        size: str = "demo",
        seed: int = 7,
        port: int = 0,
        page_limit: int | None = None,
        organization: Organization | None = None,
    ) -> None:
        life = Life(size, seed) if organization is None else Still(organization)
        super().__init__(life, page_limit)
        self._changes = Changes(life, min(page_limit or 10, 10)) if isinstance(life, Life) else None
        self._port = port
        self._socket: socket.socket | None = None
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None
        self.github = GitHub(self)
        self.linear = Linear(self)
        self.app = Starlette(routes=[*self.github.routes, *self.linear.routes])

    # -- life cycle

    def start(self) -> Simulator:
        """Listen on loopback, in a thread of its own."""
        self._bind()
        config = uvicorn.Config(
            self.app, log_level="critical", access_log=False, date_header=False, server_header=False, lifespan="off"
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [self._socket]}, name="simulator", daemon=True
        )
        self._thread.start()
        return self

    def _bind(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            self._socket.bind(("127.0.0.1", self._port))
        except OSError as error:
            raise OSError(f"port {self._port} cannot be listened on: {error.strerror}") from error
        self._socket.listen(128)
        self._port = self._socket.getsockname()[1]

    def serve(self) -> None:
        """Listen in the foreground, until interrupted; ``start``'s alternative for a program of its own."""
        assert self._socket is not None
        config = uvicorn.Config(
            self.app, log_level="warning", access_log=False, date_header=False, server_header=False, lifespan="off"
        )
        uvicorn.Server(config).run(sockets=[self._socket])

    def bind(self) -> Simulator:
        """Take the port without serving yet, so that the addresses are known."""
        self._bind()
        return self

    def stop(self) -> None:
        """Stop listening."""
        if self._server is not None and self._thread is not None:
            self._server.should_exit = True
            self._server.force_exit = True
            self._thread.join(timeout=10)
        if self._socket is not None:
            self._socket.close()
        self._server = self._thread = self._socket = None

    def __enter__(self) -> Simulator:
        return self.start()

    def __exit__(self, *_details: object) -> None:
        self.stop()

    # -- what callers see

    @property
    def github_url(self) -> str:
        """GitHub's REST root; GraphQL is at ``<root>/graphql``."""
        return f"http://127.0.0.1:{self._port}/github"

    @property
    def linear_url(self) -> str:
        """Linear's GraphQL endpoint."""
        return f"http://127.0.0.1:{self._port}/linear/graphql"

    def environment(self) -> dict[str, str]:
        """The settings that point the pipeline here. A renamed repository is named by its former name."""
        names = [
            each.former_names[0] if each.former_names else each.full_name for each in self.organization.repositories
        ]
        return {
            "GITHUB_TOKEN": GITHUB_TOKEN,
            "GITHUB_API_URL": self.github_url,
            "GITHUB_REPOSITORIES": ",".join(names),
            "LINEAR_API_KEY": LINEAR_KEY,
            "LINEAR_API_URL": self.linear_url,
        }

    def configuration(self) -> str:
        """A veelocity.toml that says of this organisation what its APIs cannot: machines, services, teams.

        Raises:
            ValueError: the organisation was given, and what its settings are only the giver knows.
        """
        if isinstance(self.life, Still):
            raise ValueError("the settings of an organisation that was given are the giver's")
        lines = ["[people]", f"bots = {json.dumps([CI_ACCOUNT])}"]
        plan = self.life.plan
        for repository in plan.repositories:
            for service in repository.services:
                lines += [
                    "",
                    "[[services]]",
                    f"name = {json.dumps(service.name)}",
                    f"repository = {json.dumps(f'{OWNER}/{repository.name}')}",
                    f"paths = {json.dumps([f'{service.prefix}/**'])}",
                    f"workflow_patterns = {json.dumps([service.file.removesuffix('.yml')])}",
                ]
        for team, linear in zip(plan.teams, self.organization.workspace.teams, strict=True):
            theirs = [repository for repository in plan.repositories if repository.team == team.key]
            members = [user.account.login for user in linear.members if user.account]
            lines += [
                "",
                "[[teams]]",
                f"name = {json.dumps(team.name)}",
                f"members = {json.dumps(members)}",
                f"repositories = {json.dumps([f'{OWNER}/{each.name}' for each in theirs])}",
                f"services = {json.dumps([service.name for each in theirs for service in each.services])}",
                f"linear_teams = {json.dumps([linear.key])}",
            ]
        return "\n".join(lines) + "\n"

    def advance(self, days: float = 0, hours: float = 0, minutes: float = 0) -> None:
        """Let time pass: the organisation lives on, and the hourly budgets are full again."""
        with self.lock:
            self.life.advance_to(self.now + timedelta(days=days, hours=hours, minutes=minutes))
            self.purses.clear()

    def change(self, name: str, picks: Sequence[int] = ()) -> Told | None:
        """Make one of ``changes.SHOWN`` now; None where there is nothing that it could be made to."""
        if self._changes is None:
            raise ValueError("an organisation that was given does not change")
        with self.lock:
            return self._changes.make(name, picks)

    def touch_runs(self, after: timedelta = timedelta(days=400)) -> int:
        """Move ``updated_at`` of runs that completed so long ago, as GitHub does; return of how many attempts."""
        moved = 0
        with self.lock:
            for repository in self.organization.repositories:
                for run in repository.runs:
                    for attempt in run.attempts:
                        if attempt.status == "completed" and run.created_at + after <= self.now:
                            attempt.updated_at = run.created_at + after
                            moved += 1
        return moved

    def settle(self) -> None:
        """From now on nothing happens by itself."""
        with self.lock:
            self.life.settle()

    def before_request(self, number: int, action: Callable[[], object]) -> None:
        """Have something done just before the ``number``-th request from now on is answered, 0 being the next."""
        with self.lock:
            self.planned.append([number, action])

    def forget_plans(self) -> None:
        """Do nothing of what ``before_request`` planned any more."""
        with self.lock:
            self.planned.clear()
