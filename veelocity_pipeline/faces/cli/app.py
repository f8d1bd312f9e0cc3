"""What all commands share: exit statuses, errors in one line, the settings of those that send secrets."""

from __future__ import annotations

import errno
import traceback
from collections.abc import Callable
from functools import wraps
from typing import NoReturn, ParamSpec

import typer

from veelocity_pipeline.config.load import exposed_secrets, load_settings
from veelocity_pipeline.config.settings import Settings, SettingsError
from veelocity_pipeline.faces.cli.terminal import err
from veelocity_pipeline.faces.cli.wording import shown
from veelocity_pipeline.safety.files import FolderError, WarehouseError
from veelocity_pipeline.safety.foreign import plain, sentence

FAILED = 1
"""Finished, but something failed."""

MISUSED = 2
"""Bad configuration or usage."""

P = ParamSpec("P")


def explained(command: Callable[P, None]) -> Callable[P, None]:
    """Turn the errors that a person can act on into one line and the exit status that they have."""

    @wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            command(*args, **kwargs)
        except SettingsError as error:
            complain(str(error), MISUSED)
        except WarehouseError as error:
            complain(str(error), MISUSED if isinstance(error, FolderError) else FAILED)
        except (typer.Exit, typer.Abort, typer.BadParameter):
            raise
        except Exception as error:
            if not _is_of_full_disk(error):
                # as Python would, but its messages may be somebody else's
                err.print(plain(traceback.format_exc(), lines=True), end="", soft_wrap=True)
                raise typer.Exit(FAILED) from None
            complain(
                "the disk that holds VEELOCITY_HOME is full: make room and run it again; what was published before is "
                "still there",
                FAILED,
            )
        except KeyboardInterrupt:
            complain("interrupted; what was loaded before is kept, and the next run goes on from there", FAILED)

    return run


def _is_of_full_disk(error: BaseException | None) -> bool:
    """Whether there was no space left, which every library says in its own words."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            return True
        if any(text in str(error) for text in ("No space left on device", "disk is full", "disk I/O error")):
            return True
        error = error.__cause__ or error.__context__
    return False


def complain(message: str, status: int) -> NoReturn:
    """Print a message on standard error and exit."""
    err.print(f"veelocity: {sentence(message)}", soft_wrap=True)
    raise typer.Exit(status)


def settings_that_send() -> Settings:
    """Load the settings of a command that sends secrets, and say which of them others may read."""
    settings = load_settings()
    for path in exposed_secrets(settings):
        said = f"veelocity: {shown(path)} can be read by other users of this machine: chmod 600 {shown(path)}"
        err.print(said, soft_wrap=True)
    return settings
