"""``veelocity dev``: the code server, the daemon and the UI on this machine, until they are stopped.

``dagster dev`` does the same with a webserver of its own choice, which nothing guards; hence this. The code server
listens on a socket in a folder that only the user may enter: its port would let in every user of the machine.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from veelocity_pipeline.faces.cli.parts import SECRET, SECRETS, Part, code_command, environment

log = logging.getLogger("veelocity")

_LOOKS_EVERY = 0.2
"""Seconds between two looks at the parts."""

_RESTARTED_AFTER = 5.0
"""Seconds between two starts of a code server."""

_ENDED_WITHIN = 30.0
"""Seconds that a part gets to end when it is asked to."""


class Parts:
    """The three processes."""

    def __init__(self, folder: Path, webserver: Sequence[str], secrets: frozenset[str] = SECRETS) -> None:
        """Prepare to start them.

        Args:
            folder: for the socket, and the file that tells the others of it.
            webserver: options of :mod:`veelocity_pipeline.defs.webserver`, but for the workspace.
            secrets: variables that the code alone gets.
        """
        self._socket = folder / "code.sock"
        workspace = folder / "workspace.yaml"
        place = {"socket": str(self._socket), "location_name": "veelocity"}
        workspace.write_text(json.dumps({"load_from": [{"grpc_server": place}]}), encoding="utf-8")
        self._commands = {
            Part.CODE: ["dagster", *code_command(["--socket", str(self._socket), "--log-level", "warning"])],
            Part.DAEMON: ["dagster._daemon", "run", "--workspace", str(workspace)],
            Part.WEBSERVER: ["veelocity_pipeline.defs.webserver", "--workspace", str(workspace), *webserver],
        }
        self._secrets = secrets
        self._running: dict[Part, subprocess.Popen[bytes]] = {}
        self._code_due = 0.0

    def run(self, stopped: Sequence[int]) -> int:
        """Run them until ``stopped`` holds a signal, or one ends that should not; return the exit status."""
        try:
            while not stopped:
                if not self._keep_up():
                    return 1
                time.sleep(_LOOKS_EVERY)
            return 0
        finally:
            self._end(Part.WEBSERVER, Part.DAEMON)
            self._end(Part.CODE)

    def _keep_up(self) -> bool:
        """Start what is to run and does not; False where that makes no sense."""
        if Part.CODE in self._running and (status := self._running[Part.CODE].poll()) is not None:
            # the UI has a button that ends it; a run that is left has nobody who would hear of its end
            log.warning("The code server ended with status %d; starting it again", status)
            self._end(Part.CODE)
        if Part.CODE not in self._running:
            if time.monotonic() > self._code_due:
                self._code_due = time.monotonic() + _RESTARTED_AFTER
                self._socket.unlink(missing_ok=True)
                self._start(Part.CODE)
        elif Part.WEBSERVER not in self._running and self._code_answers():
            self._start(Part.DAEMON)
            self._start(Part.WEBSERVER)
        for part in (Part.DAEMON, Part.WEBSERVER):
            if part in self._running and (status := self._running[part].poll()) is not None:
                log.error("The %s ended with status %d; what it said is above", part, status)
                return False
        return True

    def _start(self, part: Part) -> None:
        command = [sys.executable, "-m", "veelocity_pipeline.faces.cli.child", str(os.getpid()), *self._commands[part]]
        # in a group of its own, as a terminal's Ctrl-C is for this process to pass on, and to all that a part started
        self._running[part] = subprocess.Popen(
            command, env=environment(part, self._secrets), stdin=subprocess.DEVNULL, start_new_session=True
        )

    def _code_answers(self) -> bool:
        """Whether the definitions are loaded, before which nothing listens at the socket."""
        with socket.socket(socket.AF_UNIX) as client:
            return client.connect_ex(str(self._socket)) == 0

    def _end(self, *parts: Part) -> None:
        """Ask parts to end, with all that they started: a run that is going on keeps what it has loaded, and fails."""
        last = time.monotonic() + _ENDED_WITHIN
        ending = [self._running.pop(part) for part in parts if part in self._running]
        groups = [process.pid for process in ending]
        for number in (signal.SIGTERM, signal.SIGKILL):
            for group in groups:
                _signal(group, number)
            while (groups := [*filter(_lives, groups)]) and (time.monotonic() < last or number == signal.SIGKILL):
                time.sleep(_LOOKS_EVERY)
        for process in ending:
            process.poll()  # it was waited for with its group


def _signal(group: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, number)


def _lives(group: int) -> bool:
    """Whether a process of this group is left; the first process of a container is the parent of all orphans."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-group, os.WNOHANG) != (0, 0):
            pass
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def main(arguments: Sequence[str]) -> int:
    """Run the parts until a signal comes; return the exit status.

    Args:
        arguments: more variables that the code alone gets, each after ``--secret=``; then the webserver's options.
    """
    secrets = [each.removeprefix(SECRET) for each in arguments if each.startswith(SECRET)]
    webserver = [each for each in arguments if not each.startswith(SECRET)]
    logging.basicConfig(format="%(asctime)s %(name)s %(levelname)s %(message)s", level=logging.INFO)
    stopped: list[int] = []
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # nohup has the last one ignored
        if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, lambda number, _frame: stopped.append(number))
    with tempfile.TemporaryDirectory(prefix="veelocity-") as folder:
        return Parts(Path(folder), webserver, SECRETS.union(secrets)).run(stopped)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
