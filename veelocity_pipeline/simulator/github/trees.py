"""Git's trees of the simulated repositories, worked out from the paths that each commit touches."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from veelocity_pipeline.simulator.github.refs import history
from veelocity_pipeline.simulator.organization.code_host import Commit, Repository

MOST_ENTRIES = 100_000
"""How many entries a tree is listed with that is asked for with all that is below it."""


@dataclass(frozen=True)
class Tree:
    """A folder: its id, and its files and folders by name."""

    sha: str
    entries: dict[str, str | Tree]


def tree_of(commit: Commit) -> Tree:
    """A commit's tree: each path as the last commit left it that touched it."""
    last: dict[str, Commit] = {}
    for each in sorted(history(commit), key=lambda one: one.order):
        for path in each.paths:
            last[path] = each
    return _tree({path: _blob(path, each) for path, each in last.items()})


def _blob(path: str, commit: Commit) -> str:
    return hashlib.sha1(f"{commit.sha}:{path}".encode()).hexdigest()


def _tree(blobs: dict[str, str]) -> Tree:
    folders: dict[str, dict[str, str]] = {}
    entries: dict[str, str | Tree] = {}
    for path, sha in blobs.items():
        name, _, rest = path.partition("/")
        if rest:
            folders.setdefault(name, {})[rest] = sha
        else:
            entries[name] = sha
    entries |= {name: _tree(inner) for name, inner in folders.items()}
    listed = "\n".join(
        f"{name} {entry if isinstance(entry, str) else entry.sha}" for name, entry in sorted(entries.items())
    )
    return Tree(hashlib.sha1(listed.encode()).hexdigest(), dict(sorted(entries.items())))


def find_tree(repository: Repository, sha: str) -> Tree | None:
    """A folder of any commit, by its id."""
    commits = [*repository.commits.values()]
    commits += [entry.commit for each in repository.pull_requests for entry in each.commits]
    for commit in reversed(commits):
        found = _find(tree_of(commit), sha)
        if found:
            return found
    return None


def _find(tree: Tree, sha: str) -> Tree | None:
    if tree.sha == sha:
        return tree
    inner = (_find(entry, sha) for entry in tree.entries.values() if isinstance(entry, Tree))
    return next((found for found in inner if found), None)


def listing(tree: Tree, url: str, is_deep: bool) -> dict[str, Any]:
    """A tree as REST lists it; cut, and said to be, where it has too many entries."""
    entries = list(_entries(tree, "", is_deep))
    for entry in entries:
        kind = "trees" if entry["type"] == "tree" else "blobs"
        entry["url"] = f"{url}/git/{kind}/{entry['sha']}"
    return {
        "sha": tree.sha,
        "url": f"{url}/git/trees/{tree.sha}",
        "tree": entries[:MOST_ENTRIES],
        "truncated": len(entries) > MOST_ENTRIES,
    }


def _entries(tree: Tree, folder: str, is_deep: bool) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for name, entry in tree.entries.items():
        path = f"{folder}{name}"
        if isinstance(entry, str):
            found.append({"path": path, "mode": "100644", "type": "blob", "sha": entry, "size": 100})
        else:
            found.append({"path": path, "mode": "040000", "type": "tree", "sha": entry.sha})
            if is_deep:
                found += _entries(entry, f"{path}/", True)
    return found


def tree_id(commit: Commit) -> str:
    """A hash that belongs to this commit alone, where nobody looks into the tree."""
    return commit.sha[::-1]
