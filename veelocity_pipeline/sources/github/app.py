"""Reading as a GitHub App: for each owner the token of the App's installation there.

The App shows who it is by a JSON Web Token that its private key signs; with that it lists its installations and has
a token made for each that is needed, which lasts an hour. Facts: GitHub's "Generating a JSON Web Token for a GitHub
App" and "Authenticating as a GitHub App installation".
"""

from __future__ import annotations

import math
import threading
import time
import weakref
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import jwt
from pydantic import SecretStr

from veelocity_pipeline.safety.redaction import remember
from veelocity_pipeline.sources.github.provider import GITHUB
from veelocity_pipeline.sources.kit.connector import CheckResult
from veelocity_pipeline.sources.kit.http.accounts import Account, Accounts, Credential, FixedToken
from veelocity_pipeline.sources.kit.http.client import Client, fixed_accounts
from veelocity_pipeline.sources.kit.http.errors import (
    TOKEN_REJECTED,
    AuthenticationError,
    BadAnswerError,
    NotFoundError,
    PermissionDeniedError,
    SourceError,
)

if TYPE_CHECKING:
    from veelocity_pipeline.config.settings import Settings

LASTS = 540
"""Seconds that a JSON Web Token is good for: GitHub takes none that is good for more than ten minutes."""

ISSUED_BEFORE = 60
"""Seconds that it says it is older than it is, as GitHub advises: clocks differ."""

RENEWED_BEFORE = 300.0
"""Seconds before an installation's token expires when another one is made: what is under way must still end."""

FRESH_FOR = 60.0
"""Seconds after its making in which a token that is answered with 401 is sent again: it may not be known everywhere."""

CLOCK_DIFFERS = 30.0
"""Seconds by which our clock may be wrong before the server's is believed."""

NEEDED = {
    "metadata": "the repositories themselves",
    "contents": "commits, tags and releases",
    "pull_requests": "pull requests and reviews",
    "issues": "issues",
    "actions": "workflow runs",
    "deployments": "deployments",
}
"""Permissions to read, and what cannot be read without; GitHub's names of them."""


@dataclass(frozen=True)
class Installation:
    """Where the App is installed, as ``GET /app/installations`` says.

    Attributes:
        owner: login of the user or organization.
        selection: ``all`` or ``selected`` repositories.
        permissions: name → read or write.
    """

    id: int
    owner: str
    is_suspended: bool
    selection: str
    permissions: Mapping[str, str]

    @property
    def lacks(self) -> list[str]:
        """Needed permissions that it does not have."""
        return [name for name in NEEDED if name not in self.permissions]


class _Signature(Credential):
    """The App itself: a token that is signed when it is needed."""

    key = "app"

    def __init__(self, app_id: str, private_key: SecretStr) -> None:
        try:
            remember(private_key)
            algorithm = jwt.get_algorithm_by_name("RS256")
            self._key = algorithm.prepare_key(private_key.get_secret_value())
        except (ValueError, TypeError, jwt.InvalidKeyError):
            raise AuthenticationError(
                "The private key of the GitHub App is not valid: download it again from the App's settings, and check "
                "GITHUB_APP_PRIVATE_KEY (or …_FILE)."
            ) from None
        self._app_id = app_id
        self._offset = 0.0

    def value(self, client: Client) -> SecretStr:
        """A token that is good for some minutes."""
        del client
        now = int(time.time() + self._offset)
        claims = {"iat": now - ISSUED_BEFORE, "exp": now + LASTS - ISSUED_BEFORE, "iss": self._app_id}
        token = SecretStr(jwt.encode(claims, self._key, algorithm="RS256"))
        remember(token, is_made=True, in_rows=True)
        return token

    def renewed(self, refused: SecretStr, date: datetime) -> bool:
        """True where our clock was wrong, which it is not any more."""
        del refused
        offset = date.timestamp() - time.time()
        if abs(offset - self._offset) < CLOCK_DIFFERS:
            return False
        self._offset = offset
        return True


class _InstallationToken(Credential):
    """The token of one installation, made when there is none that lasts."""

    def __init__(self, installation: Installation, app: Account, clock: Callable[[], float]) -> None:
        # An ETag of the hour before brings the whole answer again, never a wrong 304: it belongs to the token.
        self.key = f"i{installation.id}"
        self.variable = "GITHUB_APP_ID"
        self._installation = installation
        self._app = app
        self._clock = clock
        self._lock = threading.Lock()
        self._token: SecretStr | None = None
        self._good_until = 0.0
        self._made_at = -math.inf

    @property
    def is_fresh(self) -> bool:  # type: ignore[override]
        """Made within the last minute."""
        return self._clock() - self._made_at < FRESH_FOR

    def value(self, client: Client) -> SecretStr:
        """The token; asks for another one when it is about to expire."""
        with self._lock:
            if self._token is None or self._clock() >= self._good_until:
                self._make(client.using((self._app,)))
            assert self._token is not None
            return self._token

    def _make(self, client: Client) -> None:
        installation = self._installation
        try:
            answer = client.create_token(
                f"/app/installations/{installation.id}/access_tokens",
                about=f"a token for the GitHub App at {installation.owner}",
            )
        except AuthenticationError:
            raise app_refused() from None
        except (NotFoundError, PermissionDeniedError):
            raise PermissionDeniedError(
                f"GitHub makes no token for the App at {installation.owner}: it was removed or suspended there; "
                "install it again."
            ) from None
        body = answer.json
        try:
            expires = datetime.fromisoformat(body["expires_at"])
            self._token = SecretStr(str(body["token"]))
            remember(self._token, is_made=True, in_rows=True)
        except (KeyError, TypeError, ValueError):
            raise BadAnswerError(f"GitHub made no token for the App at {installation.owner}.") from None
        lasts = (expires - answer.date).total_seconds()
        self._made_at = self._clock()
        self._good_until = self._made_at + max(lasts - RENEWED_BEFORE, lasts / 2)

    def renewed(self, refused: SecretStr, date: datetime) -> bool:
        """Forget a token that was refused, unless another thread has done so."""
        del date
        with self._lock:
            if self._token is not None and self._token.get_secret_value() == refused.get_secret_value():
                self._token = None
        return True


def app_refused() -> AuthenticationError:
    """What is wrong when GitHub takes the App's signature for nobody's."""
    return AuthenticationError(
        f"GitHub does not accept the App: GITHUB_APP_ID or the private key that is set with it {TOKEN_REJECTED}; "
        "check both in the App's settings."
    )


class AppAccounts(Accounts):
    """Tokens of the settings, and before them, for owners where the App is installed, its installations' tokens.

    Args:
        tokens: for owners without an installation; may be none.
    """

    def __init__(
        self,
        app_id: str,
        private_key: SecretStr,
        tokens: Sequence[SecretStr] = (),
        *,
        pace: Mapping[str, int] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        fixed = (FixedToken(token, str(number)) for number, token in enumerate(tokens))
        super().__init__(fixed, pace=pace, clock=clock)
        self.app = Account(_Signature(app_id, private_key))
        self._lock = threading.Lock()
        self._installations: dict[str, Installation] | None = None
        self._accounts: dict[int, Account] = {}

    def installations(self, client: Client) -> list[Installation]:
        """Where the App is installed; asked for once.

        Raises:
            SourceError: GitHub does not say.
        """
        with self._lock:
            if self._installations is None:
                self._installations = {each.owner.casefold(): each for each in _list(client.using((self.app,)))}
            return list(self._installations.values())

    def of(self, owner: str | None, client: Client) -> Sequence[Account]:
        """The installation at this owner; without one the tokens; see ``Accounts.of``."""
        if owner is None and self.fixed:
            return self.fixed
        found = self.installations(client)
        usable = [each for each in found if not each.is_suspended]
        for each in usable:
            if owner is None or each.owner.casefold() == owner.casefold():
                return (self._account(each),)
        if self.fixed:
            return self.fixed
        if any(owner is not None and each.owner.casefold() == owner.casefold() for each in found):
            raise PermissionDeniedError(
                f"The GitHub App is suspended at {owner}: let an owner of {owner} unsuspend it, or set a GITHUB_TOKEN "
                "that may read there."
            )
        where = f" (it is at {', '.join(sorted(each.owner for each in found))})" if found else ""
        raise PermissionDeniedError(
            f"The GitHub App is not installed at {owner or 'any owner'}{where}: install it there, or set a "
            "GITHUB_TOKEN that may read there."
        )

    def _account(self, installation: Installation) -> Account:
        with self._lock:
            if installation.id not in self._accounts:
                token = _InstallationToken(installation, self.app, self.clock)
                self._accounts[installation.id] = self.account(token)
            return self._accounts[installation.id]


def _list(client: Client) -> list[Installation]:
    found = []
    try:
        for page in client.pages("/app/installations", {"per_page": 100}, about="the installations of the GitHub App"):
            found += [_installation(each) for each in page]
    except (AuthenticationError, NotFoundError):  # the second, where there is no App with this id
        raise app_refused() from None
    return found


def _installation(body: Any) -> Installation:
    try:
        account = body["account"] or {}
        return Installation(
            id=int(body["id"]),
            owner=str(account.get("login") or account.get("slug") or ""),
            is_suspended=body.get("suspended_at") is not None,
            selection=str(body.get("repository_selection") or ""),
            permissions=dict(body.get("permissions") or {}),
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        raise BadAnswerError("GitHub answered /app/installations with something else than installations.") from None


_SHARED: dict[int, Accounts] = {}
_SHARED_LOCK = threading.Lock()


def github_accounts(settings: Settings) -> Accounts:
    """The accounts of these settings: the same ones whenever the same object is asked with, as one run does.

    Raises:
        AuthenticationError: there is neither a token nor an App, or the App's key is none.
    """
    from veelocity_pipeline.config.settings import SettingsError

    with _SHARED_LOCK:
        if id(settings) not in _SHARED:
            pace = GITHUB.pace(settings.github_graphql_url)
            try:
                private_key = settings.app_private_key()
            except SettingsError as error:
                raise AuthenticationError(str(error)) from None
            if settings.github_app_id is not None and private_key is not None:
                made: Accounts = AppAccounts(settings.github_app_id, private_key, settings.github_tokens, pace=pace)
            elif settings.github_tokens:
                made = fixed_accounts(settings.github_tokens, pace)
            else:
                raise AuthenticationError("No GitHub token: set GITHUB_TOKEN.")
            _SHARED[id(settings)] = made
            weakref.finalize(settings, _SHARED.pop, id(settings), None)
        return _SHARED[id(settings)]


READING = {"repo", "public_repo", "read:org", "read:user", "user:email", "repo:status", "repo_deployment"}
"""Scopes of a classic token that reading takes, or that allow no more than that; ``repo`` has no smaller one."""


def check_scopes(client: Client) -> list[CheckResult]:
    """What classic tokens of the settings may do, by the scopes that GitHub names with each answer; one line each.

    A fine-grained token and an App's have permissions instead, which show in what each repository lets them read.
    """
    results = []
    for number, account in enumerate(client.accounts.fixed, 1):
        try:
            headers = client.using((account,)).get("/rate_limit", about="the token's limits").headers
        except SourceError:
            continue  # an Enterprise Server without limits; or a token that is refused, which the other lines say
        scopes = {scope.strip() for scope in headers.get("x-oauth-scopes", "").split(",")} - {""}
        if not scopes:
            continue
        subject = "GitHub token" if len(client.accounts.fixed) == 1 else f"GitHub token {number}"
        if not scopes & {"repo", "public_repo"}:
            said = f"a classic one without the scope repo ({', '.join(sorted(scopes))}): it reads no private repository"
            results.append(CheckResult(subject, False, f"It is {said}; add it, or make a fine-grained token."))
            continue
        more = sorted(scopes - READING)
        said = f"a classic one, with {', '.join(sorted(scopes))}"
        if more:
            said += f"; nothing here needs {', '.join(more)}"
        said += ", and a fine-grained token can be kept from writing" if "repo" in scopes or more else ""
        results.append(CheckResult(subject, True, f"It is {said}."))
    return results


def check_app(client: Client, owners: Sequence[str]) -> list[CheckResult]:
    """Who the App is, where it is installed, and what it may not read there; nothing where there is no App."""
    accounts = client.accounts
    if not isinstance(accounts, AppAccounts):
        return []
    try:
        try:
            body = client.using((accounts.app,)).get("/app", about="the GitHub App").json
        except (AuthenticationError, NotFoundError):
            raise app_refused() from None
        installations = accounts.installations(client)
    except SourceError as error:
        return [CheckResult("GitHub App", False, str(error))]
    name = body.get("name") if isinstance(body, dict) else None
    where = ", ".join(sorted(each.owner for each in installations)) or "no owner"
    results = [CheckResult("GitHub App", True, f"It is {name or 'an App'}, installed at {where}.")]
    wanted = {owner.casefold() for owner in owners}
    for each in installations:
        if each.owner.casefold() not in wanted:
            continue
        subject = f"GitHub App at {each.owner}"
        if each.is_suspended:
            results.append(CheckResult(subject, False, "It is suspended there."))
            continue
        covers = "all repositories" if each.selection == "all" else "the repositories that were selected for it"
        lacking = [f"{permission} ({NEEDED[permission]})" for permission in each.lacks]
        detail = f"It may read {covers}" + (f", but lacks permission to read: {'; '.join(lacking)}" if lacking else "")
        results.append(CheckResult(subject, not lacking, detail + "."))
    return results
