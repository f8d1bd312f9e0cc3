"""Read the settings: the environment (or ``.env``) wins over ``veelocity.toml``, that over the defaults."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, DotEnvSettingsSource, EnvSettingsSource, PydanticBaseSettingsSource

from veelocity_pipeline.config.connections import Connection
from veelocity_pipeline.config.settings import CHECKOUT, Settings, SettingsError, first_problem
from veelocity_pipeline.safety.redaction import remember


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
    {"connections", "deployments", "failures", "people", "repositories", "services", "teams"}
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
        raise SettingsError(first_problem(error)) from None
    home = expanded(loaded.home, "VEELOCITY_HOME")
    key_file = loaded.github_app_private_key_file
    models = loaded.models and folder / expanded(loaded.models, "VEELOCITY_MODELS")
    if models is not None and not models.is_dir():
        raise SettingsError(f"VEELOCITY_MODELS: there is no folder {models}")
    return loaded.model_copy(
        update={
            "home": home if home.is_absolute() else (folder / home).resolve(),
            "github_app_private_key_file": key_file and folder / expanded(key_file, "GITHUB_APP_PRIVATE_KEY_FILE"),
            "models": models and models.resolve(),
            "export_to": loaded.export_to and folder / expanded(loaded.export_to, "VEELOCITY_EXPORT_TO"),
            "github_api_url": loaded.github_api_url.rstrip("/"),
            "ui_url": loaded.ui_url.rstrip("/"),
            "connection_tokens": _tokens_of(loaded.connections, dotenv),
        }
    )


def _tokens_of(connections: Sequence[Connection], dotenv: Path) -> dict[str, SecretStr]:
    """Return each connection's secret, where the variable that it names is set."""
    found: dict[str, SecretStr] = {}
    if not connections:
        return found
    file = _DotEnv(Settings, env_file=dotenv, case_sensitive=True).env_vars
    for each in connections:
        if value := (os.environ.get(each.token_env) or file.get(each.token_env) or "").strip():
            found[each.name] = SecretStr(value)
            remember(value)
    return found


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
