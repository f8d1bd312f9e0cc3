"""A GitHub App over the organisation: who it is, where it is installed, and the tokens that it is given."""

from __future__ import annotations

import copy
import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from veelocity_pipeline.simulator.engine import timestamp
from veelocity_pipeline.simulator.github.answers import Answer, ProblemError
from veelocity_pipeline.simulator.github.repositories import Repositories
from veelocity_pipeline.simulator.organization.code_host import Account
from veelocity_pipeline.simulator.organization.whole import Organization

Json = Any
READS = ("actions", "contents", "deployments", "issues", "metadata", "pull_requests")
TOKEN_START = "ghs_simulated"
LASTS = timedelta(hours=1)
_EVENTS = ["deployment", "pull_request", "workflow_run"]


@dataclass
class SimulatedInstallation:
    """The App at one owner, who lets it read some things of all repositories."""

    id: int
    owner: str
    permissions: dict[str, str] = field(default_factory=lambda: dict.fromkeys(READS, "read"))
    suspended_at: datetime | None = None


@dataclass
class _Issued:
    installation: SimulatedInstallation
    expires_at: datetime


class _NodesOf(Mapping[str, Any]):
    """The nodes of the repositories of one owner; what belongs to no repository is everybody's."""

    def __init__(self, nodes: Mapping[str, Any], owner: str) -> None:
        self._nodes = nodes
        self._owner = owner

    def __getitem__(self, key: str) -> Any:
        found = self._nodes[key]
        if not _belongs_to(found, self._owner):
            raise KeyError(key)
        return found

    def __iter__(self) -> Iterator[str]:
        return (key for key in self._nodes if key in self)

    def __len__(self) -> int:
        return sum(1 for _ in self)


def _belongs_to(thing: Any, owner: str) -> bool:
    for name in ("repository", "pull_request", "subject", "review", "issue", "deployment", "release", "commit"):
        inner = getattr(thing, name, None)
        if inner is not None and not isinstance(inner, str):
            return _belongs_to(inner, owner)
    return not hasattr(thing, "full_name") or thing.owner.login.casefold() == owner.casefold()


class SimulatedApp:
    """A GitHub App with a key of its own.

    Args:
        owners: where it is installed.

    Attributes:
        installations: change them freely.
        private_key: PEM, which GitHub would have let its owner download.
        issued: tokens that were made, by their text.
    """

    def __init__(self, owners: Sequence[str] = ("acme",), app_id: str = "424242") -> None:
        self.id = app_id
        self.slug = "veelocity-reads"
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.private_key = self._key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
        ).decode()
        self.installations = [SimulatedInstallation(7_001 + number, owner) for number, owner in enumerate(owners)]
        self.issued: dict[str, _Issued] = {}

    def installation(self, token: str, now: datetime) -> SimulatedInstallation | None:
        """Whose a token is; None if it is nobody's, not any more, or of one that was suspended or removed."""
        found = self.issued.get(token)
        if found is None or found.expires_at <= now or found.installation not in self.installations:
            return None
        return found.installation if found.installation.suspended_at is None else None

    def seen(self, organization: Organization, installation: SimulatedInstallation) -> Organization:
        """What of the organisation an installation's token reaches: as if every repository were private."""
        part = copy.copy(organization)

        def mine(repositories: list[Any]) -> list[Any]:
            return [each for each in repositories if _belongs_to(each, installation.owner)]

        part.repositories, part.forks = mine(organization.repositories), mine(organization.forks)
        part.nodes = _NodesOf(organization.nodes, installation.owner)  # type: ignore[assignment]
        part.viewer = replace(organization.viewer, login=f"{self.slug}[bot]")
        return part

    def get(self, path: str, query: Mapping[str, str], token: str, repositories: Repositories) -> Answer:
        """The answer to a GET below ``/app``.

        Raises:
            ProblemError: the signature is not the App's, or there is no such thing.
        """
        self._verify(token, repositories.organization.now)
        if path == "/app":
            return Answer(self._shown(repositories))
        if path == "/app/installations":
            page, number, last = repositories.page(
                [self._installation(each, repositories) for each in self.installations], query
            )
            return Answer(page, number, last)
        return Answer(self._installation(self._find(path, r"/app/installations/(\d+)$"), repositories))

    def create_token(self, path: str, token: str, repositories: Repositories) -> Json:
        """A new token for an installation; POST ``/app/installations/{id}/access_tokens``.

        Raises:
            ProblemError: as ``get``; 403 where it is suspended.
        """
        now = repositories.organization.now
        self._verify(token, now)
        installation = self._find(path, r"/app/installations/(\d+)/access_tokens$")
        if installation.suspended_at is not None:
            raise ProblemError(403, "This installation has been suspended")
        digest = hashlib.sha256(f"{installation.id} {len(self.issued)}".encode()).hexdigest()
        text = f"{TOKEN_START}{digest[:27]}"
        self.issued[text] = _Issued(installation, now + LASTS)
        return {
            "token": text,
            "expires_at": timestamp(now + LASTS),
            "permissions": installation.permissions,
            "repository_selection": "all",
        }

    def _find(self, path: str, pattern: str) -> SimulatedInstallation:
        found = re.match(pattern, path)
        for each in self.installations:
            if found and str(each.id) == found[1]:
                return each
        raise ProblemError(404, "Not Found")

    def _verify(self, token: str, now: datetime) -> None:
        """Refuse what the App's key did not sign, and what is too old or good for too long by the server's clock."""
        unchecked = {"verify_exp": False, "verify_iat": False, "require": ["iat", "exp", "iss"]}
        try:
            claims = jwt.decode(token, self._key.public_key(), algorithms=["RS256"], options=unchecked)  # type: ignore[arg-type]
        except jwt.InvalidTokenError:
            raise ProblemError(401, "A JSON web token could not be decoded") from None
        moment = now.timestamp()
        if claims["iss"] != self.id:
            raise ProblemError(404, "Integration not found")
        if claims["iat"] > moment:
            message = "'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued"
            raise ProblemError(401, message)
        if claims["exp"] <= moment:
            message = "'Expiration time' claim ('exp') must be a numeric value representing the future time at which "
            raise ProblemError(401, message + "the assertion expires")
        if claims["exp"] > moment + 600:
            raise ProblemError(401, "'Expiration time' claim ('exp') is too far in the future")

    def _shown(self, repositories: Repositories) -> Json:
        created = timestamp(repositories.organization.account.created_at)
        return {
            "id": int(self.id),
            "slug": self.slug,
            "client_id": f"Iv1.{hashlib.sha256(self.id.encode()).hexdigest()[:16]}",
            "node_id": f"A_{self.id}",
            "owner": repositories.user(repositories.organization.account),
            "name": "Veelocity reads",
            "description": "Reads what delivery metrics are made of.",
            "external_url": "https://example.com",
            "html_url": f"https://github.com/apps/{self.slug}",
            "created_at": created,
            "updated_at": created,
            "permissions": dict.fromkeys(READS, "read"),
            "events": _EVENTS,
            "installations_count": len(self.installations),
        }

    def _installation(self, installation: SimulatedInstallation, repositories: Repositories) -> Json:
        organization = repositories.organization
        account = _account(organization, installation.owner)
        base = f"{repositories.root}/app/installations/{installation.id}"
        created = timestamp(organization.account.created_at)
        is_suspended = installation.suspended_at is not None
        return {
            "id": installation.id,
            "account": {**repositories.user(account), "login": installation.owner},
            "repository_selection": "all",
            "access_tokens_url": f"{base}/access_tokens",
            "repositories_url": f"{repositories.root}/installation/repositories",
            "html_url": f"https://github.com/organizations/{installation.owner}/settings/installations/{installation.id}",
            "app_id": int(self.id),
            "app_slug": self.slug,
            "target_id": account.database_id,
            "target_type": account.kind,
            "permissions": installation.permissions,
            "events": _EVENTS,
            "created_at": created,
            "updated_at": created,
            "single_file_name": None,
            "suspended_by": repositories.user(organization.viewer) if is_suspended else None,
            "suspended_at": timestamp(installation.suspended_at) if installation.suspended_at else None,
        }


def _account(organization: Organization, login: str) -> Account:
    for each in (organization.account, *organization.accounts):
        if each.login.casefold() == login.casefold():
            return each
    return organization.account
