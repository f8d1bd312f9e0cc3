"""Something on loopback that takes alerts."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

from pydantic import SecretStr

SECRET = "T0SECRET"


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.received.append((self.path, json.loads(body)))
        self.send_response(self.server.status)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


class Receiver(HTTPServer):
    """Takes messages, which are its ``received``, and answers with ``status``; runs while it is entered."""

    def __init__(self) -> None:
        self.received: list[tuple[str, Any]] = []
        self.status = 200
        super().__init__(("127.0.0.1", 0), _Handler)
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01})

    @property
    def url(self) -> SecretStr:
        """Its address, which is as secret as Slack's."""
        return SecretStr(f"http://127.0.0.1:{self.server_port}/services/{SECRET}")

    @property
    def texts(self) -> list[str]:
        """What was said."""
        return [content["text"] for _, content in self.received]

    def __enter__(self) -> Receiver:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self._thread.join()
        self.server_close()
