"""Which paths differ between two commits, however many: by their trees, where GitHub's own lists of files end.

GitHub lists at most 3,000 files of a commit ("Get a commit" in its REST documentation) and of a pull request. A tree is
listed whole with everything below it up to 100,000 entries ("Get a tree"); beyond that it is walked folder by folder,
only into those that differ.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from veelocity_pipeline.sources.kit.http.client import Client
from veelocity_pipeline.sources.kit.http.errors import BadAnswerError

MOST_FILES = 3_000
"""How many files GitHub lists of one commit or pull request."""

MOST_DEEP = 250
"""Folders in folders, of those that are too large to be listed with everything below them."""

MOST_FOLDERS = 5_000
"""Folders that are compared one by one; four requests each at most."""

_Entry = tuple[str, str, str]
"""Mode, type and id: all that git compares of a file or folder."""


def tree_of(client: Client, repository: str, sha: str) -> tuple[str, list[str]]:
    """A commit's tree and its parents, by their ids.

    Raises:
        SourceError: as ``Client.get``.
    """
    commit = _body(client, f"/repos/{repository}/git/commits/{sha}", repository)
    return commit["tree"]["sha"], [parent["sha"] for parent in commit["parents"]]


def changed_paths(client: Client, repository: str, before: str | None, after: str) -> list[str]:
    """Paths of all files that were added, removed or changed from one tree to another, in order.

    Args:
        before, after: ids of trees; None is the empty one.

    Raises:
        BadAnswerError: a single folder has more entries than GitHub lists, or folders lead on and on.
        SourceError: as ``Client.get``.
    """
    return sorted(_walk(client, repository, before, after))


def _walk(client: Client, repository: str, before: str | None, after: str | None) -> Iterator[str]:
    ahead: list[tuple[str | None, str | None, tuple[str, ...]]] = [(before, after, ())]
    compared = 0
    while ahead:
        before, after, folder = ahead.pop()
        if before == after:
            continue
        compared += 1
        if compared > MOST_FOLDERS or len(folder) > MOST_DEEP:
            raise BadAnswerError(f"{repository}: the folders of a commit lead on and on, {compared:,} were compared.")
        old, new = _entries(client, repository, before, True), _entries(client, repository, after, True)
        if old is None or new is None:
            old, new = _entries(client, repository, before, False), _entries(client, repository, after, False)
        if old is None or new is None:
            raise BadAnswerError(
                f"{repository}: the folder {'/'.join(folder)}/ has more entries than GitHub lists, so that it "
                "cannot be told which of them changed."
            )
        for path in old.keys() | new.keys():
            was, now = old.get(path), new.get(path)
            if was == now:
                continue
            old_tree, new_tree = (entry[2] if entry and entry[1] == "tree" else None for entry in (was, now))
            if old_tree or new_tree:
                ahead.append((old_tree, new_tree, (*folder, path)))
            if any(entry and entry[1] != "tree" for entry in (was, now)):
                yield "/".join((*folder, path))


def _entries(client: Client, repository: str, tree: str | None, is_deep: bool) -> dict[str, _Entry] | None:
    """What a tree holds by path, files alone if everything below it is listed; None if that is too much."""
    if tree is None:
        return {}
    answer = _body(client, f"/repos/{repository}/git/trees/{tree}", repository, {"recursive": "1"} if is_deep else {})
    if answer["truncated"]:
        return None
    return {
        entry["path"]: (entry["mode"], entry["type"], entry["sha"])
        for entry in answer["tree"]
        if not is_deep or entry["type"] != "tree"
    }


def _body(client: Client, path: str, repository: str, query: dict[str, str] | None = None) -> Any:
    body = client.get(path, query, about=repository).json
    if not isinstance(body, dict) or not {"tree", "sha"} <= body.keys():
        raise BadAnswerError(f"GitHub answered {path} without a tree: is GITHUB_API_URL the API?")
    return body


def merge_base(client: Client, repository: str, base: str, head: str) -> str:
    """The commit that two have in common, from which a pull request's changes are counted.

    Raises:
        SourceError: as ``Client.get``.
    """
    answer = client.get(f"/repos/{repository}/compare/{base}...{head}", {"per_page": 1}, about=repository).json
    found = answer.get("merge_base_commit") if isinstance(answer, dict) else None
    if not found:
        raise BadAnswerError(f"GitHub compares {base[:9]} with {head[:9]} in {repository} without a common commit.")
    return str(found["sha"])
