"""Who may write: one process at a time, and which run's process is still alive."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

from veelocity_pipeline.safety.files import claim_folder, create_text, keep_private, make_folder, open_text, user_name
from veelocity_pipeline.warehouse.home import Home
from veelocity_pipeline.warehouse.status import _now


@contextlib.contextmanager
def writing(home: Home, purpose: str, waiting: Callable[[str], None] | None = None) -> Iterator[None]:
    """Hold the one right to write the warehouse; wait for it where another process has it.

    Args:
        home: whose warehouse.
        purpose: what for; processes that wait are told.
        waiting: is told who holds it, once at the start and then every half minute.

    The lock is the system's (flock): it is free as soon as its holder ends, however it ends.
    """
    keep_private()
    home.make()
    with open_text(home.lock, "a+") as file:
        _acquire(file, waiting)
        try:
            file.truncate(0)
            file.write(
                json.dumps({"pid": os.getpid(), "user": user_name(), "purpose": purpose, "since": _now().isoformat()})
            )
            file.flush()
            yield
        finally:
            with contextlib.suppress(OSError):
                file.truncate(0)
            fcntl.flock(file, fcntl.LOCK_UN)


def _acquire(file: IO[str], waiting: Callable[[str], None] | None) -> None:
    told = 0.0
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if waiting is not None and time.monotonic() - told > 30:
                told = time.monotonic()
                waiting(f"Waiting for the warehouse: {_holder(file)}.")
            time.sleep(0.2)
        else:
            return


def _holder(file: IO[str]) -> str:
    file.seek(0)
    try:
        holder = json.loads(file.read())
        who, since = f"process {holder['pid']} of {holder['user']}", holder["since"][:19]
        return f"{holder['purpose']} has it ({who}, since {since}Z)"
    except (ValueError, KeyError):
        return "another process has it"


@contextlib.contextmanager
def exclusively(lock: Path) -> Iterator[None]:
    """Hold a lock file for a short step that two processes must not do at once, such as making a folder's content."""
    make_folder(lock.parent)
    with open_text(lock, "a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextlib.contextmanager
def alive(home: Home, run: str) -> Iterator[None]:
    """Show, for as long as the block runs, that a run's process lives; however it ends, that is over then.

    A run that waits for :func:`writing` lives too, which the lock on the warehouse cannot tell.
    """
    path = _life(home, run)
    claim_folder(path.parent)
    made = path.with_name(f".{run}")
    with create_text(made) as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        made.replace(path)  # nobody sees it unlocked while the run lives
        try:
            yield
        finally:
            path.unlink(missing_ok=True)


def is_alive(home: Home, run: str) -> bool | None:
    """Whether a run's process lives; None where it has not shown itself yet, or has ended as it should."""
    try:
        with open_text(_life(home, run), "r") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return None
    except BlockingIOError:
        return True
    return False


def forget_life(home: Home, run: str) -> None:
    """Clear away what a run left that was killed."""
    _life(home, run).unlink(missing_ok=True)


def _life(home: Home, run: str) -> Path:
    return home.dagster / "alive" / run
