"""The runs of a repository: everything once, then what changed.

A run changes after it was created: it ends, and for 30 days it can be run again, which nothing but its own row shows.
GitHub lists runs by ``created`` only. So the time axis is cut into windows that never move, whose pages therefore keep
an ETag each, and those of the last weeks are all asked again in every refresh: a page on which nothing changed answers
304 and costs nothing. What is older than any window and had not ended is asked for by id until it ends.

A full read that lists every run marks as gone what it no longer has, but for what is older than the oldest run that is
listed: GitHub lets runs expire by age (400 days, less by setting), and such are kept.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from veelocity_pipeline.sources.github_actions import asking, shape
from veelocity_pipeline.sources.github_actions.asking import (
    Asking,
    count_of,
    created_of,
    is_last_page,
    items_of,
    sql_list,
    time,
    time_or_none,
)
from veelocity_pipeline.sources.github_actions.jobs import Rows
from veelocity_pipeline.sources.github_actions.mark import Gap, Load, PageMark, RunsMark, WindowMark
from veelocity_pipeline.sources.github_actions.pages import WindowPages
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
from veelocity_pipeline.sources.github_actions.workflows import read_workflows
from veelocity_pipeline.sources.kit.connector import Chunk, Progress
from veelocity_pipeline.sources.kit.http.errors import BadAnswerError, NotFoundError, OverloadedError
from veelocity_pipeline.sources.kit.http.paging import Pages
from veelocity_pipeline.sources.kit.skips import Skips

if TYPE_CHECKING:
    from veelocity_pipeline.sources.kit.http.rest import Response

LAG = timedelta(minutes=5)
"""How long after its creation a run may be listed first; no window is closed before. The present second is not over."""

KEPT_FOR = timedelta(days=1)
"""How old a mark may get that need not move."""

RESUMED_FOR = timedelta(days=7)
"""A full read that was interrupted longer ago than this starts again instead of resuming."""

MOST_CUTS = 10
"""How often the open window is closed in one refresh."""


class Runs:
    """One refresh of a repository's runs."""

    def __init__(self, asked: Asking) -> None:
        self.asking = asked
        self.rows = Rows(asked)
        self.pages_read = 0
        self.is_short = False

    def read(self, mark: RunsMark) -> Iterator[Chunk]:
        """Read everything, or what changed."""
        asked, rows = self.asking, self.rows
        name = asked.scope.name
        # Another name is another address in every row, which moves no updated_at.
        asked.all_again = asked.request.full or mark == RunsMark() or mark.name not in (None, name)
        asked.unfinished = dict(mark.unfinished)
        asked.skips = Skips(mark.skipped)
        skipped_before = copy.deepcopy(mark.skipped)
        if asked.all_again:
            for table in ("workflows", "runs"):
                asked.skips.begin(table)
        asked.newest = time_or_none(mark.watermarks.get("runs"))
        try:
            chunk, workflows = read_workflows(asked, [] if asked.all_again else mark.workflows)
        except NotFoundError:
            self._without_actions(mark)
            return
        yield chunk
        asked.now = whole_second(asked.client.server_date or datetime.now(UTC))
        rules = rows.rules()
        is_covered = mark.floor is not None and asked.floor >= time(mark.floor)
        # An earlier start date than before uncovers history.
        if asked.all_again or mark.open is None or not is_covered:
            is_known = mark.open is not None and mark.name == name and is_covered
            since = asked.request.since if asked.request.full and is_known else None
            windows, current, again = yield from self._read_all(mark, since)
            unfinished_before, load = asked.now - asking.LOOK_BACK, None
        else:
            assert mark.asked_since is not None
            windows = [WindowPages.from_mark(each) for each in mark.windows]
            current, again = WindowPages.from_mark(mark.open), True
            unfinished_before, load, since = time(mark.asked_since), mark.load, None
            if mark.rules != rules:
                yield from rows.complete()
        is_complete = asked.all_again and not again
        # What is read from here on was loaded before, except in a read of all.
        asked.all_again = False
        yield from self._read_changes(windows, current, again, mark)
        yield from self._ask_unfinished(unfinished_before)
        visible_since = mark.visible_since
        if is_complete and not self.is_short:
            oldest = min(asked.listed.values(), default=None)
            if since is None:
                visible_since = oldest.isoformat() if oldest else None
            yield from self._vanished(oldest)
        if not is_complete:
            yield from rows.again()
        final = RunsMark(
            name=name,
            floor=asked.floor.isoformat(),
            rules=rules,
            workflows=workflows,
            windows=[pages.to_mark() for pages in windows],
            open=current.to_mark(),
            asked_since=mark.asked_since,
            unfinished=asked.unfinished,
            visible_since=visible_since,
            watermarks={"runs": asked.newest.isoformat()} if asked.newest else {},
            load=load,
            skipped=asked.skips.kept,
        )
        asked_since = asked.now - asking.LOOK_BACK
        # Nothing moved: a mark that stays costs no write, and asks for hardly more the next time.
        if (
            final == mark
            and mark.skipped == skipped_before
            and mark.asked_since
            and asked_since - time(mark.asked_since) < KEPT_FOR
        ):
            return
        yield Chunk(mark=replace(final, asked_since=asked_since.isoformat(), windows=self._lately(windows)).to_state())

    def _without_actions(self, mark: RunsMark) -> None:
        """Decide what it means that GitHub knows the repository and not its Actions.

        GitHub answers so where Actions is not available (an Enterprise Server may have it switched off for all): no
        runs, which is no failure. It also hides so what a token may not see; where runs were read before it is that.

        Raises:
            SourceError: the repository itself cannot be read either, or its runs could before.
        """
        self.asking.client.get(f"/repos/{self.asking.scope.name}", about=self.asking.scope.name)
        if mark.open or mark.load:
            raise NotFoundError(
                f"The GitHub Actions of {self.asking.scope.name} cannot be read any more: give the token read access "
                "to Actions (what was loaded is kept)."
            )

    def _read_all(
        self, mark: RunsMark, since: date | None
    ) -> Generator[Chunk, None, tuple[list[WindowPages], WindowPages, bool]]:
        """Every run that GitHub still has, newest first; going on where an earlier read was interrupted.

        Args:
            since: only runs that may have ended on this day or later.

        Returns:
            The windows that were read; the open window after them, which is still to be read; and whether some pages
            were read in an earlier run, so that they are to be asked again.
        """
        load = mark.load
        is_resumed = False
        top = upper = self.asking.now - LAG
        windows: list[WindowPages] = []
        floor = (
            max(self.asking.floor, whole_second(self.asking.settings.midnight(since) - asking.LONGEST))
            if since
            else self.asking.floor
        )
        is_same = load is not None and (load.name, load.floor) == (self.asking.scope.name, floor.isoformat())
        if load and is_same and self.asking.now - time(load.top) <= RESUMED_FOR:
            top, upper, is_resumed = time(load.top), time(load.upper), True
            windows = [WindowPages.from_mark(each) for each in load.windows]
            self.asking.say(
                f"{self.asking.scope.name}: going on with the read of all runs that began on {top:%Y-%m-%d %H:%M}Z"
            )

        def marked(upper: datetime, read: Sequence[WindowPages]) -> RunsMark:
            name = self.asking.scope.name
            load = Load(name, floor.isoformat(), top.isoformat(), upper.isoformat(), self._lately(read))
            return replace(mark, unfinished=dict(self.asking.unfinished), load=load)

        yield from self._stretch(floor, upper, windows, marked)
        return windows, WindowPages(Window(top + SECOND)), is_resumed

    def _stretch(
        self,
        floor: datetime,
        upper: datetime,
        windows: list[WindowPages],
        marked: Callable[[datetime, Sequence[WindowPages]], RunsMark],
    ) -> Iterator[Chunk]:
        """All runs of a stretch of time, newest first, each page a checkpoint; its windows are added to ``windows``.

        Args:
            marked: the mark after which only what was created until then is still to be read, beside these windows.
        """
        for pages, chunks in self._range(floor, upper):
            for chunk in chunks:
                part = pages.read_so_far()
                if part:
                    chunk.mark = marked(part.window.start - SECOND, [*windows, part]).to_state()
                yield chunk
            windows.append(pages)
            yield Chunk(mark=marked(pages.window.start - SECOND, windows).to_state())

    def _range(self, floor: datetime, upper: datetime) -> Iterator[tuple[WindowPages, Iterator[Chunk]]]:
        """All windows of a stretch of time, newest first, with their rows (to be taken before the next)."""
        remaining = 0
        promised = len(self.asking.listed)
        expected: int | None = None
        window = Window(floor, upper) if floor <= upper else None
        while window is not None:
            first = self._runs_page(window)
            total = count_of(first.json, self.asking.about)
            if expected is None:
                expected = len(self.asking.listed) + total
            if total > CAP:
                remaining = total if window.start == floor else remaining
                created = created_of(items_of(first.json, "workflow_runs", self.asking.about))
                if not any(window.holds(moment) for moment in created):
                    raise BadAnswerError(
                        f"GitHub does not list the workflow runs of {self.asking.scope.name} by when they were created "
                        f"({window.created}): is GITHUB_API_URL the API?"
                    )
                try:
                    window = narrower(window, created)
                except TooDenseError as error:
                    raise BadAnswerError(
                        f"{self.asking.scope.name} has {total:,} workflow runs that were created in one second "
                        f"({error}); GitHub lists no more than {CAP:,} of them, so they cannot be read whole."
                    ) from None
                continue
            promised += total
            if promised > expected + expected // 10 + CAP:
                raise BadAnswerError(
                    f"GitHub lists ever more workflow runs of {self.asking.scope.name}: {promised:,}, where there were "
                    f"{expected:,} in all."
                )
            pages = WindowPages(window)
            yield pages, self._watched(pages, first, expected)
            remaining -= total
            window = earlier(window, total, remaining, floor)

    def _watched(self, pages: WindowPages, first: Response, expected: int) -> Iterator[Chunk]:
        """The rows of a window, page by page, each told as progress."""
        for nodes in self._runs(pages, first):
            yield self.rows.chunk(nodes)
            self.pages_read += 1
            self.asking.progress(Progress("workflow runs", len(self.asking.listed), expected, self.pages_read))

    def _read_changes(
        self, windows: list[WindowPages], current: WindowPages, again: bool, mark: RunsMark
    ) -> Iterator[Chunk]:
        """Runs created since the open window began, and, if ``again``, what changed in the closed ones.

        Both are brought up to date. Pages of the open window move with every new run, so one that has grown is closed,
        and a new one opened. While that is read, ``gap`` in the mark says what of it is still to be read.
        """
        closed = list(windows) if again else []
        gap = mark.gap if again else None
        if gap:
            yield from self._close(current, time(gap.upper), time(gap.top), windows, mark)
        first = self._runs_page(current.window, current.etag)
        cuts = 0
        while not first.is_unchanged and (count := count_of(first.json, self.asking.about)) > asking.PER_PAGE:
            # What may still be listed late stays in the open window, unless that is more than it can list.
            until = whole_second(first.date) - (LAG if count <= CAP else timedelta())
            if until < current.window.start:
                break
            cuts += 1
            if cuts > MOST_CUTS:
                raise BadAnswerError(
                    f"GitHub lists ever more workflow runs of {self.asking.scope.name} while they are read."
                )
            yield from self._close(current, until, until, windows, mark if again else None)
            first = self._runs_page(current.window)
        yield from map(self.rows.chunk, self._runs(current, first))
        for pages in closed:
            first = self._runs_page(pages.window, pages.etag)
            if first.is_unchanged or count_of(first.json, self.asking.about) <= CAP:
                yield from map(self.rows.chunk, self._runs(pages, first))
                continue
            # Some were listed late, and now there are too many for one search.
            assert pages.window.end is not None
            windows.remove(pages)
            for parts, chunks in self._range(pages.window.start, pages.window.end):
                yield from chunks
                windows.append(parts)

    def _close(
        self, current: WindowPages, upper: datetime, top: datetime, windows: list[WindowPages], mark: RunsMark | None
    ) -> Iterator[Chunk]:
        """Cut the open window, from its beginning until ``upper``, into closed ones; it begins after ``top`` then."""
        start = current.window.start

        if mark:

            def marked(upper: datetime, read: Sequence[WindowPages]) -> RunsMark:
                gap = Gap(upper.isoformat(), top.isoformat())
                unfinished, lately = dict(self.asking.unfinished), self._lately(read)
                return replace(mark, unfinished=unfinished, windows=lately, gap=gap)

            yield from self._stretch(start, upper, windows, marked)
        else:
            # Of a read of all, which has its own mark, and a short stretch after it.
            for pages, chunks in self._range(start, upper):
                yield from chunks
                windows.append(pages)
        current.window, current.pages = Window(top + SECOND), []

    def _ask_unfinished(self, before: datetime) -> Iterator[Chunk]:
        """Runs that had not ended and are too old for any window, by id."""
        for run, created in list(self.asking.unfinished.items()):
            if time(created) >= before:
                continue
            try:
                answer = self.asking.client.get(
                    f"{self.asking.path}/runs/{run}", {"exclude_pull_requests": "true"}, about=self.asking.about
                )
            except NotFoundError:
                self.asking.confirm_access()
                # Deleted or expired: what was loaded stays.
                del self.asking.unfinished[run]
                continue
            except OverloadedError as error:
                self.asking.skips.fail("runs", run, error)
                continue
            yield self.rows.chunk([answer.json])

    def _vanished(self, oldest: datetime | None) -> Iterator[Chunk]:
        """Mark as gone what a complete read no longer found; what is older than the oldest run may have expired."""
        if oldest is None:
            return
        here = "deleted_at is null"
        loaded = self.asking.known.rows("runs", ("id", "created_at"), self.asking.scope.id, here)
        gone = [row["id"] for row in loaded if row["id"] not in self.asking.listed and row["created_at"] >= oldest]
        for start in range(0, len(gone), asking.PER_PAGE):
            some = sql_list(gone[start : start + asking.PER_PAGE])
            chunk = Chunk()
            for table, key in (("runs", "id"), ("run_attempts", "run_id"), ("jobs", "run_id")):
                rows = self.asking.known.rows(
                    table, TABLES[table].columns, self.asking.scope.id, f"{here} and {key} in ({some})"
                )
                chunk.add(table, [{**row, "deleted_at": self.asking.now} for row in rows])
            yield chunk

    def _runs_page(self, window: Window, etag: str = "", number: int = 1) -> Response:
        # Without the pull requests, which change by themselves and would spoil the ETag.
        search = {"created": window.created, "exclude_pull_requests": "true"}
        return self.asking.page(f"{self.asking.path}/runs", search, "workflow_runs", etag, number)

    def _runs(self, pages: WindowPages, first: Response, is_again: bool = False) -> Iterator[list[shape.Node]]:
        """The pages of a window that changed, from its ``first`` on; ``pages`` is brought up to date."""
        stored, pages.pages = pages.pages, []
        answer = first
        listed = unchanged = 0
        total = None if first.is_unchanged else count_of(first.json, self.asking.about)
        seen: set[int] = set()
        brought = Pages("GitHub", self.asking.about, most=asking.MOST_PAGES, most_barren=1)
        while True:
            number = len(pages.pages) + 1
            if answer.is_unchanged:
                pages.pages.append(stored[number - 1])
                listed += asking.PER_PAGE
                unchanged += asking.PER_PAGE
                is_last = number >= len(stored)
            else:
                nodes = items_of(answer.json, "workflow_runs", self.asking.about)
                created = created_of(nodes)
                newest = max(created, default=pages.window.end or pages.window.start)
                pages.pages.append(PageMark(answer.etag, newest.isoformat()))
                pages.oldest = min(created, default=None)
                listed += len(nodes)
                seen.update(node["id"] for node in nodes if isinstance(node, dict) and node.get("id"))
                if nodes:
                    brought.note(nodes)
                yield nodes
                # Pages that are too old to change were dropped from ``stored``, and are not read again either.
                is_dropped = (
                    number >= len(stored) > 0
                    and min(created, default=self.asking.now) < self.asking.now - asking.LOOK_BACK
                )
                is_last = is_dropped or is_last_page(answer, nodes, listed, unchanged + brought.brought)
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
            etag = stored[number].etag if number < len(stored) else ""
            answer = self._runs_page(pages.window, etag, number + 1)

    def _lately(self, windows: Iterable[WindowPages]) -> list[WindowMark]:
        """The windows that are to be asked again, without the pages that are too old to change."""
        kept = [pages.since(self.asking.now - asking.LOOK_BACK) for pages in windows]
        return [pages.to_mark() for pages in kept if pages.pages]
