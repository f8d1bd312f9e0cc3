"""Accounts and repositories in GitHub's REST, and what its other parts need: pages, redirects from former names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from veelocity_pipeline.simulator.engine import timestamp
from veelocity_pipeline.simulator.github.addresses import SITE, avatar, visible
from veelocity_pipeline.simulator.github.answers import Answer, Json, ProblemError
from veelocity_pipeline.simulator.organization.code_host import (
    Account,
    Repository,
)
from veelocity_pipeline.simulator.organization.whole import Organization


class Repositories:
    """Answers about accounts and repositories.

    Args:
        root: address of the API, without a slash at its end.
    """

    def __init__(self, organization: Organization, root: str) -> None:
        self.organization = organization
        self.root = root

    def find(self, owner: str, repo: str, path: str = "") -> Repository:
        """The repository of this name.

        Raises:
            ProblemError: there is none, or a redirect from a former name.
        """
        repository = self.organization.repository(f"{owner}/{repo}")
        if repository is None:
            raise ProblemError(404, "Not Found")
        if repository.full_name.lower() != f"{owner}/{repo}".lower():
            address = f"{self.root}/repositories/{repository.database_id}{path}"
            raise ProblemError(301, "Moved Permanently", {"location": address}, url=address)
        return repository

    @staticmethod
    def page(items: list[Any], query: Mapping[str, str], default: int = 30) -> tuple[list[Any], int, int]:
        """The page of a list that was asked for, its number and the last one's."""

        def number(name: str, otherwise: int) -> int:
            value = query.get(name, "")
            return int(value) if value.isdigit() and int(value) > 0 else otherwise

        size = min(number("per_page", default), 100)
        page = number("page", 1)
        return items[(page - 1) * size : page * size], page, max(1, -(-len(items) // size))

    def user(self, account: Account) -> Json:
        """A simple user."""
        login = account.rest_login
        url = f"{self.root}/users/{login}"
        return {
            "login": login,
            "id": account.database_id,
            "node_id": account.id,
            "avatar_url": avatar(account),
            "gravatar_id": "",
            "url": url,
            "html_url": f"{SITE}/apps/{account.login}" if account.kind == "Bot" else f"{SITE}/{login}",
            "followers_url": f"{url}/followers",
            "following_url": f"{url}/following{{/other_user}}",
            "gists_url": f"{url}/gists{{/gist_id}}",
            "starred_url": f"{url}/starred{{/owner}}{{/repo}}",
            "subscriptions_url": f"{url}/subscriptions",
            "organizations_url": f"{url}/orgs",
            "repos_url": f"{url}/repos",
            "events_url": f"{url}/events{{/privacy}}",
            "received_events_url": f"{url}/received_events",
            "type": account.kind,
            "user_view_type": "public",
            "site_admin": False,
        }

    def visible_user(self, account: Account | None) -> Json:
        account = visible(account)
        return self.user(account) if account else None

    def me(self, query: Mapping[str, str]) -> Answer:
        viewer = self.organization.viewer
        created = timestamp(viewer.created_at)
        return Answer(
            {
                **self.user(viewer),
                "name": viewer.name,
                "company": None,
                "blog": "",
                "location": None,
                "email": viewer.email,
                "hireable": None,
                "bio": None,
                "public_repos": 0,
                "public_gists": 0,
                "followers": 0,
                "following": 0,
                "created_at": created,
                "updated_at": created,
            }
        )

    def repository(self, repository: Repository) -> Json:
        """A minimal repository."""
        url = f"{self.root}/repos/{repository.full_name}"
        body = {
            "id": repository.database_id,
            "node_id": repository.id,
            "name": repository.name,
            "full_name": repository.full_name,
            "private": repository.is_private,
            "owner": self.user(repository.owner),
            "html_url": f"{SITE}/{repository.full_name}",
            "description": repository.description,
            "fork": repository.is_fork,
            "url": url,
        }
        for name, end in _REPOSITORY_LINKS.items():
            body[name] = f"{url}/{end}"
        return body

    def _detailed(self, repository: Repository) -> Json:
        open_count = sum(each.state == "OPEN" for each in repository.issues)
        open_count += sum(each.state == "OPEN" for each in repository.pull_requests)
        return {
            **self.repository(repository),
            "git_url": f"git://github.com/{repository.full_name}.git",
            "ssh_url": f"git@github.com:{repository.full_name}.git",
            "clone_url": f"{SITE}/{repository.full_name}.git",
            "svn_url": f"{SITE}/{repository.full_name}",
            "mirror_url": None,
            "homepage": None,
            "language": "Python",
            "size": len(repository.commits) * 3,
            "stargazers_count": 0,
            "watchers_count": 0,
            "forks_count": 0,
            "open_issues_count": open_count,
            "default_branch": repository.default_branch,
            "has_issues": True,
            "has_projects": False,
            "has_wiki": False,
            "has_pages": False,
            "has_discussions": False,
            "archived": repository.archived_at is not None,
            "disabled": False,
            "visibility": "private" if repository.is_private else "public",
            "license": None,
            "pushed_at": timestamp(repository.pushed_at),
            "created_at": timestamp(repository.created_at),
            "updated_at": timestamp(repository.updated_at),
            "forks": 0,
            "open_issues": open_count,
            "watchers": 0,
        }

    def one(self, query: Mapping[str, str], owner: str, repo: str) -> Answer:
        repository = self.find(owner, repo)
        body = {
            **self._detailed(repository),
            "network_count": 0,
            "subscribers_count": 0,
            "permissions": {"admin": False, "maintain": False, "push": False, "triage": False, "pull": True},
        }
        body["license"] = {"key": "mit", "name": "MIT License", "url": None, "spdx_id": "MIT", "node_id": "L_mit"}
        return Answer(body)

    def _repositories_of(self, query: Mapping[str, str], owner: Account) -> Answer:
        items = [each for each in (*self.organization.repositories, *self.organization.forks) if each.owner is owner]
        items.sort(key=lambda each: each.created_at)
        page, number, last = self.page(items, query)
        minimal = [{key: value for key, value in self._detailed(each).items() if key != "license"} for each in page]
        return Answer(minimal, number, last)

    def of_organization(self, query: Mapping[str, str], org: str) -> Answer:
        account = self.organization.account
        if org.lower() != account.login.lower():
            raise ProblemError(404, "Not Found")
        return self._repositories_of(query, account)

    def of_user(self, query: Mapping[str, str], user: str) -> Answer:
        for account in (self.organization.account, *self.organization.accounts):
            if account.login.lower() == user.lower() and account.deleted_at is None:
                return self._repositories_of(query, account)
        raise ProblemError(404, "Not Found")


_REPOSITORY_LINKS = {
    "archive_url": "{archive_format}{/ref}",
    "assignees_url": "assignees{/user}",
    "blobs_url": "git/blobs{/sha}",
    "branches_url": "branches{/branch}",
    "collaborators_url": "collaborators{/collaborator}",
    "comments_url": "comments{/number}",
    "commits_url": "commits{/sha}",
    "compare_url": "compare/{base}...{head}",
    "contents_url": "contents/{+path}",
    "contributors_url": "contributors",
    "deployments_url": "deployments",
    "downloads_url": "downloads",
    "events_url": "events",
    "forks_url": "forks",
    "git_commits_url": "git/commits{/sha}",
    "git_refs_url": "git/refs{/sha}",
    "git_tags_url": "git/tags{/sha}",
    "hooks_url": "hooks",
    "issue_comment_url": "issues/comments{/number}",
    "issue_events_url": "issues/events{/number}",
    "issues_url": "issues{/number}",
    "keys_url": "keys{/key_id}",
    "labels_url": "labels{/name}",
    "languages_url": "languages",
    "merges_url": "merges",
    "milestones_url": "milestones{/number}",
    "notifications_url": "notifications{?since,all,participating}",
    "pulls_url": "pulls{/number}",
    "releases_url": "releases{/id}",
    "stargazers_url": "stargazers",
    "statuses_url": "statuses/{sha}",
    "subscribers_url": "subscribers",
    "subscription_url": "subscription",
    "tags_url": "tags",
    "teams_url": "teams",
    "trees_url": "git/trees{/sha}",
}
