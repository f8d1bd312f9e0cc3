"""The settings, typed and frozen; :mod:`veelocity_pipeline.config.load` reads them."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, time
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, available_timezones

from pydantic import BeforeValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from veelocity_pipeline.config.addresses import Address, host_of, is_loopback, is_postgres
from veelocity_pipeline.config.connections import (
    CODE_HOST,
    EXCLUDED,
    TRACKER,
    Connection,
    RepositoryEntry,
    check_entries,
    comma_separated,
    qualified,
    split_name,
)
from veelocity_pipeline.config.cron import comes
from veelocity_pipeline.config.environments import is_production
from veelocity_pipeline.config.patterns import Patterns, contains_regex, glob_regex, not_blank
from veelocity_pipeline.config.sections import Deployments, Failures, People, RepositoryOverrides, Service, Team
from veelocity_pipeline.safety.redaction import remember, remember_address

CHECKOUT = Path(__file__).resolve().parents[2]
GITHUB_API = "https://api.github.com"
LINEAR_API = "https://api.linear.app/graphql"


class SettingsError(Exception):
    """The configuration is wrong; the message is one line that names the setting and the cure."""


_Minutes = Annotated[int, Field(ge=0, le=1440)]
"""How often a sensor looks; 0: never."""
_SECRETS_OF_OTHERS = ("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
"""Variables that libraries read by themselves, where an export goes to a bucket."""


class Settings(BaseSettings):
    """All settings, validated and frozen. Tokens are secrets: they show as stars wherever they are printed."""

    model_config = SettingsConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    github_tokens: Annotated[tuple[SecretStr, ...], NoDecode, BeforeValidator(comma_separated)] = Field(
        default=(), validation_alias="GITHUB_TOKEN"
    )
    github_app_id: Annotated[str | None, BeforeValidator(not_blank)] = Field(
        default=None, validation_alias="GITHUB_APP_ID"
    )
    github_app_private_key: Annotated[SecretStr | None, BeforeValidator(not_blank)] = Field(
        default=None, validation_alias="GITHUB_APP_PRIVATE_KEY"
    )
    github_app_private_key_file: Annotated[Path | None, BeforeValidator(not_blank)] = Field(
        default=None, validation_alias="GITHUB_APP_PRIVATE_KEY_FILE"
    )
    github_api_url: str = Field(default=GITHUB_API, validation_alias="GITHUB_API_URL")
    github_repositories: Annotated[tuple[RepositoryEntry, ...], NoDecode, BeforeValidator(comma_separated)] = Field(
        default=(), validation_alias="GITHUB_REPOSITORIES"
    )
    linear_api_key: Annotated[SecretStr | None, BeforeValidator(not_blank)] = Field(
        default=None, validation_alias="LINEAR_API_KEY"
    )
    linear_api_url: str = Field(default=LINEAR_API, validation_alias="LINEAR_API_URL")
    home: Path = Field(default=CHECKOUT / "data", validation_alias="VEELOCITY_HOME")
    models: Annotated[Path | None, BeforeValidator(not_blank)] = Field(
        default=None, validation_alias="VEELOCITY_MODELS"
    )
    export_to: Annotated[Path | None, BeforeValidator(not_blank)] = Field(
        default=None, validation_alias="VEELOCITY_EXPORT_TO"
    )
    export_format: Literal["parquet", "csv"] = Field(default="parquet", validation_alias="VEELOCITY_EXPORT_FORMAT")
    export_verbatim: bool = Field(default=False, validation_alias="VEELOCITY_EXPORT_VERBATIM")
    allow_shared_folders: bool = Field(default=False, validation_alias="VEELOCITY_ALLOW_SHARED_FOLDERS")
    allow_http: bool = Field(default=False, validation_alias="VEELOCITY_ALLOW_HTTP")
    start_date: Annotated[date | None, BeforeValidator(not_blank)] = Field(
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
    alert_url: Annotated[SecretStr | None, BeforeValidator(not_blank)] = Field(
        default=None, validation_alias="VEELOCITY_ALERT_URL"
    )
    ui_url: str = Field(default="http://localhost:3000", validation_alias="VEELOCITY_UI_URL")
    ui_hosts: Annotated[tuple[str, ...], NoDecode, BeforeValidator(comma_separated)] = Field(
        default=(), validation_alias="VEELOCITY_UI_HOSTS"
    )
    stale_after: int = Field(default=3, ge=1, le=1000, validation_alias="VEELOCITY_STALE_AFTER")
    concurrency: int = Field(default=4, ge=1, le=16, validation_alias="VEELOCITY_CONCURRENCY")
    max_answer_mb: int = Field(default=64, ge=1, le=10_000, validation_alias="VEELOCITY_MAX_ANSWER_MB")
    history_days: int = Field(default=14, ge=1, le=3650, validation_alias="VEELOCITY_HISTORY_DAYS")
    dagster_postgres_url: Annotated[SecretStr | None, BeforeValidator(not_blank)] = Field(
        default=None, validation_alias="DAGSTER_POSTGRES_URL"
    )
    deployment_patterns: Annotated[Patterns | None, NoDecode, BeforeValidator(not_blank)] = Field(
        default=None, validation_alias="DEPLOYMENT_PATTERNS"
    )
    deployments: Deployments = Deployments()
    failures: Failures = Failures()
    people: People = People()
    repositories: tuple[RepositoryOverrides, ...] = ()
    services: tuple[Service, ...] = ()
    teams: tuple[Team, ...] = ()
    connections: tuple[Connection, ...] = ()
    connection_tokens: Mapping[str, SecretStr] = Field(default_factory=dict)
    """By connection's name, the secret that its ``token_env`` holds."""
    connection: str = ""
    """Whose settings these are, where they are of one of ``connections``; see :meth:`connected`."""

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
            if host_of(url) is None:
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
        if self.dagster_postgres_url is not None and not is_postgres(self.dagster_postgres_url.get_secret_value()):
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
            if host_of(url) is None:  # its text is a secret, and not in the message
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
        self._check_connections()
        for override in self.repositories:
            try:
                self._resolve(override.name)
            except ValidationError as error:
                raise ValueError(f"[[repositories]] {override.name}: {first_problem(error)}") from None
        names = [service.name for service in self.services]
        for team in self.teams:
            for service in team.services:
                if service not in names:
                    raise ValueError(f"[[teams]] {team.name}: there is no [[services]] entry named {service!r}")

    def _remember_secrets(self) -> None:
        for secret in self.connection_tokens.values():
            remember(secret)
        for each in self.connections:
            remember_address(each.url)
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
        if not url.startswith("https:") and not self.allow_http and not is_loopback(host_of(url) or ""):
            raise ValueError(
                f"{name} begins with http://, so what is sent there can be read on the way, secrets too: write "
                "https://, or set VEELOCITY_ALLOW_HTTP=1 where that way is yours alone"
            )

    def _check_connections(self) -> None:
        check_entries("GITHUB_REPOSITORIES", self.github_repositories)
        names = [each.name for each in self.connections]
        for each in self.connections:
            place = f"[[connections]] {each.name}"
            if names.count(each.name) > 1:
                raise ValueError(f"{place}: two connections have this name; each needs its own")
            if host_of(each.url) is None:
                raise ValueError(f"{place}: url: {each.url!r} is no address; it begins with https://")
            self._check_encrypted(f"{place}: url", each.url)
            check_entries(f"{place}: repositories", each.repositories)
        for place, name in (
            *((f"[[repositories]] {each.name}", each.name) for each in self.repositories),
            *((f"[[services]] {each.name}", each.repository) for each in self.services),
            *((f"[[teams]] {team.name}", name) for team in self.teams for name in team.repositories),
        ):
            self._check_name(place, name)

    def _check_name(self, place: str, name: str) -> None:
        """See that a repository's name means one connection's."""
        connection, bare = split_name(name)
        hosts = [view.connection or CODE_HOST for view in self.connected(CODE_HOST)]
        if connection and connection not in hosts:
            raise ValueError(f"{place}: there is no connection {connection!r} of a code host, only {_or(hosts)}")
        bringing = [view.connection or CODE_HOST for view in self.connected(CODE_HOST) if view.names_repository(bare)]
        if not connection and len(bringing) > 1:
            written = _or([f"{each}:{bare}" for each in bringing])
            raise ValueError(f"{place}: {bare} is on more than one connection; write {written}")

    def connected(self, source: str) -> list[Settings]:
        """Return these settings as each connection of a vendor has them: its own, then those of ``[[connections]]``."""
        return [
            self,
            *(
                self.model_copy(update={**each.fields(self.connection_tokens.get(each.name)), "connections": ()})
                for each in self.connections
                if each.source == source
            ),
        ]

    @property
    def repository_entries(self) -> tuple[str, ...]:
        """The entries that name repositories, of every connection; those of ``[[connections]]`` begin with its name."""
        marked = [
            (EXCLUDED if entry.startswith(EXCLUDED) else "") + qualified(each.name, entry.removeprefix(EXCLUDED))
            for each in self.connections
            for entry in each.repositories
        ]
        return (*self.github_repositories, *marked)

    def scopes_asked(self, source: str, names: Iterable[str]) -> tuple[str, ...]:
        """Return those of some repositories (or teams) that these settings' connection is asked for, by its own names.

        Args:
            source: the vendor.
            names: ``owner/name`` or a team's key, with its connection before a colon where that is not plain.
        """
        mine = self.connection or source
        others = [view for view in self.connected(source) if view.connection]
        asked = []
        for name in names:
            connection, bare = split_name(name)
            is_mine = self.names_repository(bare) or not (
                self.connection or any(view.names_repository(bare) for view in others)
            )
            if connection == mine or (not connection and is_mine):
                asked.append(bare)
        return tuple(asked)

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
        needs_host = not only or "github" in only or "github_actions" in only
        for each in self.connections:
            if (each.source == CODE_HOST) == needs_host and each.name not in self.connection_tokens:
                raise SettingsError(
                    f"{each.token_env} is not set; [[connections]] {each.name} takes its secret from it"
                )
        if not needs_host:
            if self.linear_api_key is None and not any(each.source == TRACKER for each in self.connections):
                raise SettingsError("LINEAR_API_KEY is not set; make one in Linear under Settings, Security & access")
            return
        if any(each.source == CODE_HOST for each in self.connections) and not (
            self.github_repositories or self.has_github_access
        ):
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
        is_linear = set(only) == {"linear"}
        vendor = TRACKER if is_linear else CODE_HOST
        views = {view.connection or vendor: view for view in self.connected(vendor)}
        entries = {entry.casefold(): entry for view in views.values() for entry in view.wanted_repositories}
        for asked in names:
            connection, name = split_name(asked)
            if connection and connection not in views:
                raise SettingsError(f"--repository {asked}: there is no connection {connection!r}, only {_or(views)}")
            mine = [views[connection]] if connection else list(views.values())
            slash = "/" in name
            if is_linear:
                if slash:
                    raise SettingsError(f"--repository {name}: Linear has no repositories; name a team by its key")
                if len(mine) > 1:
                    written = _or([f"{each}:{name}" for each in views])
                    raise SettingsError(f"--repository {name}: say of which connection it is; write {written}")
                continue
            if not slash:
                raise SettingsError(
                    f"--repository {name}: write it as owner/name (a team of Linear by its key, with --only linear)"
                )
            if any(view.names_repository(name) for view in mine):
                continue
            if any(view.is_excluded(name) for view in mine):
                raise SettingsError(f"--repository {name}: !{name} in GITHUB_REPOSITORIES leaves it out; take that out")
            there = {**{each.casefold(): each for each in known if "/" in each}, **entries}
            near = [there[each] for each in difflib.get_close_matches(name.casefold(), there, n=3)]
            meant = f"; did you mean {' or '.join(near)}?" if near else ""
            setting = (
                f"the repositories of [[connections]] {connection}" if mine[0].connection else "GITHUB_REPOSITORIES"
            )
            raise SettingsError(f"--repository {asked} is not among {setting}: add it there first{meant}")

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

    def _means(self, entry: str, repository: str) -> bool:
        """Whether an entry of the settings names a repository of these settings' connection."""
        connection, name = split_name(entry.casefold())
        if ":" in repository:
            return entry.casefold() == repository.casefold()
        return name == repository.casefold() and connection in ("", self.connection or CODE_HOST)

    def _override(self, repository: str) -> RepositoryOverrides | None:
        return next((entry for entry in self.repositories if self._means(entry.name, repository)), None)

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
        return [service for service in self.services if self._means(service.repository, repository)]

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

    def is_deployment_branch(self, repository: str, branch: str) -> bool:
        """Whether runs on a branch of this repository, beside the default one, may be deployments."""
        rules, _ = self.rules_for(repository)
        return any(re.search(glob_regex(pattern), branch, re.IGNORECASE) for pattern in rules.branches)

    def is_production(self, repository: str, environment: str) -> bool:
        """Whether what is deployed to an environment of this repository may count as production."""
        rules, _ = self.rules_for(repository)
        own = [pattern for service in self.services_of(repository) for pattern in service.environments]
        patterns = (*rules.production_environments, *own)
        if any(re.search(glob_regex(pattern), environment, re.IGNORECASE) for pattern in patterns):
            return True
        return not rules.production_environments and is_production(environment)

    def needs_jobs(self, repository: str) -> bool:
        """Whether a rule looks at the jobs of this repository's runs."""
        rules, _ = self.rules_for(repository)
        return bool(rules.job_patterns) or any(service.job_patterns for service in self.services_of(repository))


def _or(names: Iterable[str]) -> str:
    return " or ".join(names)


def first_problem(error: ValidationError) -> str:
    """One line out of pydantic's many: where, and what."""
    problem = error.errors(include_url=False, include_input=False, include_context=False)[0]
    place = ".".join(str(part) for part in problem["loc"])
    message = problem["msg"].removeprefix("Value error, ")
    if problem["type"] == "extra_forbidden":
        message = "unknown key"
    elif problem["type"] == "string_pattern_mismatch":
        message = "write it as owner/name"
    return f"{place}: {message}" if place else message
