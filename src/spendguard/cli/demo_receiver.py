"""Receiver: the place the demo's messages travel to, a webhook on loopback."""

from __future__ import annotations

import json
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from queue import Empty, SimpleQueue
from threading import Thread
from types import TracebackType
from typing import Self


@dataclass(frozen=True, slots=True)
class Received:
    """A message as it arrived."""

    title: str
    body: str


class Receiver:
    """Takes what Apprise's json:// sends, while it is entered."""

    def __init__(self) -> None:
        self.arrived: SimpleQueue[Received] = SimpleQueue()
        self._server = _Server(self.arrived)
        self._thread = Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    @property
    def url(self) -> str:
        """The channel URL that leads here."""
        return f"json://127.0.0.1:{self._server.server_address[1]}/"

    def take(self) -> list[Received]:
        """Return what arrived since the last look."""
        taken = []
        while True:
            try:
                taken.append(self.arrived.get_nowait())
            except Empty:
                return taken

    def __enter__(self) -> Self:
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


class _Server(HTTPServer):
    def __init__(self, arrived: SimpleQueue[Received]) -> None:
        self.arrived = arrived
        super().__init__(("127.0.0.1", 0), _Handler)

    def server_bind(self) -> None:
        # HTTPServer would ask the resolver for this machine's name, which can take seconds.
        super(HTTPServer, self).server_bind()


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_POST(self) -> None:
        """Take one message."""
        sent = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.arrived.put(Received(sent["title"], sent["message"]))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""
