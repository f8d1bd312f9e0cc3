"""How files are made here: for their owner alone, never through a link, never in a folder that others may write.

Whoever may write a folder can put links in it that lead what is written there elsewhere. So such folders are refused
(:func:`check_folder`), no link is followed (:func:`open_text`), and what a library writes by its path is written in a
fresh folder that only this process knows (:func:`staging`).
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import getpass
import grp
import os
import pwd
import shutil
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, TextIO

ALLOWED_BY = "VEELOCITY_ALLOW_SHARED_FOLDERS"
"""The setting with which folders are taken as they are."""

STAGED = ".veelocity-staged-"
"""What the name of each folder begins with in which something is made before it is put in its place."""


class WarehouseError(Exception):
    """A file under ``VEELOCITY_HOME`` cannot be used; one sentence that names the file, the cause and the cure."""


class FolderError(WarehouseError):
    """A folder that the settings or a command name cannot be used at all."""


class HomeError(FolderError):
    """``VEELOCITY_HOME`` names such a folder."""


def keep_private() -> None:
    """Make everything that this process and its children create accessible to their user alone."""
    os.umask(0o077)


def user_name() -> str:
    """Return the name of this process's user; where the system knows none (as in a container), its number."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # OSError since Python 3.13
        return str(os.getuid())


def settle_libraries(folder: Path) -> None:
    """Have libraries find a user's name and a home folder, and no settings in the folder that one stands in.

    A container may run as a user that the system does not know; and dlt, which reads settings in the user's home and in
    the present folder, takes ``/tmp/dlt`` for the first where there is none.

    Args:
        folder: is written by this user alone.
    """
    try:
        getpass.getuser()
    except (KeyError, OSError):
        os.environ["USER"] = user_name()
    if not os.access(os.path.expanduser("~"), os.W_OK):  # noqa: PTH111 - Path.home raises where there is none
        os.environ["HOME"] = str(folder)
    os.environ.setdefault("DLT_PROJECT_DIR", str(folder / "dlt"))


# ---------------------------------------------------------------------------------------------- folders


def check_folder(folder: Path, setting: str, *, shared: bool = False, sticky: bool = False) -> None:
    """Refuse a folder in which, or in place of which, another user could put something.

    Args:
        folder: an absolute path; what of it does not exist yet is passed over.
        setting: the setting or option that names it, for the message.
        shared: refuse nothing; the user has said that the folder is safe.
        sticky: take a folder like ``/tmp`` too, where others may add files but not replace ours.

    Raises:
        FolderError: the folder is another user's, or others may write it, or a folder above it.
    """
    if shared:
        return
    try:
        there = folder.resolve()
    except (OSError, RuntimeError):  # links that lead in a circle
        raise FolderError(f"{setting}: {folder} cannot be used: it leads nowhere") from None
    for path in {folder: None, there: None}:
        _check(path, path, setting, sticky)
        for above in path.parents:
            _check(above, path, setting, sticky=True)


def _check(path: Path, folder: Path, setting: str, sticky: bool) -> None:
    try:
        found = path.stat()
    except OSError:  # it is not there, or using it will say what is wrong with it
        return
    is_above = path != folder
    what = f"{setting}: {folder} lies in {path}, which" if is_above else f"{setting}: {folder}"
    cure = f"(or set {ALLOWED_BY}=1 if only you can get there)"
    # nobody in a user namespace: who owns the system's folders cannot be told from inside
    if found.st_uid not in (os.geteuid(), 0) and not (is_above and found.st_uid == _overflow_uid()):
        raise FolderError(
            f"{what} belongs to {_owner(found.st_uid)}, not to {user_name()}: run this as that user, or name another "
            f"folder {cure}"
        )
    if found.st_mode & stat.S_ISVTX and sticky:
        return
    is_writable = found.st_mode & stat.S_IWOTH
    if found.st_mode & stat.S_IWGRP:
        is_writable = is_writable or not (is_above and _is_own_group(found.st_gid))
    if is_writable:
        raise FolderError(
            f"{what} may be written by other users (mode {stat.S_IMODE(found.st_mode):04o}): chmod go-w {path}, or "
            f"name another folder {cure}"
        )


def _owner(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"


def _overflow_uid() -> int:
    """Return the user id that stands for all that a user namespace does not know; -1 outside of one."""
    try:
        mapped = Path("/proc/self/uid_map").read_text(encoding="ascii").split()
        if mapped == ["0", "0", "4294967295"]:
            return -1
        return int(Path("/proc/sys/kernel/overflowuid").read_text(encoding="ascii"))
    except (OSError, ValueError):
        return -1


def _is_own_group(gid: int) -> bool:
    """Return whether a group is root's, or the one of this user alone that many systems make for each user."""
    if gid == 0:
        return True
    try:
        group, user = grp.getgrgid(gid), pwd.getpwuid(os.geteuid())
    except KeyError:
        return False
    return user.pw_gid == gid and group.gr_name == user.pw_name and set(group.gr_mem) <= {user.pw_name}


def make_folder(path: Path, mode: int = 0o700) -> None:
    """Make a folder and those above it, each with this mode whatever the umask; leave those that are there.

    Raises:
        OSError: one of them cannot be made.
    """
    if not path.parent.exists():
        make_folder(path.parent, mode)
    with contextlib.suppress(FileExistsError):
        path.mkdir(mode=mode)
        path.chmod(mode)
    if not path.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(path))


def claim_folder(path: Path) -> None:
    """Make a folder inside of one that is checked, or see that it is a folder and not a link to one.

    Raises:
        FolderError: it is a link, or another user's.
        OSError: it cannot be made, or is no folder.
    """
    make_folder(path)
    found = path.lstat()
    if stat.S_ISLNK(found.st_mode):
        raise _is_link(path)
    _check_owner(path, found)
    if found.st_mode & 0o022:
        path.chmod(stat.S_IMODE(found.st_mode) & ~0o022)


def refuse_link(path: Path) -> None:
    """Look at a file that a library is going to open by its path, and close it to others.

    Raises:
        FolderError: it is a link, or has a second name somewhere else.
    """
    try:
        found = path.lstat()
    except FileNotFoundError:
        return
    _check_file(path, found)
    if found.st_mode & 0o077:
        path.chmod(0o600)


# ------------------------------------------------------------------------------------------------ files


def _is_link(path: Path) -> FolderError:
    return FolderError(f"{path} is a link, and links are not followed there: remove it and run again")


def _check_owner(path: Path, found: os.stat_result) -> None:
    if found.st_uid not in (os.geteuid(), 0):
        raise FolderError(f"{path} belongs to {_owner(found.st_uid)}, not to {user_name()}: remove it and run again")


def _check_file(path: Path, found: os.stat_result) -> None:
    if stat.S_ISLNK(found.st_mode):
        raise _is_link(path)
    if not stat.S_ISREG(found.st_mode):
        raise FolderError(f"{path} is not a file: remove it and run again")
    if found.st_nlink > 1:
        raise FolderError(f"{path} is a hard link: what is written there would change another file; remove it")
    _check_owner(path, found)


def _opened(name: str, flags: int) -> int:
    path = Path(name)
    try:
        # not to wait for the other end of a pipe; and nothing is cut off before it is known what it is
        descriptor = os.open(path, flags & ~os.O_TRUNC | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, 0o600)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.EMLINK):
            raise _is_link(path) from None
        if error.errno == errno.ENXIO:
            raise FolderError(f"{path} is not a file: remove it and run again") from None
        raise
    try:
        found = os.fstat(descriptor)
        _check_file(path, found)
        if found.st_mode & 0o077 and found.st_uid == os.geteuid():
            os.fchmod(descriptor, 0o600)
        if flags & os.O_TRUNC:
            os.ftruncate(descriptor, 0)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def open_text(path: Path, mode: Literal["a", "a+", "r", "x"]) -> TextIO:
    """Open a text file of our own, as the builtin ``open`` does; what is made is its owner's alone.

    Raises:
        FolderError: it is a link, has a second name, or is no file.
        OSError: as ``open`` has them.
    """
    return open(path, mode, encoding="utf-8", opener=_opened)


def create_text(path: Path) -> TextIO:
    """Open a new file for writing; whatever has its name, also a link, is removed before."""
    path.unlink(missing_ok=True)
    return open_text(path, "x")


def replace_file(path: Path, text: str) -> None:
    """Write a file so that a reader sees the old or the new one, never a part."""
    staged = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with create_text(staged) as file:
            file.write(text)
        staged.replace(path)
    finally:
        staged.unlink(missing_ok=True)


def copy_file(source: Path, target: Path, *, mode: int) -> None:
    """Copy a file into a new one, with its times; on the disk when this returns.

    Args:
        mode: of the copy, once it is whole.

    Raises:
        FolderError: the source is a link.
        OSError: the target is there, or cannot be written.
    """
    with (
        open(source, "rb", opener=_readable) as old,
        open(target, "xb", opener=_opened) as new,
    ):
        shutil.copyfileobj(old, new, 1024 * 1024)
        new.flush()
        found = os.fstat(old.fileno())
        os.utime(new.fileno(), ns=(found.st_atime_ns, found.st_mtime_ns))
        os.fchmod(new.fileno(), mode)
        os.fsync(new.fileno())


def _readable(name: str, flags: int) -> int:
    try:
        return os.open(name, flags | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.EMLINK):
            raise _is_link(Path(name)) from None
        raise


@contextlib.contextmanager
def staging(folder: Path) -> Iterator[Path]:
    """A fresh folder inside of another, for this process alone; it goes when the block ends.

    What a killed process left of such folders goes too. A folder is locked for as long as its process lives.
    """
    _sweep(folder)
    while True:
        made = Path(tempfile.mkdtemp(prefix=STAGED, dir=folder))
        descriptor = os.open(made, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        with contextlib.suppress(OSError):  # a file system without locks
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        if made.exists():  # another process may have swept it before it was locked
            break
        os.close(descriptor)
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)
        os.close(descriptor)


def _sweep(folder: Path) -> None:
    for left in folder.glob(f"{STAGED}*"):
        with contextlib.suppress(OSError):  # it is in use, or not ours
            descriptor = os.open(left, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if os.fstat(descriptor).st_uid == os.geteuid():
                    shutil.rmtree(left)
            finally:
                os.close(descriptor)
