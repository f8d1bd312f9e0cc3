"""Branches, tags and commits of GitHub's GraphQL."""

from __future__ import annotations

import heapq
from typing import Any

from veelocity_pipeline.simulator.engine import Connection, moment
from veelocity_pipeline.simulator.github.addresses import user
from veelocity_pipeline.simulator.github.objects import Actor, Context, Ref, TagObject
from veelocity_pipeline.simulator.organization.code_host import Commit, Repository, Tag


def branch_ref(repository: Repository | None, name: str, commit: Commit) -> Ref | None:
    if repository is None:
        return None
    return Ref(f"REF_{repository.id}:refs/heads/{name}", repository, "refs/heads/", name, commit)


def tag_ref(tag: Tag) -> Ref:
    target = TagObject(tag) if tag.is_annotated else tag.commit
    return Ref(f"REF_{tag.repository.id}:refs/tags/{tag.name}", tag.repository, "refs/tags/", tag.name, target)


def refs_of(source: Repository, args: dict[str, Any], context: Context) -> Connection | None:
    prefix = args["refPrefix"]
    if not prefix.endswith("/"):
        prefix += "/"
    refs: list[Ref] = []
    if prefix == "refs/heads/":
        refs = [ref for name, commit in source.branches.items() if (ref := branch_ref(source, name, commit))]
    elif prefix == "refs/tags/":
        refs = [tag_ref(tag) for tag in source.tags]
    if args.get("query"):
        refs = [ref for ref in refs if args["query"].lower() in ref.name.lower()]
    order = args.get("orderBy") or {"field": "ALPHABETICAL", "direction": args.get("direction") or "ASC"}
    if order["field"] == "TAG_COMMIT_DATE":

        def key(ref: Ref) -> tuple[Any, ...]:
            commit = ref.target.target if isinstance(ref.target, TagObject) else ref.target
            return commit.committed_at, ref.name
    else:

        def key(ref: Ref) -> tuple[Any, ...]:
            return (ref.name,)

    refs.sort(key=key, reverse=order["direction"] == "DESC")
    return Connection(refs, args, "refs")


def ref_of(source: Repository, args: dict[str, Any], context: Context) -> Ref | None:
    name = args["qualifiedName"]
    branch = name.removeprefix("refs/heads/")
    if branch in source.branches and not name.startswith("refs/tags/"):
        return branch_ref(source, branch, source.branches[branch])
    wanted = name.removeprefix("refs/tags/")
    return next((tag_ref(tag) for tag in source.tags if tag.name == wanted), None)


def find_commit(repository: Repository, name: str) -> Commit | None:
    """A commit by sha (a unique beginning will do), branch, tag or HEAD; a pull request's from its fork too."""
    name = name.removeprefix("refs/heads/").removeprefix("refs/tags/")
    if name in ("HEAD", ""):
        return repository.head
    if name in repository.commits:
        return repository.commits[name]
    if name in repository.branches:
        return repository.branches[name]
    for tag in repository.tags:
        if tag.name == name:
            return tag.commit
    if len(name) >= 7:
        for sha, commit in repository.commits.items():
            if sha.startswith(name):
                return commit
        for pull_request in repository.pull_requests:
            if pull_request.is_cross_repository:
                for entry in pull_request.commits:
                    if entry.commit.sha.startswith(name):
                        return entry.commit
    return None


def object_named(source: Repository, args: dict[str, Any], context: Context) -> Commit | None:
    return find_commit(source, args.get("oid") or args.get("expression") or "HEAD")


def ancestors(commit: Commit) -> list[Commit]:
    """The commit and all it builds on, newest first: the order of ``git log``."""
    found: list[Commit] = []
    seen = {commit.sha}
    heap = [(-commit.committed_at.timestamp(), -commit.order, commit)]
    while heap:
        _, _, current = heapq.heappop(heap)
        found.append(current)
        for parent in current.parents:
            if parent.sha not in seen:
                seen.add(parent.sha)
                heapq.heappush(heap, (-parent.committed_at.timestamp(), -parent.order, parent))
    return found


class _Histories:
    """Histories of the commits asked for lately; a commit's history never changes."""

    def __init__(self) -> None:
        self._known: dict[Commit, list[Commit]] = {}

    def __call__(self, commit: Commit) -> list[Commit]:
        if commit not in self._known:
            if len(self._known) > 40:
                self._known.clear()
            self._known[commit] = ancestors(commit)
        return self._known[commit]


history = _Histories()


def history_of(source: Commit, args: dict[str, Any], context: Context) -> Connection:
    items = history(source)
    if args.get("since"):
        since = moment(args["since"])
        items = [each for each in items if each.committed_at >= since]
    if args.get("until"):
        until = moment(args["until"])
        items = [each for each in items if each.committed_at <= until]
    if args.get("path"):
        path = args["path"].strip("/")
        items = [each for each in items if any(one == path or one.startswith(path + "/") for one in each.paths)]
    author = args.get("author")
    if author:
        emails, node = author.get("emails") or [], author.get("id")
        items = [
            each for each in items if each.author_email in emails or (node and each.author and each.author.id == node)
        ]
    return Connection(items, args, "history")


def actor_of(source: Commit, is_author: bool) -> Actor:
    if is_author:
        return Actor(source.author_name, source.author_email, source.authored_at, user(source.author))
    same = source.author is not None and source.committer_email == source.author.email
    return Actor(
        source.committer_name, source.committer_email, source.committed_at, user(source.author) if same else None
    )
