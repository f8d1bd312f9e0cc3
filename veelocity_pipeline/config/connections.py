"""Connections: instances of a vendor. Its own variables make the one that bears its name; `[[connections]]` makes more.

Ids begin with a connection's name, so the same ``acme/web`` on two of them is two repositories.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, model_validator

CODE_HOST = "github"
TRACKER = "linear"
Vendor = Literal["github", "linear"]

RESERVED = frozenset({"github", "github_actions", "gitlab", "bitbucket", "linear", "jira", "asana", "ledger"})
"""Names of the connections that the vendors' own variables make."""

EXCLUDED = "!"
"""What an entry of the repositories begins with that leaves one of an owner's out: ``!owner/name``."""

RepositoryEntry = Annotated[str, Field(pattern=r"^[^/\s]+/[^/\s]+$")]


def comma_separated(value: object) -> object:
    """A comma-separated text as a list; empty parts do not count."""
    if isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    return value


class Connection(BaseModel):
    """One entry of ``[[connections]]``.

    Attributes:
        name: the prefix of its ids.
        source: the vendor.
        url: the root of its API.
        token_env: the variable that holds the secret.
        repositories: as ``GITHUB_REPOSITORIES``; of code hosts alone.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    source: Vendor
    url: str
    token_env: str
    repositories: Annotated[tuple[RepositoryEntry, ...], BeforeValidator(comma_separated)] = ()

    @model_validator(mode="before")
    @classmethod
    def _refuse_secrets(cls, value: Any) -> Any:
        if isinstance(value, Mapping):
            for key in ("token", "api_key", "key", "password", "secret"):
                if key in value:
                    raise ValueError(f"{key}: write no secret here; put it in a variable and name that in token_env")
        return value

    @model_validator(mode="after")
    def _check(self) -> Connection:
        if not re.fullmatch(r"[a-z][a-z0-9_-]*", self.name):
            raise ValueError(f"name: {self.name!r} must be lower-case letters, digits, - and _, a letter first")
        if self.name in RESERVED:
            raise ValueError(
                f"name: {self.name!r} is the connection that the variables of that vendor make; choose another name"
            )
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", self.token_env):
            raise ValueError("token_env: name the variable that holds the secret, such as GHES_TOKEN")
        if self.source == CODE_HOST and not self.repositories:
            raise ValueError('repositories: name what is to be read, such as ["acme/*"]')
        if self.source != CODE_HOST and self.repositories:
            raise ValueError("repositories: only a code host has them")
        return self

    def fields(self, token: SecretStr | None) -> dict[str, Any]:
        """The settings of the vendor as this connection has them."""
        if self.source == TRACKER:
            return {"connection": self.name, "linear_api_url": self.url.rstrip("/"), "linear_api_key": token}
        return {
            "connection": self.name,
            "github_api_url": self.url.rstrip("/"),
            "github_tokens": (token,) if token else (),
            "github_app_id": None,
            "github_app_private_key": None,
            "github_app_private_key_file": None,
            "github_repositories": self.repositories,
        }


def qualified(connection: str, key: str) -> str:
    """A provider's id, told apart from those of other connections; the vendor's own connection has no name here."""
    return f"{connection}:{key}" if connection else key


def unqualified(connection: str, key: str) -> str:
    """The provider's id in a key that :func:`qualified` made."""
    return key.removeprefix(f"{connection}:") if connection else key


def is_whole(name: str) -> bool:
    """Whether this, in the place of a repository's name, means all that a source reads of a connection."""
    return name == "*" or name.endswith(":*")


def split_name(name: str) -> tuple[str, str]:
    """A repository's name in the settings as its connection (empty where it is left out) and the rest.

    >>> split_name("ghes:acme/web")
    ('ghes', 'acme/web')
    """
    before, colon, after = name.partition(":")
    return (before, after) if colon else ("", name)


def check_entries(setting: str, entries: Sequence[str]) -> None:
    """See that the entries that name repositories can all be meant.

    Raises:
        ValueError: says which cannot.
    """
    if "*" in "".join(name.split("/")[0] for name in entries):
        raise ValueError(f"{setting}: an owner cannot be a pattern; write owner/name or owner/*")
    folded = {name.casefold() for name in entries}
    for excluded in entries:
        if not excluded.startswith(EXCLUDED):
            continue
        name = excluded.removeprefix(EXCLUDED)
        owner = name.split("/")[0]
        if "*" in name:
            raise ValueError(f"{setting}: {excluded} is a pattern; leave out one repository by its name")
        if name.casefold() in folded:
            raise ValueError(f"{setting}: {name} is both named and left out; take out one of the two")
        if f"{owner.casefold()}/*" not in folded:
            raise ValueError(f"{setting}: {excluded} leaves out nothing; it goes with {owner}/*")
