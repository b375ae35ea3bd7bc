"""A webhook that takes one message after another, so that it knows when it has taken them all."""

from __future__ import annotations

import json
from dataclasses import dataclass
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from types import TracebackType
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Message:
    """What arrived, whole."""

    title: str
    body: str


class Webhook:
    """The far end of a json:// channel. While it is `down` it takes nothing."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.requests = 0
        self.down = False

    def __enter__(self) -> Self:
        self._server = _Server(self)
        self._thread = Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def url(self) -> str:
        """Return the channel URL that leads here."""
        return f"json://127.0.0.1:{self._server.server_port}/"

    @property
    def titles(self) -> list[str]:
        """Return the first line of each message."""
        return [message.title for message in self.messages]

    def settle(self) -> None:
        """Return when everything that was on its way has been taken."""
        connection = HTTPConnection("127.0.0.1", self._server.server_port, timeout=30)
        connection.request("GET", "/")
        connection.getresponse().read()
        connection.close()


class _Server(HTTPServer):
    request_queue_size = 64

    def __init__(self, hook: Webhook) -> None:
        self.hook = hook
        super().__init__(("127.0.0.1", 0), _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Take no notice of a client that died."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = 10

    def do_GET(self) -> None:
        """Say that it is this one's turn."""
        self._answer(200)

    def do_POST(self) -> None:
        """Take a message, unless it broke off."""
        hook = self.server.hook
        wanted = int(self.headers["Content-Length"])
        body = self.rfile.read(wanted)
        hook.requests += 1
        if hook.down or len(body) < wanted:
            self._answer(503)
            return
        told = json.loads(body)
        hook.messages.append(Message(told["title"], told["message"]))
        self._answer(200)

    def _answer(self, status: int) -> None:
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""
