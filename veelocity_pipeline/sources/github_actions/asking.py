"""What is asked about one repository's runs, and what the modules that read them tell each other."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from veelocity_pipeline.sources.github_actions import shape
from veelocity_pipeline.sources.github_actions.windows import whole_second
from veelocity_pipeline.sources.kit.connector import Known, Progress, RefreshRequest, Scope
from veelocity_pipeline.sources.kit.http.client import Client
from veelocity_pipeline.sources.kit.http.errors import BadAnswerError, OverloadedError
from veelocity_pipeline.sources.kit.skips import UNNAMED, Skips
from veelocity_pipeline.sources.kit.times import time as moment

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

MOST_PAGES = 100
"""Of workflows, and of a window of runs, which has a thousand of them at most."""


SMALLER = (50, 25, 5, 1)
"""Items on a page where a hundred cannot be had; each divides the one before."""

_TABLES = {"workflows": "workflows", "workflow_runs": "runs"}
"""By the list in an answer, where its items are loaded."""


class Asking:
    """A repository while its runs are read.

    Attributes:
        names: the present name, and the one in the settings.
        start: what ended before this is not read.
        floor: what was created before this ended before ``start``.
        all_again: rows are read whatever is stored.
        unfinished: when each run that had not ended was created, by id.
        newest: the newest change of a run.
        listed: when each run that was listed was created.
        skips: what could not be read.
    """

    def __init__(
        self,
        client: Client,
        settings: Settings,
        scope: Scope,
        request: RefreshRequest,
        known: Known,
        say: Callable[[str], None],
        progress: Callable[[Progress], None],
    ) -> None:
        self.client = client.for_owner(scope.name)
        self.settings = settings
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
        self.say = say
        self.progress = progress
        self.now = FLOOR
        self.all_again = False
        self.unfinished: dict[str, str] = {}
        self.newest: datetime | None = None
        self.listed: dict[int, datetime] = {}
        self.skips = Skips({})
        branch = (scope.info.get("node") or {}).get("defaultBranchRef") or {}
        self.default_branch: str | None = branch.get("name")

    def page(self, path: str, search: Mapping[str, str], key: str, etag: str = "", number: int = 1) -> Response:
        """One page of a list. Its address depends on nothing but the arguments, so that its ETag stays good.

        Args:
            key: of the list in the answer, and its table.
        """
        page = number if number > 1 else None
        try:
            return self.client.get(path, {**search, "per_page": PER_PAGE, "page": page}, etag=etag, about=self.about)
        except OverloadedError as error:
            return self._in_parts(path, search, key, number, error)

    def _in_parts(
        self, path: str, search: Mapping[str, str], key: str, number: int, failure: OverloadedError
    ) -> Response:
        """The same page made of smaller ones; an item that cannot be had even by itself is skipped."""
        table = _TABLES[key]
        items: list[shape.Node] = []
        totals: list[int] = []
        last: Response | None = None
        # Where in the list, and how many: the first half of a page that fails is asked for next.
        ahead = [((number - 1) * PER_PAGE + start, SMALLER[0]) for start in range(0, PER_PAGE, SMALLER[0])][::-1]
        while ahead:
            start, count = ahead.pop()
            if totals and start >= max(totals):
                continue
            query = {**search, "per_page": count, "page": start // count + 1}
            try:
                answer = self.client.get(path, query, about=self.about, attempts=2 if count > 1 else 3)
            except OverloadedError as error:
                smaller = next((each for each in SMALLER if each < count), 0)
                if smaller:
                    ahead += [(place, smaller) for place in range(start, start + count, smaller)][::-1]
                else:
                    named = " ".join(search.values())
                    self.skips.fail(table, f"{UNNAMED}{named}/{start}", error)
                continue
            last = answer
            items += items_of(answer.json, key, self.about)
            totals.append(count_of(answer.json, self.about))
        if last is None:
            raise failure
        following = "next" if totals and number * PER_PAGE < max(totals) else ""
        return dataclasses.replace(
            last, json={"total_count": max(totals), key: items}, etag="", next=following, is_unchanged=False
        )

    def confirm_access(self) -> None:
        """Make sure that something is not found because it is gone: access that was lost looks the same.

        Raises:
            SourceError: the repository's Actions cannot be read (any more).
        """
        self.page(f"{self.path}/workflows", {}, "workflows")


def items_of(body: Any, key: str, about: str) -> list[shape.Node]:
    """The list in an answer's body."""
    items = body.get(key) if isinstance(body, dict) else None
    if not isinstance(items, list):
        raise BadAnswerError(f"GitHub answered {about} without {key!r}: is GITHUB_API_URL the API?")
    return items


def is_last_page(answer: Response, nodes: Sequence[shape.Node], listed: int, distinct: int) -> bool:
    """Whether no page follows: the total decides, if there is one.

    A proxy may have dropped the Link header, and the header may lead on and on.

    Args:
        listed: items so far, those that came twice as well; ``distinct`` without these.
    """
    total = answer.json.get("total_count")
    if not nodes or not isinstance(total, int):
        return not nodes or not answer.next
    return distinct >= total or (not answer.next and listed >= total)


def count_of(body: Any, about: str) -> int:
    """How many there are in all, as an answer's body says."""
    count = body.get("total_count") if isinstance(body, dict) else None
    if not isinstance(count, int):
        raise BadAnswerError(f"GitHub answered {about} without 'total_count': is GITHUB_API_URL the API?")
    return count


def time(text: str) -> datetime:
    return datetime.fromisoformat(text)


def created_of(nodes: Iterable[Any]) -> list[datetime]:
    """When runs were created, as far as a calendar has it."""
    moments = [moment(node.get("created_at")) for node in nodes if isinstance(node, Mapping)]
    return [each for each in moments if each is not None]


def time_or_none(text: str | None) -> datetime | None:
    return time(text) if text else None


def sql_list(ids: Iterable[int]) -> str:
    """Whole numbers as an SQL list."""
    return ", ".join(str(int(number)) for number in ids)
