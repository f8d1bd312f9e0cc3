"""Reading GitHub Actions: workflows, runs, the earlier attempts of deploying runs, and jobs where a rule looks at them.

A run changes after it was created: it ends, and for 30 days it can be run again, which nothing but its own row shows.
GitHub lists runs by ``created`` only. So the time axis is cut into windows that never move, whose pages therefore keep
an ETag each, and those of the last weeks are all asked again in every refresh: a page on which nothing changed answers
304 and costs nothing. What is older than any window and had not ended is asked for by id until it ends.

A full read that lists every run marks as gone what it no longer has, but for what is older than the oldest run that is
listed: GitHub lets runs expire by age (400 days, less by setting), and such are kept.
"""

from __future__ import annotations

import functools
import hashlib
import json
import re
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from veelocity_pipeline.config.patterns import contains_regex
from veelocity_pipeline.sources.github.queries import TAGS_BY_NAME_PER_REQUEST, tags_named
from veelocity_pipeline.sources.github.repositories import github_client, reach_github, resolved, vanished
from veelocity_pipeline.sources.github_actions import shape
from veelocity_pipeline.sources.github_actions.tables import TABLES
from veelocity_pipeline.sources.github_actions.windows import (
    CAP,
    SECOND,
    TooDenseError,
    Window,
    earlier,
    narrower,
    whole_second,
)
from veelocity_pipeline.sources.kit.connector import (
    CheckResult,
    Chunk,
    Connector,
    Known,
    Progress,
    RefreshRequest,
    Scope,
    ScopeFailure,
)
from veelocity_pipeline.sources.kit.http.client import Client
from veelocity_pipeline.sources.kit.http.errors import BadAnswerError, NotFoundError, SourceError
from veelocity_pipeline.sources.kit.http.paging import Pages
from veelocity_pipeline.sources.kit.tables import Row

if TYPE_CHECKING:
    from veelocity_pipeline.config.settings import Settings
    from veelocity_pipeline.sources.kit.http.rest import Response

PER_PAGE = 100
"""The most that REST lists at once."""

FLOOR = datetime(2008, 1, 1, tzinfo=UTC)
"""Before GitHub was."""

LOOK_BACK = timedelta(days=35)
"""How long a window is asked again: a run can be run again until 30 days after it was created. And the longest run."""

LONGEST = timedelta(days=65)
"""From a run's creation to its last moment at most: it is run again after 30 days, and lasts 35."""

LAG = timedelta(minutes=5)
"""How long after its creation a run may be listed first; no window is closed before. The present second is not over."""

KEPT_FOR = timedelta(days=1)
"""How old a mark may get that need not move."""

RESUMED_FOR = timedelta(days=7)
"""A full read that was interrupted longer ago than this begins anew rather than going on."""

MOST_PAGES = 100
"""Of workflows, and of a window of runs, which has a thousand of them at most."""

MOST_CUTS = 10
"""How often the open window is closed in one refresh."""

MOST_TRIES = 1_000
"""Attempts of a run; GitHub allows fifty."""

NEVER_DEPLOYS = frozenset(
    {"pull_request", "pull_request_target", "pull_request_review", "pull_request_review_comment", "merge_group"}
    | {"issue_comment"}
)
"""Events whose runs are no deployments, whatever they are called."""


@dataclass
class _Pages:
    """A window and what is known of its pages: an ETag each, and when the newest run on it was created."""

    window: Window
    pages: list[dict[str, str]] = field(default_factory=list)
    oldest: datetime | None = None  # run on the pages that were read; not kept

    def to_json(self) -> dict[str, Any]:
        """For the mark."""
        end = self.window.end
        return {
            "start": self.window.start.isoformat(),
            "end": end.isoformat() if end else None,
            "pages": self.pages,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> _Pages:
        """From the mark."""
        end = value["end"]
        window = Window(datetime.fromisoformat(value["start"]), datetime.fromisoformat(end) if end else None)
        return cls(window, list(value["pages"]))

    @property
    def etag(self) -> str:
        """The first page's; empty if it was not read yet."""
        return self.pages[0]["etag"] if self.pages else ""

    def read_so_far(self) -> _Pages | None:
        """The newest part of a window of which not all pages were read yet; None if that is not a second of it."""
        if self.oldest is None or self.window.end is None or self.oldest + SECOND > self.window.end:
            return None
        # It is asked again with other words, so that no ETag of its pages is good.
        part = Window(whole_second(self.oldest) + SECOND, self.window.end)
        return _Pages(part, [{"etag": "", "newest": self.pages[0]["newest"]}])

    def since(self, moment: datetime) -> _Pages:
        """This without the pages on which all is older than a moment."""
        return _Pages(self.window, [page for page in self.pages if datetime.fromisoformat(page["newest"]) >= moment])


class GitHubActionsConnector(Connector):
    """One refresh of the runs of the configured repositories. A scope is a repository, by its node id."""

    def __init__(self, settings: Settings, client: Client | None = None) -> None:
        self.settings = settings
        self.client = client or self.client_of(settings)

    @classmethod
    def client_of(cls, settings: Settings, **options: Any) -> Client:
        """Make the client of the configured GitHub; see ``Connector.client_of``."""
        return github_client(settings, **options)

    def reach(self) -> None:
        """See ``Connector.reach``."""
        reach_github(self.client)

    def scopes(self, request: RefreshRequest) -> list[Scope | ScopeFailure]:
        """The configured repositories; see ``github``."""
        return resolved(self.client, self.settings, request)

    def vanished(self, remembered: Mapping[str, str], found: Iterable[Scope | ScopeFailure]) -> Iterable[ScopeFailure]:
        """Repositories that an owner's list no longer has."""
        return vanished(self.settings, remembered, found)

    def read(self, scope: Scope, mark: dict[str, Any], request: RefreshRequest, known: Known) -> Iterator[Chunk]:
        """Read one repository; see ``Connector.read``.

        The mark: ``windows`` and ``open`` (the last weeks, with their pages; nothing older than ``asked_since`` is on
        them), ``unfinished`` (when each run that had not ended was created, by id), ``visible_since`` (when the oldest
        run was created that the last read of all still found), ``workflows`` (ETags of that list's pages), ``name`` and
        ``rules`` (what the rows depend on), and ``load`` while a first or full read is under way.
        """
        yield from _Repository(self, scope, request, known).read(mark)

    def check(self) -> list[CheckResult]:
        """Whether the token may read the Actions of each configured repository."""
        try:
            scopes = self.scopes(RefreshRequest())
        except SourceError as error:
            return [CheckResult("GitHub Actions", False, str(error))]
        results = []
        for scope in scopes:
            if isinstance(scope, ScopeFailure):
                results.append(CheckResult(scope.name, False, scope.error))
                continue
            try:
                client = self.client.for_owner(scope.name)
                found = client.get(f"/repos/{scope.name}/actions/workflows", {"per_page": 1}, about=scope.name)
                count = _count(found.json, scope.name)
                results.append(CheckResult(scope.name, True, f"GitHub Actions can be read: {count} workflows."))
            except NotFoundError:
                detail = "GitHub Actions is not available, or the token may not read it; there will be no runs."
                results.append(CheckResult(scope.name, True, detail))
            except SourceError as error:
                results.append(CheckResult(scope.name, False, str(error)))
        return results


class _Repository:
    """One refresh of one repository's runs."""

    def __init__(self, connector: GitHubActionsConnector, scope: Scope, request: RefreshRequest, known: Known) -> None:
        self.client = connector.client.for_owner(scope.name)
        self.settings = connector.settings
        self.scope = scope
        self.request = request
        self.known = known
        self.path = f"/repos/{scope.name}/actions"
        self.about = f"the workflow runs of {scope.name}"
        # Settings may still use the name that the repository had when they were written.
        self.names = sorted({scope.name, scope.configured_as or scope.name})
        start = self.settings.start_date
        self.start = self.settings.midnight(start) if start else None
        self.floor = whole_second(self.start - LONGEST) if self.start else FLOOR
        self.say = connector.say
        self.progress = functools.partial(connector.progress, scope)
        self.now = FLOOR
        self.all_again = False
        self.unfinished: dict[str, str] = {}
        self.newest: datetime | None = None
        self.listed: dict[int, datetime] = {}
        self.pages_read = 0
        self.is_short = False
        branch = (scope.info.get("node") or {}).get("defaultBranchRef") or {}
        self.default_branch: str | None = branch.get("name")
        # By name, whether what runs on it may be shipped: the default branch, and tags.
        self.ships: dict[str | None, bool] = {None: False}
        if self.default_branch:
            self.ships[self.default_branch] = True
        self.jobs_of: set[int] | None = None

    def read(self, mark: dict[str, Any]) -> Iterator[Chunk]:
        """Everything, or what changed; see ``GitHubActionsConnector.read``."""
        # Another name is another address in every row, which moves no updated_at.
        self.all_again = self.request.full or not mark or mark.get("name", self.scope.name) != self.scope.name
        self.unfinished = dict(mark.get("unfinished", {}))
        self.newest = _time_or_none(mark.get("watermarks", {}).get("runs"))
        try:
            chunk, workflows = self._workflows([] if self.all_again else mark.get("workflows", []))
        except NotFoundError:
            self._without_actions(mark)
            return
        yield chunk
        self.now = whole_second(self.client.server_date or datetime.now(UTC))
        rules = self._rules()
        # An earlier start date than before uncovers history.
        if self.all_again or "open" not in mark or self.floor < _time(mark["floor"]):
            is_known = "open" in mark and mark["name"] == self.scope.name and self.floor >= _time(mark["floor"])
            since = self.request.since if self.request.full and is_known else None
            windows, current, again = yield from self._read_all(mark, since)
            unfinished_before, load = self.now - LOOK_BACK, None
        else:
            windows = [_Pages.from_json(value) for value in mark["windows"]]
            current, again = _Pages.from_json(mark["open"]), True
            unfinished_before, load, since = _time(mark["asked_since"]), mark.get("load"), None
            if mark.get("rules") != rules:
                yield from self._complete()
        is_complete = self.all_again and not again
        # What is read from here on was loaded before, except in a read of all.
        self.all_again = False
        yield from self._read_changes(windows, current, again, mark)
        yield from self._ask_unfinished(unfinished_before)
        visible_since = mark.get("visible_since")
        if is_complete and not self.is_short:
            oldest = min(self.listed.values(), default=None)
            if since is None:
                visible_since = oldest.isoformat() if oldest else None
            yield from self._vanished(oldest)
        final = {
            "name": self.scope.name,
            "floor": self.floor.isoformat(),
            "rules": rules,
            "workflows": workflows,
            "windows": [pages.to_json() for pages in windows],
            "open": current.to_json(),
            "asked_since": mark.get("asked_since"),
            "unfinished": self.unfinished,
            "visible_since": visible_since,
            "watermarks": {"runs": self.newest.isoformat()} if self.newest else {},
        }
        if load is not None:
            final["load"] = load
        # Nothing moved: a mark that stays costs no write, and asks for hardly more the next time.
        if final == mark and self.now - LOOK_BACK - _time(mark["asked_since"]) < KEPT_FOR:
            return
        final["asked_since"] = (self.now - LOOK_BACK).isoformat()
        final["windows"] = self._lately(windows)
        yield Chunk(mark=final)

    def _without_actions(self, mark: Mapping[str, Any]) -> None:
        """Decide what it means that GitHub knows the repository and not its Actions.

        GitHub answers so where Actions is not available (an Enterprise Server may have it switched off for all): no
        runs, which is no failure. It also hides so what a token may not see; where runs were read before it is that.

        Raises:
            SourceError: the repository itself cannot be read either, or its runs could before.
        """
        self.client.get(f"/repos/{self.scope.name}", about=self.scope.name)
        if "open" in mark or "load" in mark:
            raise NotFoundError(
                f"The GitHub Actions of {self.scope.name} cannot be read any more: give the token read access to "
                "Actions (what was loaded is kept)."
            )

    # ------------------------------------------------------------------------------------------- windows

    def _read_all(
        self, mark: Mapping[str, Any], since: date | None
    ) -> Generator[Chunk, None, tuple[list[_Pages], _Pages, bool]]:
        """Every run that GitHub still has, newest first; going on where an earlier read was interrupted.

        Args:
            since: only runs that may have ended on this day or later.

        Returns:
            The windows that were read; the open window after them, which is still to be read; and whether some pages
            were read in an earlier run, so that they are to be asked again.
        """
        load = mark.get("load") or {}
        is_resumed = False
        top = upper = self.now - LAG
        windows: list[_Pages] = []
        floor = max(self.floor, whole_second(self.settings.midnight(since) - LONGEST)) if since else self.floor
        is_same = (load.get("name"), load.get("floor")) == (self.scope.name, floor.isoformat())
        if is_same and self.now - _time(load["top"]) <= RESUMED_FOR:
            top, upper, is_resumed = _time(load["top"]), _time(load["upper"]), True
            windows = [_Pages.from_json(value) for value in load["windows"]]
            self.say(f"{self.scope.name}: going on with the read of all runs that began on {top:%Y-%m-%d %H:%M}Z")

        def marked(upper: datetime, read: Sequence[_Pages]) -> dict[str, Any]:
            load = {
                "name": self.scope.name,
                "floor": floor.isoformat(),
                "top": top.isoformat(),
                "upper": upper.isoformat(),
                "windows": self._lately(read),
            }
            return {**mark, "unfinished": dict(self.unfinished), "load": load}

        yield from self._stretch(floor, upper, windows, marked)
        return windows, _Pages(Window(top + SECOND)), is_resumed

    def _stretch(
        self,
        floor: datetime,
        upper: datetime,
        windows: list[_Pages],
        marked: Callable[[datetime, Sequence[_Pages]], dict[str, Any]],
    ) -> Iterator[Chunk]:
        """All runs of a stretch of time, newest first, each page a checkpoint; its windows are added to ``windows``.

        Args:
            marked: the mark after which only what was created until then is still to be read, beside these windows.
        """
        for pages, chunks in self._range(floor, upper):
            for chunk in chunks:
                part = pages.read_so_far()
                if part:
                    chunk.mark = marked(part.window.start - SECOND, [*windows, part])
                yield chunk
            windows.append(pages)
            yield Chunk(mark=marked(pages.window.start - SECOND, windows))

    def _range(self, floor: datetime, upper: datetime) -> Iterator[tuple[_Pages, Iterator[Chunk]]]:
        """All windows of a stretch of time, newest first, with their rows (to be taken before the next)."""
        remaining = 0
        promised = len(self.listed)
        expected: int | None = None
        window = Window(floor, upper) if floor <= upper else None
        while window is not None:
            first = self._runs_page(window)
            total = _count(first.json, self.about)
            if expected is None:
                expected = len(self.listed) + total
            if total > CAP:
                remaining = total if window.start == floor else remaining
                created = [_time(node["created_at"]) for node in _items(first.json, "workflow_runs", self.about)]
                if not any(window.holds(moment) for moment in created):
                    raise BadAnswerError(
                        f"GitHub does not list the workflow runs of {self.scope.name} by when they were created "
                        f"({window.created}): is GITHUB_API_URL the API?"
                    )
                try:
                    window = narrower(window, created)
                except TooDenseError as error:
                    raise BadAnswerError(
                        f"{self.scope.name} has {total:,} workflow runs that were created in one second ({error}); "
                        f"GitHub lists no more than {CAP:,} of them, so they cannot be read whole."
                    ) from None
                continue
            promised += total
            if promised > expected + expected // 10 + CAP:
                raise BadAnswerError(
                    f"GitHub lists ever more workflow runs of {self.scope.name}: {promised:,}, where there were "
                    f"{expected:,} in all."
                )
            pages = _Pages(window)
            yield pages, self._watched(pages, first, expected)
            remaining -= total
            window = earlier(window, total, remaining, floor)

    def _watched(self, pages: _Pages, first: Response, expected: int) -> Iterator[Chunk]:
        """The rows of a window, page by page, each told as progress."""
        for nodes in self._runs(pages, first):
            yield self._chunk(nodes)
            self.pages_read += 1
            self.progress(Progress("workflow runs", len(self.listed), expected, self.pages_read))

    def _read_changes(
        self, windows: list[_Pages], current: _Pages, again: bool, mark: Mapping[str, Any]
    ) -> Iterator[Chunk]:
        """Runs created since the open window began, and, if ``again``, what changed in the closed ones.

        Both are brought up to date. Pages of the open window move with every new run, so one that has grown is closed,
        and a new one opened. While that is read, ``gap`` in the mark says what of it is still to be read.
        """
        closed = list(windows) if again else []
        gap = mark.get("gap") if again else None
        if gap:
            yield from self._close(current, _time(gap["upper"]), _time(gap["top"]), windows, mark)
        first = self._runs_page(current.window, current.etag)
        cuts = 0
        while not first.is_unchanged and (count := _count(first.json, self.about)) > PER_PAGE:
            # What may still be listed late stays in the open window, unless that is more than it can list.
            until = whole_second(first.date) - (LAG if count <= CAP else timedelta())
            if until < current.window.start:
                break
            cuts += 1
            if cuts > MOST_CUTS:
                raise BadAnswerError(f"GitHub lists ever more workflow runs of {self.scope.name} while they are read.")
            yield from self._close(current, until, until, windows, mark if again else {})
            first = self._runs_page(current.window)
        yield from map(self._chunk, self._runs(current, first))
        for pages in closed:
            first = self._runs_page(pages.window, pages.etag)
            if first.is_unchanged or _count(first.json, self.about) <= CAP:
                yield from map(self._chunk, self._runs(pages, first))
                continue
            # Some were listed late, and now there are too many for one search.
            assert pages.window.end is not None
            windows.remove(pages)
            for parts, chunks in self._range(pages.window.start, pages.window.end):
                yield from chunks
                windows.append(parts)

    def _close(
        self, current: _Pages, upper: datetime, top: datetime, windows: list[_Pages], mark: Mapping[str, Any]
    ) -> Iterator[Chunk]:
        """Cut the open window, from its beginning until ``upper``, into closed ones; it begins after ``top`` then."""
        start = current.window.start

        def marked(upper: datetime, read: Sequence[_Pages]) -> dict[str, Any]:
            gap = {"upper": upper.isoformat(), "top": top.isoformat()}
            return {**mark, "unfinished": dict(self.unfinished), "windows": self._lately(read), "gap": gap}

        if mark:
            yield from self._stretch(start, upper, windows, marked)
        else:
            # Of a read of all, which has its own mark, and a short stretch after it.
            for pages, chunks in self._range(start, upper):
                yield from chunks
                windows.append(pages)
        current.window, current.pages = Window(top + SECOND), []

    def _ask_unfinished(self, before: datetime) -> Iterator[Chunk]:
        """Runs that had not ended and are too old for any window, by id."""
        for run, created in list(self.unfinished.items()):
            if _time(created) >= before:
                continue
            try:
                answer = self.client.get(f"{self.path}/runs/{run}", {"exclude_pull_requests": "true"}, about=self.about)
            except NotFoundError:
                self._confirm_access()
                # Deleted or expired: what was loaded stays.
                del self.unfinished[run]
                continue
            yield self._chunk([answer.json])

    def _confirm_access(self) -> None:
        """Make sure that something is not found because it is gone: access that was lost looks the same.

        Raises:
            SourceError: the repository's Actions cannot be read (any more).
        """
        self._page(f"{self.path}/workflows", {})

    def _vanished(self, oldest: datetime | None) -> Iterator[Chunk]:
        """Mark as gone what a complete read no longer found; what is older than the oldest run may have expired."""
        if oldest is None:
            return
        here = "deleted_at is null"
        loaded = self.known.rows("runs", ("id", "created_at"), self.scope.id, here)
        gone = [row["id"] for row in loaded if row["id"] not in self.listed and row["created_at"] >= oldest]
        for start in range(0, len(gone), PER_PAGE):
            some = _list(gone[start : start + PER_PAGE])
            chunk = Chunk()
            for table, key in (("runs", "id"), ("run_attempts", "run_id"), ("jobs", "run_id")):
                rows = self.known.rows(table, TABLES[table].columns, self.scope.id, f"{here} and {key} in ({some})")
                chunk.add(table, [{**row, "deleted_at": self.now} for row in rows])
            yield chunk

    def _runs_page(self, window: Window, etag: str = "", number: int = 1) -> Response:
        # Without the pull requests, which change by themselves and would spoil the ETag.
        search = {"created": window.created, "exclude_pull_requests": "true"}
        return self._page(f"{self.path}/runs", search, etag, number)

    def _runs(self, pages: _Pages, first: Response, is_again: bool = False) -> Iterator[list[shape.Node]]:
        """The pages of a window that changed, from its ``first`` on; ``pages`` is brought up to date."""
        stored, pages.pages = pages.pages, []
        answer = first
        listed = unchanged = 0
        total = None if first.is_unchanged else _count(first.json, self.about)
        seen: set[int] = set()
        brought = Pages("GitHub", self.about, most=MOST_PAGES, most_barren=1)
        while True:
            number = len(pages.pages) + 1
            if answer.is_unchanged:
                pages.pages.append(stored[number - 1])
                listed += PER_PAGE
                unchanged += PER_PAGE
                is_last = number >= len(stored)
            else:
                nodes = _items(answer.json, "workflow_runs", self.about)
                created = [_time(node["created_at"]) for node in nodes]
                newest = max(created, default=pages.window.end or pages.window.start)
                pages.pages.append({"etag": answer.etag, "newest": newest.isoformat()})
                pages.oldest = min(created, default=None)
                listed += len(nodes)
                seen.update(node["id"] for node in nodes)
                if nodes:
                    brought.note(nodes)
                yield nodes
                # Pages that are too old to change were dropped from ``stored``, and are not read again either.
                is_dropped = number >= len(stored) > 0 and min(created, default=self.now) < self.now - LOOK_BACK
                is_last = is_dropped or _is_last(answer, nodes, listed, unchanged + brought.brought)
                if is_last and not is_dropped and total and listed <= len(seen) < total:
                    # One was deleted meanwhile, and others moved up to a page that had been read.
                    if is_again:
                        self.is_short = True
                    else:
                        pages.pages = []
                        yield from self._runs(pages, self._runs_page(pages.window), is_again=True)
                        return
            if is_last:
                return
            etag = stored[number]["etag"] if number < len(stored) else ""
            answer = self._runs_page(pages.window, etag, number + 1)

    def _lately(self, windows: Iterable[_Pages]) -> list[dict[str, Any]]:
        """The windows that are to be asked again, without the pages that are too old to change."""
        kept = [pages.since(self.now - LOOK_BACK) for pages in windows]
        return [pages.to_json() for pages in kept if pages.pages]

    def _page(self, path: str, search: Mapping[str, str], etag: str = "", number: int = 1) -> Response:
        """One page of a list. Its address depends on nothing but the arguments, so that its ETag stays good."""
        page = number if number > 1 else None
        return self.client.get(path, {**search, "per_page": PER_PAGE, "page": page}, etag=etag, about=self.about)

    # --------------------------------------------------------------------------------------------- rows

    def _workflows(self, etags: Sequence[str]) -> tuple[Chunk, list[str]]:
        """The workflows, if a page of them changed, and all pages' ETags; those that are not listed are gone."""
        chunk = Chunk()
        unchanged = 0
        kept: list[str] = []
        listed = 0
        brought = Pages("GitHub", f"the workflows of {self.scope.name}", most=MOST_PAGES, most_barren=1)
        while True:
            number = len(kept) + 1
            answer = self._page(f"{self.path}/workflows", {}, etags[number - 1] if number <= len(etags) else "", number)
            kept.append(answer.etag)
            if answer.is_unchanged:
                listed += PER_PAGE
                unchanged += 1
                is_last = number >= len(etags)
            else:
                nodes = _items(answer.json, "workflows", self.about)
                listed += len(nodes)
                if nodes:
                    brought.note(nodes)
                chunk.add("workflows", [shape.workflow_row(node, self.scope.id) for node in nodes])
                is_last = _is_last(answer, nodes, listed, unchanged * PER_PAGE + brought.brought)
            if is_last:
                break
        if 0 < unchanged < len(kept):
            return self._workflows([])
        if not unchanged:
            chunk.listed["workflows"] = {row["id"] for row in chunk.rows["workflows"]}
        return chunk, kept

    def _chunk(self, nodes: Sequence[shape.Node]) -> Chunk:
        """Runs that are new or changed, with their jobs and earlier attempts where a rule needs them."""
        rows = {}
        for node in nodes:
            row = shape.run_row(node, self.scope.id)
            self.listed[row["id"]] = row["created_at"]
            if self._is_before_start(row):
                continue
            rows[row["id"]] = row
            if row["status"] == "completed":
                self.unfinished.pop(str(row["id"]), None)
            else:
                self.unfinished[str(row["id"])] = row["created_at"].isoformat()
            self.newest = max(self.newest or row["updated_at"], row["updated_at"])
        whole: set[int] = set()
        if rows:
            for row in self.known.rows("runs", TABLES["runs"].columns, self.scope.id, f"id in ({_list(rows)})"):
                _keep_plausible_end(rows[row["id"]], row)
                if rows.get(row["id"]) != row:
                    continue
                if not self.all_again:
                    del rows[row["id"]]
                elif row["status"] == "completed" and row["id"] in self._with_jobs():
                    whole.add(row["id"])
        chunk = Chunk()
        chunk.add("runs", rows.values())
        self._add_jobs(chunk, [row for row in rows.values() if row["id"] not in whole])
        self._add_attempts(chunk, list(rows.values()))
        return chunk

    def _complete(self) -> Iterator[Chunk]:
        """Jobs and earlier attempts that rules have come to need, of runs that are loaded."""
        rows = self.known.rows("runs", TABLES["runs"].columns, self.scope.id, "deleted_at is null")
        with_jobs = self._with_jobs()
        for start in range(0, len(rows), PER_PAGE):
            batch = rows[start : start + PER_PAGE]
            chunk = Chunk()
            self._add_jobs(chunk, [row for row in batch if row["id"] not in with_jobs])
            self._add_attempts(chunk, batch)
            if chunk.size:
                yield chunk

    def _add_jobs(self, chunk: Chunk, runs: Iterable[Row]) -> None:
        """All jobs of all attempts of those runs whose jobs tell something: one request each.

        These are runs on the default branch, a tag or a branch of the settings; whether a name is a tag's is asked,
        many in a request.
        """
        wanted = [run for run in runs if self._needs_jobs(run)]
        self._learn_tags({run["head_branch"] for run in wanted})
        for run in wanted:
            if not self._ships(run["head_branch"]):
                continue
            pages = self.client.pages(
                f"{self.path}/runs/{run['id']}/jobs", {"filter": "all", "per_page": PER_PAGE}, "jobs", about=self.about
            )
            try:
                chunk.add("jobs", [shape.job_row(node, self.scope.id) for nodes in pages for node in nodes])
            except NotFoundError:
                self._confirm_access()
                # Deleted since it was listed.
                continue

    def _ships(self, ref: str | None) -> bool:
        """Whether runs on this ref may be deployments: the default branch, a tag, or a branch of the settings."""
        return bool(self.ships.get(ref)) or any(
            self.settings.is_deployment_branch(name, ref) for name in self.names if ref
        )

    def _with_jobs(self) -> set[int]:
        """Runs whose jobs were loaded before this refresh."""
        if self.jobs_of is None:
            self.jobs_of = self.known.values("jobs", "run_id", self.scope.id)
        return self.jobs_of

    def _learn_tags(self, names: set[str | None]) -> None:
        """Find out which of these names of branches or tags are tags."""
        unknown = sorted(name for name in names if name and name not in self.ships)
        owner, repository = self.scope.name.split("/", 1)
        for start in range(0, len(unknown), TAGS_BY_NAME_PER_REQUEST):
            some = unknown[start : start + TAGS_BY_NAME_PER_REQUEST]
            variables = {f"q{number}": f"refs/tags/{name}" for number, name in enumerate(some)}
            data = self.client.graphql(
                tags_named(len(some)), {"owner": owner, "name": repository, **variables}, about=self.about
            )
            found = data.get("repository") or {}
            self.ships.update((name, found.get(f"t{number}") is not None) for number, name in enumerate(some))

    def _add_attempts(self, chunk: Chunk, runs: Sequence[Row]) -> None:
        """The earlier attempts of those runs that deploy; one that is loaded has ended and does not change."""
        deploying = {job["run_id"] for job in chunk.rows.get("jobs", ()) if self._is_deploying_job(job)}
        again = {
            run["id"]: run["run_attempt"]
            for run in runs
            if run["run_attempt"] > 1 and (run["id"] in deploying or self._deploys(run))
        }
        if not again:
            return
        known: set[tuple[int, int]] = set()
        if not self.all_again:
            columns, where = ("run_id", "run_attempt"), f"deleted_at is null and run_id in ({_list(again)})"
            stored = self.known.rows("run_attempts", columns, self.scope.id, where)
            known = {(row["run_id"], row["run_attempt"]) for row in stored}
        for run, last in again.items():
            if last > MOST_TRIES:
                raise BadAnswerError(
                    f"GitHub says of the run {run} of {self.scope.name} that it is its attempt {last:,}."
                )
            for number in range(1, last):
                if (run, number) in known:
                    continue
                try:
                    answer = self.client.get(
                        f"{self.path}/runs/{run}/attempts/{number}", {"exclude_pull_requests": "true"}, about=self.about
                    )
                except NotFoundError:
                    self._confirm_access()
                    # Attempts can be deleted, and expire before their run does.
                    continue
                row = shape.attempt_row(answer.json, self.scope.id)
                if not self._is_before_start(row):
                    chunk.add("run_attempts", [row])

    # -------------------------------------------------------------------------------------------- rules

    def _is_before_start(self, row: Row) -> bool:
        """Whether this ended before the day that history begins."""
        return self.start is not None and row["status"] == "completed" and row["updated_at"] < self.start

    def _may_deploy(self, run: Row) -> bool:
        """Whether a run may be a deployment by its event and its repository: a fork's is not, nor a check's."""
        return run["event"] not in NEVER_DEPLOYS and run["head_repository_id"] == self.scope.id

    def _deploys(self, run: Row) -> bool:
        return self._may_deploy(run) and any(
            self.settings.deploys(name, run["name"], run["path"]) for name in self.names
        )

    def _needs_jobs(self, run: Row) -> bool:
        """Whether a rule looks at jobs; or whether only they tell which attempt of this run deployed, or its end."""
        if not self._may_deploy(run):
            return False
        if any(self.settings.needs_jobs(name) for name in self.names):
            return True
        return (run["run_attempt"] > 1 or not _has_plausible_end(run)) and self._deploys(run)

    def _job_patterns(self) -> list[str]:
        patterns: list[str] = []
        for name in self.names:
            rules, _ = self.settings.rules_for(name)
            patterns += rules.job_patterns
            for service in self.settings.services_of(name):
                patterns += service.job_patterns
        return patterns

    def _is_deploying_job(self, job: Row) -> bool:
        return any(re.search(contains_regex(each), job["name"], re.IGNORECASE) for each in self._job_patterns())

    def _rules(self) -> str:
        """A fingerprint of what says which attempts and jobs are read: settings, and the default branch."""
        rules: list[Any] = [self.default_branch]
        for name in self.names:
            general, _ = self.settings.rules_for(name)
            rules.append(
                [
                    list(patterns)
                    for patterns in (
                        general.workflow_patterns,
                        general.exclude_patterns,
                        general.job_patterns,
                        general.branches,
                    )
                ]
            )
            rules += [
                [list(service.workflow_patterns), list(service.job_patterns)]
                for service in self.settings.services_of(name)
            ]
        return hashlib.sha256(json.dumps(rules).encode()).hexdigest()[:16]


def _has_plausible_end(run: Row) -> bool:
    """Whether ``updated_at`` may be when a run ended: GitHub touches runs again long after that."""
    return bool(run["status"] != "completed" or run["updated_at"] - run["run_started_at"] <= LOOK_BACK)


def _keep_plausible_end(run: Row, stored: Row) -> None:
    """Keep the end that was stored of the same attempt, if that was plausible and this one is not."""
    same = ("run_attempt", "run_started_at", "status", "conclusion")
    if not _has_plausible_end(run) and _has_plausible_end(stored) and all(run[key] == stored[key] for key in same):
        run["updated_at"] = stored["updated_at"]


def _items(body: Any, key: str, about: str) -> list[shape.Node]:
    """The list in an answer's body."""
    items = body.get(key) if isinstance(body, dict) else None
    if not isinstance(items, list):
        raise BadAnswerError(f"GitHub answered {about} without {key!r}: is GITHUB_API_URL the API?")
    return items


def _is_last(answer: Response, nodes: Sequence[shape.Node], listed: int, distinct: int) -> bool:
    """Whether no page follows: the total decides, if there is one.

    A proxy may have dropped the Link header, and the header may lead on and on.

    Args:
        listed: items so far, those that came twice as well; ``distinct`` without these.
    """
    total = answer.json.get("total_count")
    if not nodes or not isinstance(total, int):
        return not nodes or not answer.next
    return distinct >= total or (not answer.next and listed >= total)


def _count(body: Any, about: str) -> int:
    """How many there are in all, as an answer's body says."""
    count = body.get("total_count") if isinstance(body, dict) else None
    if not isinstance(count, int):
        raise BadAnswerError(f"GitHub answered {about} without 'total_count': is GITHUB_API_URL the API?")
    return count


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _time_or_none(text: str | None) -> datetime | None:
    return _time(text) if text else None


def _list(ids: Iterable[int]) -> str:
    """Whole numbers as an SQL list."""
    return ", ".join(str(int(number)) for number in ids)
