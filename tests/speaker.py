"""A server that speaks on the bare socket: whatever it likes, for as long as it likes."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

Speak = Callable[[socket.socket], None]


class Speaker:
    """Speaks on every connection once a request came on it.

    Attributes:
        asked: how many connections there were.
    """

    def __init__(self, speak: Speak, listener: socket.socket) -> None:
        self.asked = 0
        self.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        self._speak = speak
        self._listener = listener
        self.is_over = threading.Event()

    def accept(self) -> None:
        """Accept connections until it is over."""
        while not self.is_over.is_set():
            with suppress(TimeoutError):
                connection, _ = self._listener.accept()
                threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            connection.settimeout(10)
            asked = b""
            while b"\r\n\r\n" not in asked:
                asked += connection.recv(65536)
            self.asked += 1
            self._speak(connection)


@contextmanager
def speaking(speak: Speak) -> Iterator[Speaker]:
    """Serve on a free port meanwhile."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.1)
        speaker = Speaker(speak, listener)
        thread = threading.Thread(target=speaker.accept, daemon=True)
        thread.start()
        try:
            yield speaker
        finally:
            speaker.is_over.set()
            thread.join()


def head(*headers: str) -> bytes:
    """The beginning of an answer with JSON."""
    return "\r\n".join(["HTTP/1.1 200 OK", "Content-Type: application/json", *headers, "", ""]).encode()


def endless(connection: socket.socket) -> None:
    """A body that never ends."""
    connection.sendall(head() + b'["')
    while True:
        connection.sendall(b"x" * 65536)


def drip(connection: socket.socket) -> None:
    """A byte of a body now and then."""
    connection.sendall(head("Content-Length: 100000"))
    while True:
        connection.sendall(b" ")
        time.sleep(0.05)


def drip_headers(connection: socket.socket) -> None:
    """A byte of a header now and then."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nX-Long: ")
    while True:
        connection.sendall(b"x")
        time.sleep(0.05)
