"""Typed settings: the environment (or ``.env``) wins over ``veelocity.toml``, that over the defaults.

Importing this module reads nothing; :func:`load_settings` does.
"""

from __future__ import annotations

import difflib
import os
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, time
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, available_timezones

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import (
    BaseSettings,
    DotEnvSettingsSource,
    EnvSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from veelocity_pipeline.config.addresses import Address
from veelocity_pipeline.config.cron import comes
from veelocity_pipeline.safety.redaction import remember, remember_address

CHECKOUT = Path(__file__).resolve().parents[2]
GITHUB_API = "https://api.github.com"
LINEAR_API = "https://api.linear.app/graphql"

Evidence = Literal["rollback", "revert", "hotfix", "incident", "deployment_status"]
DeploymentSource = Literal["auto", "workflow_runs", "deployments", "releases", "merges"]


class SettingsError(Exception):
    """The configuration is wrong; the message is one line that names the setting and the cure."""


def _split(value: object) -> object:
    """A comma-separated text as a list; empty parts do not count."""
    if isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    return value


def _not_blank(value: object) -> object:
    """A variable that is set to nothing is not set."""
    return None if isinstance(value, str) and not value.strip() else value


def _pattern(value: object) -> object:
    """A pattern of the settings, checked: where it is a ``/regex/`` it must be one that DuckDB's RE2 knows too."""
    if isinstance(value, str):
        if not value.strip():
            raise ValueError("a pattern is empty")
        if is_regex(value):
            try:
                re.compile(value[1:-1])
            except re.error as error:
                raise ValueError(f"{value} is not a regular expression: {error}") from None
            if re.search(r"\(\?(?:[=!]|<[=!])|\\[1-9]", value):
                raise ValueError(f"{value} uses a look-around or a back-reference, which patterns cannot have")
    return value


def is_regex(pattern: str) -> bool:
    """Whether the pattern is written ``/regex/``."""
    return len(pattern) > 2 and pattern.startswith("/") and pattern.endswith("/")


def _is_postgres(url: str) -> bool:
    """Whether this is an address that SQLAlchemy, which imports slowly, takes for PostgreSQL's."""
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        address = make_url(url)
    except (ArgumentError, ValueError):
        return False
    return address.drivername in ("postgresql", "postgresql+psycopg2") and bool(address.database)


_TextList = Annotated[tuple[str, ...], BeforeValidator(_split)]
_Patterns = Annotated[tuple[Annotated[str, BeforeValidator(_pattern)], ...], BeforeValidator(_split)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Deployments(_Section):
    """Which attempts are deployments."""

    source: DeploymentSource = "auto"
    workflow_patterns: _Patterns = ("deploy", "release", "publish")
    exclude_patterns: _Patterns = ("draft", "docs", "preview", "staging", "test", "nightly", "cleanup", "notes")
    job_patterns: _Patterns = ()
    production_environments: _Patterns = ("production", "prod*", "live")
    count_redeploys: bool = False


class Failures(_Section):
    """What is evidence that a deployment failed."""

    evidence: Annotated[tuple[Evidence, ...], BeforeValidator(_split)] = ("rollback", "revert", "hotfix", "incident")
    hotfix_labels: _Patterns = ("hotfix",)
    hotfix_branches: _Patterns = ("hotfix/*",)
    incident_labels: _Patterns = ("incident", "outage", "sev*")
    incident_window_hours: int = Field(default=168, gt=0)
    revert_window_hours: int = Field(default=720, gt=0)


class Alias(_Section):
    """Other logins and e-mails of one person."""

    login: str
    also: _TextList


class People(_Section):
    """Who is a bot, and who is the same person."""

    bots: _TextList = ("k8s-ci-robot",)
    pseudonyms: bool = False
    aliases: tuple[Alias, ...] = ()


_Minutes = Annotated[int, Field(ge=0, le=1440)]
"""How often a sensor looks; 0: never."""

_RepositoryName = Annotated[str, Field(pattern=r"^[^/\s]+/[^/\s]+$")]

_SECRETS_OF_OTHERS = ("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
"""Variables that libraries read by themselves, where an export goes to a bucket."""

EXCLUDED = "!"
"""What an entry of the repositories begins with that leaves one of an owner's out: ``!owner/name``."""


class RepositoryOverrides(_Section):
    """One repository's own rules; a key that is not set keeps the value of its section."""

    name: _RepositoryName
    deployments: dict[str, Any] = Field(default_factory=dict)
    failures: dict[str, Any] = Field(default_factory=dict)


class Service(_Section):
    """A part of a monorepo that is deployed for itself."""

    name: str
    repository: _RepositoryName
    paths: _Patterns = ()
    workflow_patterns: _Patterns = ()
    job_patterns: _Patterns = ()
    environments: _Patterns = ()
    tags: _Patterns = ()


class Member(_Section):
    """A person's time in a team, both days included; open where a day is missing."""

    login: str
    from_: date | None = Field(default=None, alias="from")
    until: date | None = None


def _member(value: object) -> object:
    return {"login": value} if isinstance(value, str) else value


class Team(_Section):
    """People, repositories, services and Linear teams that are looked at together."""

    name: str
    members: tuple[Annotated[Member, BeforeValidator(_member)], ...] = ()
    repositories: tuple[_RepositoryName, ...] = ()
    services: _TextList = ()
    linear_teams: _TextList = ()


class Settings(BaseSettings):
    """All settings, validated and frozen. Tokens are secrets: they show as stars wherever they are printed."""

    model_config = SettingsConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    github_tokens: Annotated[tuple[SecretStr, ...], NoDecode, BeforeValidator(_split)] = Field(
        default=(), validation_alias="GITHUB_TOKEN"
    )
    github_app_id: Annotated[str | None, BeforeValidator(_not_blank)] = Field(
        default=None, validation_alias="GITHUB_APP_ID"
    )
    github_app_private_key: Annotated[SecretStr | None, BeforeValidator(_not_blank)] = Field(
        default=None, validation_alias="GITHUB_APP_PRIVATE_KEY"
    )
    github_app_private_key_file: Annotated[Path | None, BeforeValidator(_not_blank)] = Field(
        default=None, validation_alias="GITHUB_APP_PRIVATE_KEY_FILE"
    )
    github_api_url: str = Field(default=GITHUB_API, validation_alias="GITHUB_API_URL")
    github_repositories: Annotated[tuple[_RepositoryName, ...], NoDecode, BeforeValidator(_split)] = Field(
        default=(), validation_alias="GITHUB_REPOSITORIES"
    )
    linear_api_key: Annotated[SecretStr | None, BeforeValidator(_not_blank)] = Field(
        default=None, validation_alias="LINEAR_API_KEY"
    )
    linear_api_url: str = Field(default=LINEAR_API, validation_alias="LINEAR_API_URL")
    home: Path = Field(default=CHECKOUT / "data", validation_alias="VEELOCITY_HOME")
    export_to: Annotated[Path | None, BeforeValidator(_not_blank)] = Field(
        default=None, validation_alias="VEELOCITY_EXPORT_TO"
    )
    export_format: Literal["parquet", "csv"] = Field(default="parquet", validation_alias="VEELOCITY_EXPORT_FORMAT")
    export_verbatim: bool = Field(default=False, validation_alias="VEELOCITY_EXPORT_VERBATIM")
    allow_shared_folders: bool = Field(default=False, validation_alias="VEELOCITY_ALLOW_SHARED_FOLDERS")
    allow_http: bool = Field(default=False, validation_alias="VEELOCITY_ALLOW_HTTP")
    start_date: Annotated[date | None, BeforeValidator(_not_blank)] = Field(
        default=None, validation_alias="VEELOCITY_START_DATE"
    )
    timezone: str = Field(default="UTC", validation_alias="VEELOCITY_TIMEZONE")
    incremental_cron: str = Field(default="0 * * * *", validation_alias="VEELOCITY_INCREMENTAL_CRON")
    full_cron: str = Field(default="0 3 * * 0", validation_alias="VEELOCITY_FULL_CRON")
    first_start_sensor_minutes: _Minutes = Field(default=1, validation_alias="VEELOCITY_FIRST_START_SENSOR_MINUTES")
    upstream_sensor_minutes: _Minutes = Field(default=10, validation_alias="VEELOCITY_UPSTREAM_SENSOR_MINUTES")
    settings_sensor_minutes: _Minutes = Field(default=1, validation_alias="VEELOCITY_SETTINGS_SENSOR_MINUTES")
    dead_runs_sensor_minutes: _Minutes = Field(default=1, validation_alias="VEELOCITY_DEAD_RUNS_SENSOR_MINUTES")
    alerts_sensor_minutes: _Minutes = Field(default=1, validation_alias="VEELOCITY_ALERTS_SENSOR_MINUTES")
    alert_url: Annotated[SecretStr | None, BeforeValidator(_not_blank)] = Field(
        default=None, validation_alias="VEELOCITY_ALERT_URL"
    )
    ui_url: str = Field(default="http://localhost:3000", validation_alias="VEELOCITY_UI_URL")
    ui_hosts: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)] = Field(
        default=(), validation_alias="VEELOCITY_UI_HOSTS"
    )
    stale_after: int = Field(default=3, ge=1, le=1000, validation_alias="VEELOCITY_STALE_AFTER")
    concurrency: int = Field(default=4, ge=1, le=16, validation_alias="VEELOCITY_CONCURRENCY")
    max_answer_mb: int = Field(default=64, ge=1, le=10_000, validation_alias="VEELOCITY_MAX_ANSWER_MB")
    history_days: int = Field(default=14, ge=1, le=3650, validation_alias="VEELOCITY_HISTORY_DAYS")
    dagster_postgres_url: Annotated[SecretStr | None, BeforeValidator(_not_blank)] = Field(
        default=None, validation_alias="DAGSTER_POSTGRES_URL"
    )
    deployment_patterns: Annotated[_Patterns | None, NoDecode, BeforeValidator(_not_blank)] = Field(
        default=None, validation_alias="DEPLOYMENT_PATTERNS"
    )
    deployments: Deployments = Deployments()
    failures: Failures = Failures()
    people: People = People()
    repositories: tuple[RepositoryOverrides, ...] = ()
    services: tuple[Service, ...] = ()
    teams: tuple[Team, ...] = ()

    def model_post_init(self, _context: object) -> None:
        """Check what one field alone cannot tell; from here on no message of this process holds one of the secrets.

        Raises:
            ValueError: says which setting is wrong.
        """
        self._remember_secrets()
        if self.timezone not in available_timezones():
            raise ValueError(f"VEELOCITY_TIMEZONE: {self.timezone!r} is no time zone; write one like Europe/Vienna")
        for name, url in (
            ("GITHUB_API_URL", self.github_api_url),
            ("LINEAR_API_URL", self.linear_api_url),
            ("VEELOCITY_UI_URL", self.ui_url),
        ):
            if _host(url) is None:
                raise ValueError(f"{name}: {url!r} is no address; it begins with https://")
            if name != "VEELOCITY_UI_URL":  # which is only shown
                self._check_encrypted(name, url)
        if Address.of_url(self.ui_url) is None:
            raise ValueError("VEELOCITY_UI_URL names no plain host; write it as https://ui.example.com")
        for name in self.ui_hosts:
            if Address.parse(name) is None:
                raise ValueError(
                    f"VEELOCITY_UI_HOSTS: {name!r} is not a host; write ui.example.com or ui.example.com:8443"
                )
        if self.dagster_postgres_url is not None and not _is_postgres(self.dagster_postgres_url.get_secret_value()):
            # never the address itself: the password is in it
            raise ValueError(
                "DAGSTER_POSTGRES_URL is no address of a database; write postgresql://user:password@host:5432/name, "
                "with a / or @ of the password as %2F or %40"
            )
        for name, cron in (
            ("VEELOCITY_INCREMENTAL_CRON", self.incremental_cron),
            ("VEELOCITY_FULL_CRON", self.full_cron),
        ):
            if not comes(cron):
                raise ValueError(f"{name}: {cron!r} is no cron line; it has five fields, like 0 * * * *")
        if self.alert_url is not None:
            url = self.alert_url.get_secret_value()
            if _host(url) is None:  # its text is a secret, and not in the message
                raise ValueError("VEELOCITY_ALERT_URL: what is set is no address; it begins with https://")
            self._check_encrypted("VEELOCITY_ALERT_URL", url)
        has_key = self.github_app_private_key is not None or self.github_app_private_key_file is not None
        if self.github_app_id is not None and not has_key:
            raise ValueError(
                "GITHUB_APP_ID is set, but no key: name the App's .pem file in GITHUB_APP_PRIVATE_KEY_FILE, "
                "or put its text in GITHUB_APP_PRIVATE_KEY"
            )
        if has_key and self.github_app_id is None:
            raise ValueError("a private key of a GitHub App is set, but not GITHUB_APP_ID, which says whose it is")
        if self.github_app_private_key is not None and self.github_app_private_key_file is not None:
            raise ValueError("GITHUB_APP_PRIVATE_KEY and GITHUB_APP_PRIVATE_KEY_FILE are both set; leave one out")
        self._check_repositories()
        for override in self.repositories:
            try:
                self._resolve(override.name)
            except ValidationError as error:
                raise ValueError(f"[[repositories]] {override.name}: {_first_problem(error)}") from None
        names = [service.name for service in self.services]
        for team in self.teams:
            for service in team.services:
                if service not in names:
                    raise ValueError(f"[[teams]] {team.name}: there is no [[services]] entry named {service!r}")

    def _remember_secrets(self) -> None:
        addresses = ("alert_url", "dagster_postgres_url", "github_api_url", "linear_api_url", "ui_url")
        for name in type(self).model_fields:
            value = getattr(self, name)
            if name in addresses:
                remember_address(value)
                continue
            for each in value if isinstance(value, tuple) else (value,):
                if isinstance(each, SecretStr):
                    remember(each)
        for name in _SECRETS_OF_OTHERS:
            remember(os.environ.get(name))
        for scheme in ("http", "https", "all"):
            for name in (f"{scheme}_proxy", f"{scheme}_proxy".upper()):
                remember_address(os.environ.get(name))

    def _check_encrypted(self, name: str, url: str) -> None:
        if not url.startswith("https:") and not self.allow_http and not _is_loopback(_host(url) or ""):
            raise ValueError(
                f"{name} begins with http://, so what is sent there can be read on the way, secrets too: write "
                "https://, or set VEELOCITY_ALLOW_HTTP=1 where that way is yours alone"
            )

    def _check_repositories(self) -> None:
        if "*" in "".join(name.split("/")[0] for name in self.github_repositories):
            raise ValueError("GITHUB_REPOSITORIES: an owner cannot be a pattern; write owner/name or owner/*")
        entries = {name.casefold() for name in self.github_repositories}
        for excluded in self.github_repositories:
            if not excluded.startswith(EXCLUDED):
                continue
            name = excluded.removeprefix(EXCLUDED)
            owner = name.split("/")[0]
            if "*" in name:
                raise ValueError(f"GITHUB_REPOSITORIES: {excluded} is a pattern; leave out one repository by its name")
            if name.casefold() in entries:
                raise ValueError(f"GITHUB_REPOSITORIES: {name} is both named and left out; take out one of the two")
            if f"{owner.casefold()}/*" not in entries:
                raise ValueError(f"GITHUB_REPOSITORIES: {excluded} leaves out nothing; it goes with {owner}/*")

    @property
    def wanted_repositories(self) -> tuple[str, ...]:
        """The entries that bring repositories: ``owner/name`` and ``owner/*``."""
        return tuple(entry for entry in self.github_repositories if not entry.startswith(EXCLUDED))

    def names_repository(self, repository: str) -> bool:
        """Return whether this is an entry that brings repositories, or one that an ``owner/*`` brings."""
        wanted = repository.casefold()
        entries = {entry.casefold() for entry in self.wanted_repositories}
        brought = re.fullmatch(r"([^/\s]+)/[^/\s*]+", wanted)
        return wanted in entries or (
            brought is not None and f"{brought[1]}/*" in entries and not self.is_excluded(repository)
        )

    def is_excluded(self, repository: str) -> bool:
        """Whether ``!owner/name`` leaves this repository out of its owner's."""
        wanted = f"{EXCLUDED}{repository.casefold()}"
        return any(entry.casefold() == wanted for entry in self.github_repositories)

    def require_sources(self, only: tuple[str, ...]) -> None:
        """What a refresh cannot do without: a code host. Linear may be missing.

        Args:
            only: the sources that are to be read; empty for all.

        Raises:
            SettingsError: names the variable that is not set.
        """
        if only and "github" not in only and "github_actions" not in only:
            if self.linear_api_key is None:
                raise SettingsError("LINEAR_API_KEY is not set; make one in Linear under Settings, Security & access")
            return
        if not self.has_github_access:
            raise SettingsError("GITHUB_TOKEN is not set; put a token that may read your repositories in .env")
        self.app_private_key()
        if not self.github_repositories:
            raise SettingsError(
                "GITHUB_REPOSITORIES is not set; name owner/name (or owner/*), comma separated, in .env"
            )

    def require_repositories(self, names: Iterable[str], only: Sequence[str], known: Iterable[str] = ()) -> None:
        """See that the settings bring each repository that a refresh is asked to read.

        Args:
            names: ``owner/name``; keys of Linear's teams, where nothing but Linear is read.
            only: the sources that are to be read; empty for all.
            known: names that were read before, to guess what was meant.

        Raises:
            SettingsError: names one that they do not bring, and those that are like it.
        """
        entries = {entry.casefold(): entry for entry in self.wanted_repositories}
        is_linear = set(only) == {"linear"}
        for name in names:
            slash = "/" in name
            if is_linear:
                if slash:
                    raise SettingsError(f"--repository {name}: Linear has no repositories; name a team by its key")
                continue
            if not slash:
                raise SettingsError(
                    f"--repository {name}: write it as owner/name (a team of Linear by its key, with --only linear)"
                )
            if self.is_excluded(name):
                raise SettingsError(f"--repository {name}: !{name} in GITHUB_REPOSITORIES leaves it out; take that out")
            if self.names_repository(name):
                continue
            there = {**{each.casefold(): each for each in known if "/" in each}, **entries}
            near = [there[each] for each in difflib.get_close_matches(name.casefold(), there, n=3)]
            meant = f"; did you mean {' or '.join(near)}?" if near else ""
            raise SettingsError(f"--repository {name} is not among GITHUB_REPOSITORIES: add it there first{meant}")

    def midnight(self, day: date) -> datetime:
        """When a day begins in the settings' time zone."""
        return datetime.combine(day, time.min, ZoneInfo(self.timezone))

    @property
    def has_github_access(self) -> bool:
        """Whether there is a token of GitHub, or an App."""
        return bool(self.github_tokens) or self.github_app_id is not None

    def app_private_key(self) -> SecretStr | None:
        """The private key of the GitHub App, in PEM; None where there is no App.

        Raises:
            SettingsError: the file cannot be read, or what is there is no such key.
        """
        name, key = "GITHUB_APP_PRIVATE_KEY", self.github_app_private_key
        if self.github_app_private_key_file is not None:
            name = "GITHUB_APP_PRIVATE_KEY_FILE"
            try:
                key = SecretStr(self.github_app_private_key_file.read_text(encoding="utf-8"))
            except (OSError, UnicodeDecodeError) as error:
                cause = getattr(error, "strerror", None) or "it is not text"
                raise SettingsError(f"{name}: {self.github_app_private_key_file} cannot be read: {cause}") from None
        if key is None:
            return None
        # one line, as many secret stores keep it
        text = key.get_secret_value().replace("\\n", "\n").strip()
        if not re.match(r"-----BEGIN (RSA )?PRIVATE KEY-----\s", text):
            raise SettingsError(f"{name} is not a private key in PEM; it begins with -----BEGIN RSA PRIVATE KEY-----")
        remember(text)
        return SecretStr(text + "\n")

    @property
    def github_graphql_url(self) -> str:
        """GitHub's GraphQL endpoint; GitHub Enterprise Server has it beside the REST root, not below it."""
        root = self.github_api_url.rstrip("/")
        return root.removesuffix("/v3") + "/graphql" if root.endswith("/api/v3") else root + "/graphql"

    def _override(self, repository: str) -> RepositoryOverrides | None:
        wanted = repository.casefold()
        return next((entry for entry in self.repositories if entry.name.casefold() == wanted), None)

    def _resolve(self, repository: str | None) -> tuple[Deployments, Failures]:
        deployments = self.deployments
        if self.deployment_patterns is not None:
            deployments = deployments.model_copy(update={"workflow_patterns": self.deployment_patterns})
        override = self._override(repository) if repository else None
        if override is None:
            return deployments, self.failures
        return (
            Deployments.model_validate({**deployments.model_dump(), **override.deployments}),
            Failures.model_validate({**self.failures.model_dump(), **override.failures}),
        )

    def rules_for(self, repository: str | None) -> tuple[Deployments, Failures]:
        """The rules in force for a repository, its own ones laid over the general ones; None: the general ones."""
        return self._resolve(repository)

    def services_of(self, repository: str) -> list[Service]:
        """The services of a repository, by its configured or current name."""
        return [service for service in self.services if service.repository.casefold() == repository.casefold()]

    def deploys(self, repository: str, workflow_name: str | None, workflow_path: str | None) -> bool:
        """Whether a workflow deploys by its name or file, as METRICS reads ``workflow_patterns``."""
        names = [name for name in (workflow_name, Path(workflow_path or "").name) if name]
        rules, _ = self.rules_for(repository)
        wanted = [*rules.workflow_patterns]
        for service in self.services_of(repository):
            wanted += service.workflow_patterns

        def found(patterns: list[str] | tuple[str, ...]) -> bool:
            return any(
                re.search(contains_regex(pattern), name, re.IGNORECASE) for pattern in patterns for name in names
            )

        return found(wanted) and not found(rules.exclude_patterns)

    def needs_jobs(self, repository: str) -> bool:
        """Whether a rule looks at the jobs of this repository's runs."""
        rules, _ = self.rules_for(repository)
        return bool(rules.job_patterns) or any(service.job_patterns for service in self.services_of(repository))


def _host(url: str) -> str | None:
    """Return the host that an address of the web names; None where it is no such address."""
    try:
        return urlsplit(url).hostname if re.match(r"https?://[^/\s]+", url) else None
    except ValueError:
        return None


def _is_loopback(host: str) -> bool:
    """Return whether what is sent to a host stays on this machine."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


_RE2_SPECIAL = re.compile(r"[\\.+*?()|\[\]{}^$]")


def _escape(text: str) -> str:
    return _RE2_SPECIAL.sub(lambda match: "\\" + match.group(), text)


def contains_regex(pattern: str) -> str:
    """The pattern as a regular expression that is searched for: ``/regex/`` as it is, other text literally."""
    return pattern[1:-1] if is_regex(pattern) else _escape(pattern)


def glob_regex(pattern: str, *, is_path: bool = False) -> str:
    """The pattern as an anchored regular expression: ``*`` is any text; in paths it stops at ``/``, ``**`` does not."""
    if is_regex(pattern):
        return pattern[1:-1]
    parts = re.split(r"(\*\*/?|\*|\?)", pattern)
    star = "[^/]*" if is_path else ".*"
    wild = {"*": star, "**": ".*", "**/": "(?:.*/)?" if is_path else ".*", "?": "."}
    return "^" + "".join(wild.get(part, _escape(part)) for part in parts) + "$"


class _TomlSource(PydanticBaseSettingsSource):
    """``veelocity.toml``; its keys are the fields' own names, and only those below may stand in it."""

    def __init__(self, settings_cls: type[BaseSettings], path: Path | None) -> None:
        super().__init__(settings_cls)
        self._path = path

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        raise NotImplementedError  # __call__ reads the whole file at once

    def __call__(self) -> dict[str, Any]:
        if self._path is None:
            return {}
        try:
            content = tomllib.loads(self._path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise SettingsError(f"VEELOCITY_CONFIG: there is no file {self._path}") from None
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(f"{self._path.name}: cannot be read: {error}") from None
        except tomllib.TOMLDecodeError as error:
            raise SettingsError(f"{self._path.name}: not valid TOML: {error}") from None
        unknown = sorted(set(content) - _TOML_KEYS)
        if unknown:
            raise SettingsError(
                f"{self._path.name}: unknown key {unknown[0]!r}; known are {', '.join(sorted(_TOML_KEYS))}"
            )
        # under the aliases, so that a variable of the environment takes the file's place instead of standing beside it
        return {str(Settings.model_fields[name].validation_alias or name): value for name, value in content.items()}


_TOML_KEYS = frozenset(
    {"deployments", "failures", "people", "repositories", "services", "teams"}
    | {"github_repositories", "start_date", "timezone", "incremental_cron", "full_cron", "concurrency", "history_days"}
    | {f"{name}_sensor_minutes" for name in ("first_start", "upstream", "settings", "dead_runs", "alerts")}
    | {"ui_url", "ui_hosts", "stale_after", "max_answer_mb"}
)


def load_settings(directory: Path | None = None, overrides: Mapping[str, Any] | None = None) -> Settings:
    """The settings as the process finds them.

    Args:
        directory: where ``veelocity.toml`` and ``.env`` (or the file that ``VEELOCITY_ENV_FILE`` names) are looked
            for; the checkout, from whatever folder the program is called.
        overrides: field values that win over everything, for callers that know better.

    Raises:
        SettingsError: something is wrong; names the setting.
    """
    folder = directory or CHECKOUT
    dotenv = _dotenv(folder)

    class _Loaded(Settings):
        @classmethod
        def settings_customise_sources(
            cls,
            settings_cls: type[BaseSettings],
            init_settings: PydanticBaseSettingsSource,
            env_settings: PydanticBaseSettingsSource,
            dotenv_settings: PydanticBaseSettingsSource,
            file_secret_settings: PydanticBaseSettingsSource,
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            del env_settings, dotenv_settings, file_secret_settings
            # names are taken by their exact case: on its own the library would also read `timezone` or `HOME`
            env = EnvSettingsSource(settings_cls, case_sensitive=True)
            file = _DotEnv(settings_cls, env_file=dotenv, case_sensitive=True)
            return init_settings, _Named(env), _Named(file), _TomlSource(settings_cls, _config_file(folder, file))

    try:
        loaded = _Loaded(**dict(overrides or {}))
    except ValidationError as error:
        raise SettingsError(_first_problem(error)) from None
    home = expanded(loaded.home, "VEELOCITY_HOME")
    key_file = loaded.github_app_private_key_file
    return loaded.model_copy(
        update={
            "home": home if home.is_absolute() else (folder / home).resolve(),
            "github_app_private_key_file": key_file and folder / expanded(key_file, "GITHUB_APP_PRIVATE_KEY_FILE"),
            "export_to": loaded.export_to and folder / expanded(loaded.export_to, "VEELOCITY_EXPORT_TO"),
            "github_api_url": loaded.github_api_url.rstrip("/"),
            "ui_url": loaded.ui_url.rstrip("/"),
        }
    )


def _dotenv(folder: Path) -> Path:
    return folder / os.environ.get("VEELOCITY_ENV_FILE", ".env")


def exposed_secrets(settings: Settings, directory: Path | None = None) -> list[Path]:
    """Return the files with secrets that other users of this machine may read.

    Args:
        directory: as for :func:`load_settings`.
    """
    # (a key may be mounted for a group of which the service is the only member)
    files = [(_dotenv(directory or CHECKOUT), 0o077), (settings.github_app_private_key_file, 0o007)]
    return [path for path, others in files if path is not None and path.is_file() and path.stat().st_mode & others]


def expanded(path: Path, setting: str) -> Path:
    """Return a path with ``~`` replaced by the user's home.

    Raises:
        SettingsError: the system knows no such user, or no home.
    """
    try:
        return path.expanduser()
    except RuntimeError:
        raise SettingsError(f"{setting}: {path} begins with a home folder that is not known; write it whole") from None


class _DotEnv(DotEnvSettingsSource):
    """``.env``, which may hold variables that are not ours."""

    def __call__(self) -> dict[str, Any]:
        return EnvSettingsSource.__call__(self)


class _Named(PydanticBaseSettingsSource):
    """Of an environment source only the variables of INTERFACE, which are the fields' aliases, that say something."""

    def __init__(self, inner: EnvSettingsSource) -> None:
        super().__init__(inner.settings_cls)
        self._inner = inner

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        return self._inner.get_field_value(field, field_name)

    def __call__(self) -> dict[str, Any]:
        values = self._inner.env_vars
        found = {}
        for field in Settings.model_fields.values():
            alias = field.validation_alias
            if isinstance(alias, str) and (values.get(alias) or "").strip():
                found[alias] = (values[alias] or "").strip()
        return found


def _config_file(directory: Path, dotenv: DotEnvSettingsSource) -> Path | None:
    named = os.environ.get("VEELOCITY_CONFIG") or dotenv.env_vars.get("VEELOCITY_CONFIG")
    if named:
        path = expanded(Path(named), "VEELOCITY_CONFIG")
        return path if path.is_absolute() else directory / path
    default = directory / "veelocity.toml"
    return default if default.exists() else None


def _first_problem(error: ValidationError) -> str:
    """One line out of pydantic's many: where, and what."""
    problem = error.errors(include_url=False, include_input=False, include_context=False)[0]
    place = ".".join(str(part) for part in problem["loc"])
    message = problem["msg"].removeprefix("Value error, ")
    if problem["type"] == "extra_forbidden":
        message = "unknown key"
    elif problem["type"] == "string_pattern_mismatch":
        message = "write it as owner/name"
    return f"{place}: {message}" if place else message
