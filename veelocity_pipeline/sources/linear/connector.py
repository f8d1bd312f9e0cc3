"""Reading a Linear workspace: what it shares, and the issues of each team with their children.

What the workspace shares is small and read whole each time (one request for most), before anything else: it says which
teams there are, and what labels and states are called. A team's issues are read in full once, newest first, each page a
checkpoint; after that only what changed since its mark. Three things change rows of an issue without moving its
``updatedAt``: a comment, an attachment, and a label's new name. Each is looked for, and the issues it belongs to are
read again. Of what was taken away (a comment, a whole issue) only the full refresh learns.
"""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import chain, pairwise
from typing import TYPE_CHECKING, Any

from veelocity_pipeline.sources.kit.connector import (
    Change,
    CheckResult,
    Chunk,
    Connector,
    Known,
    Progress,
    RefreshRequest,
    Scope,
    ScopeFailure,
)
from veelocity_pipeline.sources.kit.http.answers import MOST_ATTEMPTS
from veelocity_pipeline.sources.kit.http.client import Client
from veelocity_pipeline.sources.kit.http.errors import OverloadedError, SourceError
from veelocity_pipeline.sources.kit.http.paging import Cursors, PageSize
from veelocity_pipeline.sources.kit.http.paging import nodes as nodes_of
from veelocity_pipeline.sources.kit.http.reading import Bounds
from veelocity_pipeline.sources.kit.skips import UNNAMED, Skips, is_harmless, note
from veelocity_pipeline.sources.linear import queries, shape
from veelocity_pipeline.sources.linear.mark import FullRead, TeamMark, WorkspaceMark
from veelocity_pipeline.sources.linear.progress import Seen
from veelocity_pipeline.sources.linear.provider import LINEAR
from veelocity_pipeline.sources.linear.workspace import WORKSPACE, Workspace, batches

if TYPE_CHECKING:
    from veelocity_pipeline.config.settings import Settings

OVERLAP = timedelta(minutes=10)
"""What is asked for again before the mark: Linear may show a change some moments after its ``updatedAt``."""

RESUMED_FOR = timedelta(days=7)
"""A full read that was interrupted longer ago than this starts again instead of resuming."""


class LinearConnector(Connector):
    """One refresh of a Linear workspace. Scopes: its teams by id, and ``*`` for what they share."""

    def __init__(self, settings: Settings, client: Client | None = None) -> None:
        self.settings = settings
        self.client = client or self.client_of(settings)
        self.workspace = Workspace(self.client)
        self._page = PageSize(queries.ISSUES_PER_PAGE)
        self._lists = PageSize(queries.MORE_LISTS_PER_QUERY)
        self._start = settings.start_date.isoformat() if settings.start_date else None
        self._lock = threading.Lock()
        self._read_by: dict[str, str] = {}
        self._marks: list[datetime] = []
        self._asked_since: datetime | None = None
        self._changed: Mapping[str, list[shape.Node]] = {}

    @classmethod
    def client_of(cls, settings: Settings, **options: Any) -> Client:
        """Make the client of Linear; see ``Connector.client_of``."""
        key = settings.linear_api_key
        keys = [key] if key else []
        return Client("", settings.linear_api_url, keys, provider=LINEAR, bounds=Bounds.of(settings), **options)

    def reach(self) -> None:
        """See ``Connector.reach``."""
        self.client.graphql(queries.VIEWER, about="the key's owner")

    # ---------------------------------------------------------------------------------------- workspace

    def scopes(self, request: RefreshRequest) -> list[Scope | ScopeFailure]:
        """All teams that the key can read, archived ones too, after the workspace itself.

        Raises:
            SourceError: the workspace cannot be read.
        """
        wanted = {name.casefold() for name in request.scopes if "/" not in name}
        if request.scopes and not wanted:
            return []
        self.workspace.read()
        teams = sorted(self.workspace.lists["teams"], key=lambda team: team["key"])
        found: list[Scope | ScopeFailure] = [Scope(WORKSPACE, WORKSPACE)]
        found += [Scope(team["id"], team["key"]) for team in teams if not wanted or team["key"].casefold() in wanted]
        missing = wanted - {team["key"].casefold() for team in teams} - {WORKSPACE}
        found += [
            ScopeFailure(name.upper(), name, f"Linear has no team {name.upper()} that this key can read.")
            for name in sorted(missing)
        ]
        return found

    def begin(self, marks: Mapping[str, Mapping[str, Any]]) -> None:
        """Learn from when on changes will be asked for, so that one question does for all teams."""
        self._marks = [_time(mark["since"]) for mark in marks.values() if mark.get("since")]

    # --------------------------------------------------------------------------------------------- teams

    def read(self, scope: Scope, mark: dict[str, Any], request: RefreshRequest, known: Known) -> Iterator[Chunk]:
        """Read the workspace's own tables, or one team's issues; see ``Connector.read``."""
        if scope.id == WORKSPACE:
            yield self.workspace.chunk(WorkspaceMark.from_state(mark), request, known)
            return
        team = TeamMark.from_state(mark)
        # A new key is a new identifier, address and branch name for every issue, and moves no updatedAt.
        # Another start date than before covers, or uncovers, history.
        is_known = team.since is not None and (team.key, team.start) == (scope.name, self._start)
        if request.full or not is_known:
            team = yield from self._read_all(scope, team, request, known, request.since if is_known else None)
            if team.since == (self.workspace.started - OVERLAP).isoformat():
                return
            # It began in an earlier run, which was interrupted: what changed since then is still to be read.
        yield from self._read_changes(scope, team)

    def _read_all(
        self, scope: Scope, mark: TeamMark, request: RefreshRequest, known: Known, since: date | None
    ) -> Generator[Chunk, None, TeamMark]:
        """Every issue of a team, newest first; going on where an earlier read was interrupted.

        Args:
            since: only issues that changed on this day or later.

        Returns:
            The team's mark after it.
        """
        begun = mark.full
        started, until = self.workspace.started, None
        asked = scope.name, self._start, since.isoformat() if since else None
        is_same = begun is not None and (begun.key, begun.start, begun.since) == asked
        if begun and is_same and self.workspace.started - _time(begun.started) <= RESUMED_FOR:
            started, until = _time(begun.started), begun.until
            self.say(f"{scope.name}: going on with the read of all issues that began on {started:%Y-%m-%d %H:%M}Z")
        criteria = {"team": {"id": {"eq": scope.id}}, **self._since_start()}
        if since:
            criteria["updatedAt"] = {"gte": self.settings.midnight(since).isoformat()}
        if until:
            criteria["createdAt"] = {"lte": until}
        progress = Seen(started - OVERLAP, mark.watermarks.get("issues") if since else None, Skips(mark.skipped))
        newest_first = True
        for number, nodes in enumerate(self._pages(criteria, f"the issues of team {scope.name}", progress), 1):
            progress.seen |= {node["id"] for node in nodes}
            self.progress(scope, Progress("issues", len(progress.seen), None, number))
            chunk = self._chunk(self._ours(nodes, scope), scope, progress)
            # Linear lists the newest first, which its schema does not promise: where it does not, there is no way to
            # go on from a page, and the read, if interrupted, begins anew.
            created = [until] if until else []
            created += [node["createdAt"] for node in nodes]
            newest_first = newest_first and all(_time(a) >= _time(b) for a, b in pairwise(created))
            if newest_first and created:
                until = created[-1]
                under_way = FullRead(*asked, started.isoformat(), until)
                chunk.mark = replace(mark, full=under_way).to_state()
            yield chunk
        last = Chunk()
        if request.full:
            last.listed["issues"] = progress.seen | self._still_there(scope, progress.seen, known)
            last.listed["issues"] |= progress.skips.of("issues")
        after = self._mark(scope, progress)
        last.mark = after.to_state()
        yield last
        return after

    def _still_there(self, scope: Scope, seen: set[str], known: Known) -> set[str]:
        """Of the issues that are loaded and were not listed, those that exist all the same.

        They are of another team now, which lists them, or were read before an interruption, or ended before the start
        date.
        """
        loaded = {row["id"] for row in known.rows("issues", ("id",), scope.id, "deleted_at is null")}
        existing: set[str] = set()
        for batch in batches(sorted(loaded - seen), queries.IDS_PER_PAGE):
            about = f"issues that team {scope.name} no longer lists"
            existing |= {node["id"] for node in self.workspace.by_ids(queries.EXISTING, "issues", batch, about)}
        return existing

    def _read_changes(self, scope: Scope, mark: TeamMark) -> Iterator[Chunk]:
        """What changed in a team since its mark; the mark moves with the last of it."""
        assert mark.since is not None
        moment, recent = _time(mark.since), mark.recent
        progress = Seen(self.workspace.started - OVERLAP, mark.watermarks.get("issues"), Skips(mark.skipped))
        about = f"the issues of team {scope.name}"
        listed, children = self._changed_in(scope, moment)
        # What could not be read is asked for again.
        wanted = progress.skips.of("issues")
        for node, issue in (*((node, node["id"]) for node in listed), *children):
            if recent.get(node["id"]) != node["updatedAt"]:
                wanted.add(issue)
        for node in listed:
            if node["id"] not in wanted:
                progress.note(node)
        done: set[str] = set()
        loaded = dict(recent)
        for nodes in self._issues_by_id(sorted(wanted), scope, progress):
            ours = self._ours(nodes, scope)
            done |= {node["id"] for node in ours}
            chunk = self._chunk(ours, scope, progress)
            if len(wanted) > len(nodes):
                # A checkpoint: of what is listed again from the same mark, this is known.
                loaded.update((node["id"], node["updatedAt"]) for node in ours)
                loaded.update((node["id"], node["updatedAt"]) for node, issue in children if issue in done)
                chunk.mark = replace(mark, recent=dict(loaded)).to_state()
            yield chunk
        names = self.workspace.names["issueLabels"]
        renamed = sorted(label for label, name in mark.labels.items() if names.get(label, name) != name)
        for batch in batches(renamed, queries.IDS_PER_PAGE):
            labelled = {"team": {"id": {"eq": scope.id}}, "labels": {"some": {"id": {"in": batch}}}}
            for nodes in self._pages({**labelled, **self._since_start()}, about, progress):
                ours = [node for node in self._ours(nodes, scope) if node["id"] not in done]
                yield self._chunk(ours, scope, progress)
        for node, issue in children:
            if issue in done or recent.get(node["id"]) == node["updatedAt"]:
                progress.note(node)
        if wanted or renamed or progress.recent != recent:
            # Otherwise the mark stays where it was: that costs no write, and asks for no more the next time.
            yield Chunk(mark=replace(self._mark(scope, progress), full=mark.full).to_state())

    def _ours(self, nodes: Iterable[shape.Node], scope: Scope) -> list[shape.Node]:
        """Those issues that no other team's read has given in this refresh.

        One that moves between teams meanwhile is listed by both, and must not be loaded twice at once. What the second
        one saw changed after this refresh began, so that its next increment brings it.
        """
        with self._lock:
            return [node for node in nodes if self._read_by.setdefault(node["id"], scope.id) == scope.id]

    def _changed_in(self, scope: Scope, moment: datetime) -> tuple[list[shape.Node], list[tuple[shape.Node, str]]]:
        """Issues of a team that changed since then, and children that did with their issue's id; without content.

        Asked once for all teams, if it can be: from the earliest of their marks on.
        """
        with self._lock:
            if self._asked_since is None or self._asked_since > moment:
                since = min([moment, *self._marks])
                changed = {"updatedAt": {"gte": since.isoformat()}}
                criteria = {"issues": {**changed, **self._since_start()}, "comments": changed, "attachments": changed}
                about = "what changed in Linear"
                first, _ = self.client.graphql_partial(
                    queries.CHANGED, {**criteria, "first": queries.CHANGED_PER_PAGE}, about=about
                )
                found: dict[str, list[shape.Node]] = {}
                for name in queries.CHANGED_LISTS:
                    variables = {name: criteria[name], "first": queries.IDS_PER_PAGE}
                    more = self.workspace.further(queries.changed_page(name), name, variables, first[name], about)
                    found[name] = [node for some in chain([nodes_of(first[name])], more) for node in some]
                self._asked_since, self._changed = since, found
            lists = self._changed
        listed = [
            node for node in lists["issues"] if node["team"]["id"] == scope.id and _time(node["updatedAt"]) >= moment
        ]
        children = [
            (node, node["issue"]["id"])
            for node in (*lists["comments"], *lists["attachments"])
            # A comment may be one on something else than an issue.
            if node["issue"] and node["issue"]["team"]["id"] == scope.id and _time(node["updatedAt"]) >= moment
        ]
        return listed, children

    def _since_start(self) -> dict[str, Any]:
        """The filter that leaves out what ended before the start date; empty without one."""
        start = self.settings.start_date
        if start is None:
            return {}
        moment = self.settings.midnight(start).isoformat()
        return {
            "or": [
                {"completedAt": {"gte": moment}},
                {"canceledAt": {"gte": moment}},
                {"completedAt": {"null": True}, "canceledAt": {"null": True}},
            ]
        }

    def _mark(self, scope: Scope, progress: Seen) -> TeamMark:
        """The mark of a team that is read up to where this read began."""
        labels = {
            node["id"]: node["name"]
            for node in self.workspace.lists["issueLabels"]
            if node["team"] is None or node["team"]["id"] == scope.id
        }
        return TeamMark(
            key=scope.name,
            start=self._start,
            since=progress.since.isoformat(),
            recent=progress.recent,
            labels=labels,
            watermarks={"issues": progress.newest} if progress.newest else {},
            skipped=progress.skips.kept,
        )

    # ------------------------------------------------------------------------------------------- issues

    def _pages(
        self, criteria: Mapping[str, Any], about: str, progress: Seen, most: int | None = None
    ) -> Iterator[list[shape.Node]]:
        """Pages of issues with the first of their children; ``most`` is how many there can be."""
        after, is_first = None, True
        cursors = Cursors("Linear", about)
        while is_first or after is not None:
            nested = {name: queries.cheapest_first(name, progress.lengths[name]) for name in queries.NESTED_PER_PAGE}
            variables = {"filter": criteria, "after": after, **nested}
            try:
                data, lost = self.client.graphql_page(queries.ISSUES, variables, self._page, most=most, about=about)
            except OverloadedError as error:
                answer = self._alone({**variables, "first": 1}, about)
                for node in nodes_of(answer):
                    progress.skips.fail("issues", node["id"], error)
                yield []
            else:
                answer = data["issues"]
                missing = note(progress.skips, "issues", answer["nodes"], lost, queries.NESTED_PER_PAGE)
                if missing:
                    named = self._alone({**variables, "first": len(answer["nodes"])}, about)["nodes"]
                    for number, said in missing.items():
                        node = named[number] if number < len(named) else None
                        key = node["id"] if node else f"{UNNAMED}{after or ''}/{number}"
                        progress.skips.add("issues", key, said)
                yield nodes_of(answer)
            after, is_first = cursors.following(answer), False

    def _alone(self, variables: Mapping[str, Any], about: str) -> Any:
        """A page of issues with nothing but their ids."""
        asked = {name: variables[name] for name in ("filter", "first", "after")}
        data, _ = self.client.graphql_partial(queries.ISSUES_ALONE, asked, about=about)
        return data["issues"]

    def _issues_by_id(self, ids: Sequence[str], scope: Scope, progress: Seen) -> Iterator[list[shape.Node]]:
        """Some issues of a team, unless they ended before the start date."""
        for batch in batches(ids, queries.ISSUES_PER_PAGE):
            criteria = {"id": {"in": batch}, "team": {"id": {"eq": scope.id}}, **self._since_start()}
            yield from self._pages(criteria, f"some issues of team {scope.name}", progress, most=len(batch))

    def _chunk(self, nodes: Sequence[shape.Node], scope: Scope, progress: Seen) -> Chunk:
        """Issues and all their children as rows."""
        issues = self._with_all_children(nodes, f"the issues of team {scope.name}", progress)
        # A list that failed is remembered in the mark.
        empty: dict[str, shape.Node] = {name: {"nodes": []} for name in queries.NESTED_PER_PAGE}
        issues = [{**issue, **{name: empty[name] for name in empty if not issue.get(name)}} for issue in issues]
        issues = progress.skips.shaped("issues", issues, _whole)
        progress.add(issues)
        labels = self.workspace.named("issueLabels", {label for issue in issues for label in issue["labelIds"]})
        entries = (entry for issue in issues for entry in issue["history"]["nodes"])
        types = self.workspace.named("workflowStates", {entry["toStateId"] for entry in entries if entry["toStateId"]})
        chunk = Chunk()
        chunk.add("issues", map(shape.issue_row, issues))
        for issue in issues:
            chunk.add_set("issue_previous_identifiers", issue["id"], shape.previous_identifier_rows(issue))
            chunk.add_set("issue_labels", issue["id"], shape.label_rows(issue, labels))
            chunk.add_set("issue_state_changes", issue["id"], shape.state_change_rows(issue, types))
            chunk.add_set("attachments", issue["id"], shape.attachment_rows(issue))
            chunk.add_set("comments", issue["id"], shape.comment_rows(issue))
        return chunk

    def _with_all_children(self, listed: Sequence[shape.Node], about: str, progress: Seen) -> list[shape.Node]:
        """The issues with every nested list followed to its end, many lists to a request.

        An issue that is gone by then is left out: the next refresh asks for it again.
        """
        issues = {node["id"]: node for node in listed}
        cursors: dict[tuple[str, str], Cursors] = {}
        open_lists: list[tuple[str, str, str]] = []
        for issue, node in issues.items():
            for name in queries.NESTED_PER_PAGE:
                way = Cursors("Linear", f"{name} of {node['identifier']}")
                if node.get(name) and (after := way.following(node[name])) is not None:
                    cursors[issue, name] = way
                    open_lists.append((issue, name, after))
        is_again: set[tuple[str, str]] = set()

        def ask(batch: Sequence[tuple[str, str, str]], is_least: bool) -> tuple[dict[str, Any], dict[int, str]]:
            document, variables = queries.more_of_issues(batch)
            attempts = MOST_ATTEMPTS if is_least else 1
            data, lost = self.client.graphql_partial(document, variables, about=about, attempts=attempts)
            failed = {each.index: each.said for each in lost if not is_harmless(each, queries.NESTED_PER_PAGE)}
            return data, failed

        def cut(of: tuple[str, str, str], said: object) -> None:
            if of[0] in issues:
                issues[of[0]] = dict(issues[of[0]])
                progress.skips.mark("issues", issues[of[0]], (of[1],), said)

        while open_lists:
            following: list[tuple[str, str, str]] = []
            for batch, (data, failed) in self._lists.portions(open_lists, ask, cut):
                for number, (issue, name, cursor) in enumerate(batch):
                    found = nodes_of(data.get(f"more{number}"))
                    page = found[0].get(name) if found else None
                    if page is None:
                        # Once in a while a provider says of something that it is not there, and it is.
                        if (issue, name) not in is_again:
                            is_again.add((issue, name))
                            following.append((issue, name, cursor))
                        elif found:
                            cut((issue, name, cursor), failed.get(number, "the rest of the list did not come"))
                        elif issues.pop(issue, None):
                            progress.skips.add("issues", issue, "it is listed, and not there where it is asked for")
                        continue
                    if number in failed:
                        cut((issue, name, cursor), failed[number])
                    if issue in issues:
                        whole = [*issues[issue][name]["nodes"], *page["nodes"]]
                        issues[issue] = {**issues[issue], name: {**page, "nodes": whole}}
                    if (after := cursors[issue, name].following(page)) is not None:
                        following.append((issue, name, after))
            open_lists = following
        return list(issues.values())

    # ----------------------------------------------------------------------------------- without reading

    def changed_since(self, read_at: Mapping[str, datetime]) -> list[Change]:
        """Of the teams that were read, those in which an issue, comment or attachment is newer; in one request.

        Only the newest page of each list is looked at: what is not on it waits for the next refresh of all.
        """
        teams = {team: moment for team, moment in read_at.items() if team != WORKSPACE}
        if not teams:
            return []
        changed = {"updatedAt": {"gte": min(teams.values()).isoformat()}}
        criteria = {"issues": {**changed, **self._since_start()}, "comments": changed, "attachments": changed}
        data = self.client.graphql(
            queries.CHANGED, {**criteria, "first": queries.CHANGED_PER_PAGE}, about="what changed in Linear"
        )
        newest: dict[str, datetime] = {}
        for name in queries.CHANGED_LISTS:
            for node in data[name]["nodes"]:
                issue = node if name == "issues" else node["issue"]
                if issue:
                    team, moment = issue["team"]["id"], _time(node["updatedAt"])
                    newest[team] = max(moment, newest.get(team, moment))
        return [
            Change(Scope(team, ""), moment) for team, moment in newest.items() if team in teams and moment > teams[team]
        ]

    # ------------------------------------------------------------------------------------------- check

    def check(self) -> list[CheckResult]:
        """Whether the key is accepted, and which workspace and teams it can read."""
        try:
            data = self.client.graphql(
                queries.WORKSPACE, {"first": queries.WORKSPACE_PER_PAGE}, about="the Linear workspace"
            )
        except SourceError as error:
            return [CheckResult("Linear", False, str(error))]
        keys = sorted(team["key"] for team in data["teams"]["nodes"])
        more = " and more" if data["teams"]["pageInfo"]["hasNextPage"] else ""
        who = f"{data['organization']['name']}, read as {data['viewer']['name']}"
        if not keys:
            return [CheckResult("Linear", False, f"{who}: this key can read no team.")]
        results = [CheckResult("Linear", True, f"{who}: {len(keys)} teams{more} ({', '.join(keys)}{more}).")]
        wanted = {key: team.name for team in self.settings.teams for key in team.linear_teams}
        results += [
            CheckResult(
                f"Linear team {key}", False, f"[[teams]] {team} names it, but there is none that this key can read."
            )
            for key, team in sorted(wanted.items())
            if not more and key.casefold() not in {known.casefold() for known in keys}
        ]
        return results


def _whole(issue: shape.Node) -> shape.Node:
    """The issue, if rows can be made of it."""
    shape.issue_row(issue)
    for rows in (shape.previous_identifier_rows, shape.attachment_rows, shape.comment_rows):
        rows(issue)
    shape.label_rows(issue, {})
    shape.state_change_rows(issue, {})
    _time(issue["updatedAt"])
    return issue


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)
