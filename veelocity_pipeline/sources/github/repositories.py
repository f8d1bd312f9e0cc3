"""Which repositories there are to read, and what is newest in each: one request for fifty of them."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from veelocity_pipeline.sources.github import alone, queries
from veelocity_pipeline.sources.github.app import github_accounts
from veelocity_pipeline.sources.github.provider import GITHUB
from veelocity_pipeline.sources.kit.connector import RefreshRequest, Scope, ScopeFailure
from veelocity_pipeline.sources.kit.http.client import Client
from veelocity_pipeline.sources.kit.http.errors import (
    AuthenticationError,
    CancelledError,
    NotFoundError,
    OverloadedError,
    PermissionDeniedError,
    RateLimitedError,
    SourceError,
    UnreachableError,
)
from veelocity_pipeline.sources.kit.http.lost import Lost
from veelocity_pipeline.sources.kit.http.paging import MOST_PAGES_OF_FEW, Cursors, PageSize, nodes
from veelocity_pipeline.sources.kit.http.reading import Bounds

if TYPE_CHECKING:
    from veelocity_pipeline.config.settings import Settings

_PERMISSIONS = {
    "defaultBranchRef": "Contents",
    "refs": "Contents",
    "releases": "Contents",
    "pullRequests": "Pull requests",
    "issues": "Issues",
    "deployments": "Deployments",
}
"""By the list that could not be read, the permission (of a fine-grained token or an App) that it takes to."""

OF_ALL = (AuthenticationError, CancelledError, RateLimitedError, UnreachableError)
"""Failures that no other repository would escape."""


def github_client(settings: Settings, **options: Any) -> Client:
    """The client for the configured GitHub. All that are made of the same settings share their tokens' budgets.

    Args:
        options: as ``Client`` has them.

    Raises:
        AuthenticationError: there is neither a token nor an App, or the App's key is none.
    """
    accounts = github_accounts(settings)
    root = settings.github_api_url.rstrip("/")
    bounds = Bounds.of(settings)
    return Client(root, settings.github_graphql_url, accounts, provider=GITHUB, bounds=bounds, **options)


def reach_github(client: Client) -> None:
    """Ask for what costs nothing and any token may read. An Enterprise Server without limits answers 404.

    Raises:
        SourceError: GitHub is not there, or does not accept the token.
    """
    client.get("/rate_limit", about="the token's limits")


_found: dict[tuple[object, ...], list[Scope | ScopeFailure]] = {}
"""What ``resolve`` found last, by the run and what it depends on."""


def resolved(client: Client, settings: Settings, request: RefreshRequest) -> list[Scope | ScopeFailure]:
    """As ``resolve``, but what another source of the same run found is not asked for again.

    That is good for names and ids, and says nothing of what is newest now.
    """
    if request.run and (found := _found.get(_key(settings, request))):
        return list(found)
    return resolve(client, settings, request)


def _key(settings: Settings, request: RefreshRequest) -> tuple[object, ...]:
    return request.run, request.scopes, settings.github_graphql_url, tuple(settings.github_repositories)


def resolve(client: Client, settings: Settings, request: RefreshRequest) -> list[Scope | ScopeFailure]:
    """The configured repositories, each once, in the order of the settings, without those that they leave out.

    ``Scope.id`` is the node id, ``Scope.name`` the present ``owner/name``, ``Scope.info["node"]`` the
    repository with the newest of everything in it (``queries.repositories``). One that does not exist, or
    that the token may not read, is a ScopeFailure; the others are not touched by it.

    Raises:
        SourceError: no repository can be asked for at all.
    """
    entries = list(dict.fromkeys(settings.wanted_repositories))
    wanted = {name.casefold() for name in request.scopes}
    named = [entry for entry in entries if not entry.endswith("/*")]
    owners = [entry for entry in entries if entry.endswith("/*")]
    if wanted:
        named = [entry for entry in named if entry.casefold() in wanted]
        owners = [entry for entry in owners if any(name.startswith(entry[:-1].casefold()) for name in wanted)]
    by_entry = _by_entry(client, [*named, *owners])
    result: dict[str, Scope | ScopeFailure] = {}
    for entry in sorted(by_entry, key=lambda entry: (entry.endswith("/*"), entries.index(entry))):
        for item in by_entry[entry]:
            is_wanted = not wanted or item.name.casefold() in wanted or item.configured_as.casefold() in wanted
            is_wanted = is_wanted and not settings.is_excluded(item.name)
            if isinstance(item, ScopeFailure) or is_wanted:
                result.setdefault(item.id if isinstance(item, Scope) else f"failed {item.name}", item)
    answered = {text.casefold() for item in result.values() for text in (item.name, item.configured_as)}
    for name in request.scopes:
        if name.casefold() not in answered and not any(isinstance(item, ScopeFailure) for item in result.values()):
            error = f"{name} is not among GITHUB_REPOSITORIES: add it there first."
            if settings.is_excluded(name):
                error = f"{name} is left out by !{name} in GITHUB_REPOSITORIES: take that out first."
            result[f"failed {name}"] = ScopeFailure(name, name, error)
    _found.clear()
    # One that could not be read may be there when the next source asks.
    if request.run and not any(isinstance(item, ScopeFailure) for item in result.values()):
        _found[_key(settings, request)] = list(result.values())
    return list(result.values())


def vanished(
    settings: Settings, remembered: Mapping[str, str], found: Iterable[Scope | ScopeFailure]
) -> Iterator[ScopeFailure]:
    """Repositories that were read as one of an owner's (``owner/*``), and that the owner's list no longer has.

    That is a failure and no deletion: lost access looks the same; ``!owner/name`` says that it is to be left out. See
    ``Connector.vanished``.
    """
    listed = list(found)
    there = {item.id for item in listed if isinstance(item, Scope)}
    failed = {item.name.casefold() for item in listed if isinstance(item, ScopeFailure)}
    entries = {entry.casefold(): entry for entry in settings.wanted_repositories}
    for scope_id, name in remembered.items():
        entry = entries.get(name.casefold().partition("/")[0] + "/*")
        if scope_id in there or entry is None or {entry.casefold(), name.casefold()} & failed:
            continue
        if settings.is_excluded(name):
            continue
        yield ScopeFailure(
            name,
            entry,
            f"GitHub no longer lists {name} under {entry}: it was deleted or moved, or the token may not read it any "
            f"more. What was loaded is kept; to leave it out from now on, add !{name} to GITHUB_REPOSITORIES.",
        )


def _by_entry(client: Client, entries: Sequence[str]) -> dict[str, list[Scope | ScopeFailure]]:
    """The repositories of each entry; entries that the same tokens may read are asked for together."""
    result: dict[str, list[Scope | ScopeFailure]] = {}
    groups: list[tuple[Client, list[str]]] = []
    for entry in entries:
        try:
            view = client.for_owner(entry)
        except OF_ALL:
            raise
        except SourceError as error:
            result[entry] = [ScopeFailure(entry, entry, str(error))]
            continue
        for known, group in groups:
            if known.is_as(view):
                group.append(entry)
                break
        else:
            groups.append((view, [entry]))
    for view, group in groups:
        try:
            for found in _by_name(view, [entry for entry in group if not entry.endswith("/*")]):
                result[found.configured_as] = [found]
            for entry in group:
                if entry.endswith("/*"):
                    result[entry] = list(_by_owner(view, entry))
        except AuthenticationError as error:
            if len(groups) == 1:
                raise
            result |= {entry: [ScopeFailure(entry, entry, str(error))] for entry in group}
    return result


def _by_name(client: Client, names: Sequence[str]) -> Iterator[Scope | ScopeFailure]:
    """Repositories by name; what one token may not read, the next is asked for."""
    failed: dict[str, ScopeFailure] = {}
    refused: AuthenticationError | None = None
    left = list(names)
    tokens = client.each
    for token in tokens:
        if not left:
            break
        failed = {}
        size = PageSize(queries.REPOSITORIES_PER_REQUEST)
        try:
            for _, found in size.portions(left, functools.partial(_asked, token)):
                for item in found:
                    if isinstance(item, ScopeFailure):
                        failed[item.configured_as] = item
                        continue
                    if len(tokens) > 1:
                        token.reaches(item.name)
                        left.remove(item.configured_as)
                    yield item
        except AuthenticationError as error:
            refused = error
            continue
        left = [name for name in left if name in failed]
    if refused and len(failed) < len(left):
        raise refused
    yield from failed.values()


def _asked(client: Client, names: Sequence[str], _is_least: bool) -> list[Scope | ScopeFailure]:
    return _ask(client, names)


def _ask(client: Client, names: Sequence[str]) -> list[Scope | ScopeFailure]:
    variables = {}
    for number, name in enumerate(names):
        variables[f"o{number}"], variables[f"n{number}"] = name.split("/", 1)
    about = names[0] if len(names) == 1 else f"{len(names)} repositories"
    try:
        data, errors = client.graphql_tolerant(queries.repositories(len(names)), variables, about=about)
    except OF_ALL:
        raise
    except OverloadedError as error:
        if len(names) > 1:
            raise
        return [ScopeFailure(names[0], names[0], str(error))]
    except SourceError as error:
        if len(names) > 1:
            # Some one of them is the matter; by itself it says which.
            return [found for name in names for found in _ask(client, [name])]
        return [ScopeFailure(names[0], names[0], str(error))]
    said: dict[str, list[dict[str, Any]]] = {}
    for problem in errors:
        said.setdefault(str((problem.get("path") or [""])[0]), []).append(problem)
    result: list[Scope | ScopeFailure] = []
    for number, name in enumerate(names):
        node = data.get(f"r{number}")
        problems = said.get(f"r{number}", [])
        if node is None or problems:
            result.append(ScopeFailure(name, name, str(_failure(name, problems))))
        else:
            result.append(_scope(node, name))
    return result


def _scope(node: Mapping[str, Any], entry: str) -> Scope:
    size = sum((node.get(name) or {}).get("totalCount") or 0 for name in ("pullRequests", "issues", "deployments"))
    return Scope(node["id"], node["nameWithOwner"], entry, {"node": node}, size)


def _failure(name: str, errors: Sequence[dict[str, Any]]) -> SourceError:
    texts = "; ".join(dict.fromkeys(str(error.get("message") or "") for error in errors))
    said = f" ({texts})" if texts else ""
    refused = [error for error in errors if str(error.get("type")).upper() in ("FORBIDDEN", "INSUFFICIENT_SCOPES")]
    if refused:
        lists = {str(part) for error in refused for part in error.get("path") or ()}
        lacking = sorted({permission for name, permission in _PERMISSIONS.items() if name in lists})
        wanted = f"; what is missing is read access to {' and '.join(lacking)}" if lacking else ""
        return PermissionDeniedError(f"GitHub does not let the token read {name}{said}{wanted}: {GITHUB.cure}.")
    return NotFoundError(
        f"GitHub knows no repository {name}, or the token may not read it{said}: check GITHUB_REPOSITORIES, "
        f"or {GITHUB.cure}."
    )


def _by_owner(client: Client, entry: str) -> Iterator[Scope | ScopeFailure]:
    """All repositories of an owner, in the order in which they were made: what any of the tokens sees."""
    tokens = client.each
    found: dict[str, Scope | ScopeFailure] = {}
    refused: AuthenticationError | None = None
    for token in tokens:
        try:
            for item in _listed(token, entry):
                is_scope = isinstance(item, Scope)
                if is_scope and len(tokens) > 1:
                    token.reaches(item.name)
                if is_scope or item.name not in found:
                    found[item.name] = item
        except AuthenticationError as error:
            refused = error
    if refused and not found:
        raise refused
    if len(tokens) > 1 and any(isinstance(item, Scope) for item in found.values()):
        found.pop(entry, None)  # one of several tokens does not know the owner
    yield from found.values()


def _listed(client: Client, entry: str) -> Iterator[Scope | ScopeFailure]:
    """What one token sees of an owner's repositories; one that cannot be had is a failure by its name."""
    login = entry.removesuffix("/*")
    size = PageSize(queries.REPOSITORIES_PER_REQUEST)
    after: str | None = None
    cursors = Cursors("GitHub", f"the repositories of {login}", most=MOST_PAGES_OF_FEW)
    try:
        while True:
            variables = {"login": login, "after": after}
            try:
                data, lost = client.graphql_page(queries.OWNER, variables, size, about=entry)
            except OverloadedError as error:
                page = _alone(client, entry, variables, 1)
                for node in nodes(page):
                    yield ScopeFailure(node["nameWithOwner"], entry, str(error))
            else:
                page = _repositories(data, login)
                yield from _members(client, entry, variables, page, lost)
            after = cursors.following(page)
            if after is None:
                return
    except OF_ALL:
        raise
    except SourceError as error:
        yield ScopeFailure(entry, entry, str(error))


def _members(
    client: Client, entry: str, variables: Mapping[str, Any], page: Mapping[str, Any], lost: Sequence[Lost]
) -> Iterator[Scope | ScopeFailure]:
    """The repositories of a page; one of which something failed is asked for by itself, and says what."""
    failed = {each.index: each.said for each in lost}
    listed = page.get("nodes") or []
    names = [node and node["nameWithOwner"] for node in listed]
    if any(names[number] is None for number in failed):
        alone = _alone(client, entry, variables, len(listed)).get("nodes") or []
        names = [node["nameWithOwner"] if node else None for node in alone]
    for number, node in enumerate(listed):
        if number not in failed:
            if node:
                yield _scope(node, entry)
            continue
        name = names[number] if number < len(names) else None
        if name is None:
            yield ScopeFailure(f"{entry} ({number + 1})", entry, f"GitHub does not show it: {failed[number]}")
            continue
        for item in _ask(client, [name]):
            yield dataclasses.replace(item, configured_as=entry)


def _alone(client: Client, entry: str, variables: Mapping[str, Any], first: int) -> Mapping[str, Any]:
    """The names of some of an owner's repositories, and nothing else of them."""
    data, _ = client.graphql_partial(alone.OWNER_ALONE, {**variables, "first": first}, about=entry)
    return _repositories(data, entry.removesuffix("/*"))


def _repositories(data: Mapping[str, Any], login: str) -> Mapping[str, Any]:
    owner = data.get("repositoryOwner")
    if owner is None:
        raise NotFoundError(f"GitHub knows no user or organization {login}: check GITHUB_REPOSITORIES.")
    page: Mapping[str, Any] = owner["repositories"]
    return page
