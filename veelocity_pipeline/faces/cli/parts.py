"""The parts of a deployment: the command that each is, and the environment that it gets."""

from __future__ import annotations

import errno
import os
import socket
import sys
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any, get_args

from pydantic import SecretStr

from veelocity_pipeline.config.settings import CHECKOUT, Settings, SettingsError

CODE_PORT = 4000
"""Where the code server listens, unless ``VEELOCITY_CODE_PORT`` or the command says otherwise."""

UI_PORT = 3000

WORKSPACE = CHECKOUT / "deploy" / "workspace.yaml"
"""Where the webserver and the daemon of a deployment find the code."""


class Part(StrEnum):
    """What a deployment is made of."""

    CODE = "code"
    DAEMON = "daemon"
    WEBSERVER = "webserver"


def _holds_secret(annotation: Any) -> bool:
    return annotation is SecretStr or any(map(_holds_secret, get_args(annotation)))


_SHARED = "DAGSTER_POSTGRES_URL"
"""The one secret that all parts need: the history is there."""

SECRETS = frozenset(
    field.validation_alias
    for field in Settings.model_fields.values()
    if isinstance(field.validation_alias, str) and _holds_secret(field.annotation)
) - {_SHARED} | {"GITHUB_APP_PRIVATE_KEY_FILE"}
"""Variables that the code alone needs: it asks the APIs and sends the alerts."""


SECRET = "--secret="
"""Before a variable of ``[[connections]]``, among the arguments of ``veelocity dev``'s own process."""


def secret_names(settings: Settings) -> frozenset[str]:
    """Return the variables that the code alone needs, those of ``[[connections]]`` among them."""
    return SECRETS | {each.token_env for each in settings.connections}


def environment(part: Part, secrets: frozenset[str] = SECRETS) -> dict[str, str]:
    """Return this process's environment for a part, without the secrets that it does not need."""
    return {name: value for name, value in os.environ.items() if part is Part.CODE or name not in secrets}


def code_command(where: Sequence[str]) -> list[str]:
    """Return the arguments of ``dagster`` that serve the definitions and execute every run.

    Args:
        where: the server's options that say where it listens.
    """
    what = ["--module-name", "veelocity_pipeline.definitions", "--working-directory", str(CHECKOUT)]
    return ["code-server", "start", *what, *where]


def webserver_command(settings: Settings, workspace: Path, host: str, port: int) -> list[str]:
    """Return the arguments of :mod:`veelocity_pipeline.defs.webserver`, which reads no settings, and thus no secret."""
    return [f"--workspace={workspace}", *_ui_options(settings, host, port)]


def _ui_options(settings: Settings, host: str, port: int) -> list[str]:
    names = [f"--ui-host={name}" for name in settings.ui_hosts]
    return [*listening(host, port), f"--ui-url={settings.ui_url}", *names]


def serve_command(part: Part, settings: Settings, host: str, port: int | None) -> list[str]:
    """Return the command that is one part of a deployment, each of which may be restarted by itself.

    Set where the others find the code server, if it is not said: ``VEELOCITY_CODE_HOST``, ``VEELOCITY_CODE_PORT``.

    Args:
        part: ``code`` (definitions, and every run), ``daemon`` (schedules, sensors, the queue) or ``webserver``.
        host: the address to listen on; the daemon listens on none.
        port: None for the usual one.

    Raises:
        SettingsError: the UI cannot listen there.
    """
    os.environ.setdefault("VEELOCITY_CODE_HOST", "127.0.0.1")
    code_port = os.environ.setdefault("VEELOCITY_CODE_PORT", str(CODE_PORT))
    match part:
        case Part.CODE:
            return [beside("dagster"), *code_command(listening(host, port or int(code_port)))]
        case Part.DAEMON:
            return [beside("dagster-daemon"), "run", "--workspace", str(WORKSPACE)]
        case Part.WEBSERVER:
            require_free(host, port or UI_PORT)
            arguments = webserver_command(settings, WORKSPACE, host, port or UI_PORT)
            return [sys.executable, "-m", "veelocity_pipeline.defs.webserver", *arguments]


def dev_command(settings: Settings, host: str, port: int) -> list[str]:
    """Return the command that runs all parts on this machine.

    Raises:
        SettingsError: the UI cannot listen there.
    """
    require_free(host, port)
    secrets = [f"{SECRET}{name}" for name in sorted(secret_names(settings) - SECRETS)]
    return [sys.executable, "-m", "veelocity_pipeline.faces.cli.dev", *secrets, *_ui_options(settings, host, port)]


def beside(command: str) -> str:
    """Return the path of a command of this environment, which need not be on PATH."""
    return str(Path(sys.executable).with_name(command))


def listening(host: str, port: int) -> list[str]:
    """Return the options that say where a server listens."""
    return ["--host", host, "--port", str(port)]


def require_free(host: str, port: int) -> None:
    """Check that a server can listen there, before anything is started.

    Raises:
        SettingsError: it cannot; names the cause.
    """
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        with socket.create_server((host, port), family=family):
            pass
    except OverflowError:
        raise SettingsError(f"--port {port}: a port is a number up to 65535") from None
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise SettingsError(
                f"port {port} is in use: stop what listens there, or choose another with --port"
            ) from None
        raise SettingsError(f"--host {host}, --port {port}: cannot listen there: {error.strerror or error}") from None
