"""Commits, trees and comparisons in GitHub's REST."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime

from veelocity_pipeline.simulator.engine import timestamp
from veelocity_pipeline.simulator.github.addresses import SITE, commit_path
from veelocity_pipeline.simulator.github.answers import Answer, Json, ProblemError
from veelocity_pipeline.simulator.github.objects import MOST_FILES
from veelocity_pipeline.simulator.github.refs import find_commit, history
from veelocity_pipeline.simulator.github.repositories import Repositories
from veelocity_pipeline.simulator.github.trees import find_tree, listing, tree_id, tree_of
from veelocity_pipeline.simulator.organization.code_host import (
    Commit,
    Repository,
)


class Commits:
    """Answers about commits."""

    def __init__(self, repositories: Repositories) -> None:
        self._repositories = repositories

    def _git_user(self, name: str, email: str, moment: datetime) -> Json:
        return {"name": name, "email": email, "date": timestamp(moment)}

    def commit(self, commit: Commit) -> Json:
        """A commit without its files."""
        repository = commit.repository
        url = f"{self._repositories.root}/repos/{repository.full_name}"
        by_author = commit.author is not None and commit.committer_email == commit.author.email
        return {
            "sha": commit.sha,
            "node_id": commit.id,
            "commit": {
                "url": f"{url}/git/commits/{commit.sha}",
                "author": self._git_user(commit.author_name, commit.author_email, commit.authored_at),
                "committer": self._git_user(commit.committer_name, commit.committer_email, commit.committed_at),
                "message": commit.message,
                "tree": {"sha": tree_id(commit), "url": f"{url}/git/trees/{tree_id(commit)}"},
                "comment_count": 0,
                "verification": {
                    "verified": False,
                    "reason": "unsigned",
                    "signature": None,
                    "payload": None,
                    "verified_at": None,
                },
            },
            "url": f"{url}/commits/{commit.sha}",
            "html_url": SITE + commit_path(commit),
            "comments_url": f"{url}/commits/{commit.sha}/comments",
            "author": self._repositories.visible_user(commit.author),
            "committer": self._repositories.visible_user(commit.author if by_author else None),
            "parents": [
                {
                    "sha": parent.sha,
                    "url": f"{url}/commits/{parent.sha}",
                    "html_url": f"{SITE}/{repository.full_name}/commit/{parent.sha}",
                }
                for parent in commit.parents
            ],
        }

    def _file(self, commit: Commit, path: str) -> Json:
        repository = commit.repository
        place = f"{repository.full_name}/blob/{commit.sha}/{path}"
        return {
            "sha": tree_id(commit),
            "filename": path,
            "status": "modified",
            "additions": 7,
            "deletions": 2,
            "changes": 9,
            "blob_url": f"{SITE}/{place}",
            "raw_url": f"{SITE}/{place.replace('/blob/', '/raw/')}",
            "contents_url": f"{self._repositories.root}/repos/{repository.full_name}/contents/{path}?ref={commit.sha}",
        }

    def _found_commit(self, repository: Repository, ref: str) -> Commit:
        commit = find_commit(repository, ref)
        if commit is None:
            if re.fullmatch(r"[0-9a-f]{40}", ref):
                raise ProblemError(422, f"No commit found for SHA: {ref}")
            raise ProblemError(404, "Not Found")
        return commit

    def one(self, query: Mapping[str, str], owner: str, repo: str, ref: str) -> Answer:
        commit = self._found_commit(self._repositories.find(owner, repo, f"/commits/{ref}"), ref)
        paths, page, last = self._repositories.page(commit.paths[:MOST_FILES], query, 300)
        files = [self._file(commit, path) for path in paths]
        stats = {
            "additions": commit.additions,
            "deletions": commit.deletions,
            "total": commit.additions + commit.deletions,
        }
        return Answer({**self.commit(commit), "stats": stats, "files": files}, page, last)

    def git_commit(self, query: Mapping[str, str], owner: str, repo: str, sha: str) -> Answer:
        repository = self._repositories.find(owner, repo, f"/git/commits/{sha}")
        commit = find_commit(repository, sha)
        if commit is None:
            raise ProblemError(404, "Not Found")
        whole = self.commit(commit)
        tree = tree_of(commit).sha
        url = f"{self._repositories.root}/repos/{repository.full_name}/git"
        return Answer(
            {
                "sha": commit.sha,
                "node_id": commit.id,
                "url": f"{url}/commits/{commit.sha}",
                "html_url": whole["html_url"],
                **{name: whole["commit"][name] for name in ("author", "committer", "message", "verification")},
                "tree": {"sha": tree, "url": f"{url}/trees/{tree}"},
                "parents": whole["parents"],
            }
        )

    def tree(self, query: Mapping[str, str], owner: str, repo: str, sha: str) -> Answer:
        repository = self._repositories.find(owner, repo, f"/git/trees/{sha}")
        tree = find_tree(repository, sha)
        if tree is None:
            raise ProblemError(404, "Not Found")
        return Answer(
            listing(tree, f"{self._repositories.root}/repos/{repository.full_name}", bool(query.get("recursive")))
        )

    def compare(self, query: Mapping[str, str], owner: str, repo: str, basehead: str) -> Answer:
        repository = self._repositories.find(owner, repo, f"/compare/{basehead}")
        base_name, _, head_name = basehead.partition("...")
        base = find_commit(repository, base_name.rpartition(":")[2])
        head = find_commit(repository, head_name.rpartition(":")[2])
        if base is None or head is None:
            raise ProblemError(404, "Not Found")
        of_base = {commit.sha for commit in history(base)}
        of_head = {commit.sha for commit in history(head)}
        ahead = [commit for commit in reversed(history(head)) if commit.sha not in of_base]
        behind = len(of_base - of_head)
        common = [commit for commit in history(head) if commit.sha in of_base]
        if not common:
            raise ProblemError(404, f"No common ancestor between {base_name} and {head_name}.")
        page, number, last = self._repositories.page(ahead, query, 250)
        status = "diverged" if ahead and behind else "ahead" if ahead else "behind" if behind else "identical"
        paths = sorted({path for commit in ahead for path in commit.paths})[:300]
        url = f"{self._repositories.root}/repos/{repository.full_name}/compare/{basehead}"
        page_url = f"{SITE}/{repository.full_name}/compare/{basehead}"
        return Answer(
            {
                "url": url,
                "html_url": page_url,
                "permalink_url": page_url,
                "diff_url": f"{page_url}.diff",
                "patch_url": f"{page_url}.patch",
                "base_commit": self.commit(base),
                "merge_base_commit": self.commit(common[0]),
                "status": status,
                "ahead_by": len(ahead),
                "behind_by": behind,
                "total_commits": len(ahead),
                "commits": [self.commit(commit) for commit in page],
                "files": [self._file(head, path) for path in paths] if number == 1 else [],
            },
            number,
            last,
        )
