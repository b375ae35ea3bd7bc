"""The server: the world behind a loopback port, with whatever faults were asked for."""

from __future__ import annotations

import socket
import sys
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from socketserver import TCPServer
from threading import Event, Lock, Thread
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

from spendguard.simulator.chaos import Chaos
from spendguard.simulator.faults import ENDLESS, Fault, Order, distort, instead
from spendguard.simulator.openai import OpenAI
from spendguard.simulator.wire import Api, Reply, Request, missing
from spendguard.simulator.world import World

BASE = "/v1"
DRIPS = 20  # pieces in which a slow body comes


class Simulator:
    """A world that answers HTTP on 127.0.0.1 while it is entered.

    It speaks OpenAI's admin API, or `api`. `patience` is how long, in real time, a request that is never answered is kept waiting, and how
    long a slow body takes. `requests` is what was asked so far; no key is in it.
    """

    def __init__(
        self,
        world: World,
        key: str = "sk-admin-simulated-0001",
        *,
        key_expires_at: datetime | None = None,
        patience: timedelta = timedelta(seconds=30),
        api: Api | None = None,
    ) -> None:
        self.world = world
        self.api = api or OpenAI(world, key, key_expires_at)
        self.requests: list[Request] = []
        self.patience = patience
        self.stopped = Event()
        self.failures: list[BaseException] = []
        self._orders: list[Order] = []
        self._chaos: Chaos | None = None
        self._lock = Lock()
        self._server: _Server | None = None

    @property
    def url(self) -> str:
        """The base URL, as an account's `base_url` takes it."""
        if self._server is None:
            raise RuntimeError("the simulator is not running")
        return f"http://127.0.0.1:{self._server.server_port}{BASE}"

    def fault(
        self,
        fault: Fault,
        *,
        path: str = "*",
        times: int | None = None,
        lasting: timedelta | None = None,
        retry_after: int | None = None,
    ) -> None:
        """Let a fault befall requests whose path fits a pattern such as '/organization/costs'.

        It ends after so many times, or when it has lasted so long by the world's clock, or else
        when it is cleared. Of several that fit, the one asked for first befalls.
        """
        until = None if lasting is None else self.world.now + lasting
        with self._lock:
            self._orders.append(Order(fault, path, times, until, retry_after))

    def chaos(self, seed: int, spell: timedelta = timedelta(hours=3)) -> Chaos:
        """Let every fault befall requests at random until cleared; return what decides."""
        self._chaos = Chaos(seed, spell)
        return self._chaos

    def clear(self) -> None:
        """End all faults."""
        with self._lock:
            self._orders.clear()
            self._chaos = None

    def befalls(self, request: Request) -> Order | None:
        """Note a request, and return what stands in the way of its answer."""
        now = self.world.now
        with self._lock:
            self.requests.append(request)
            for order in self._orders:
                if order.takes(request.path, now):
                    return order
            fault = self._chaos.pick(now) if self._chaos else None
        return Order(fault, retry_after=60) if fault else None

    def start(self) -> None:
        """Begin to answer."""
        self.stopped.clear()
        self._server = _Server(self)
        Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def close(self) -> None:
        """Stop, whatever is still waiting; raise the first error of the simulator's own."""
        if self._server is not None:
            self.stopped.set()
            self._server.close()
            self._server = None
        if self.failures:
            raise self.failures[0]

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


class _Server(ThreadingHTTPServer):
    daemon_threads = False  # closing waits for them, so that no socket outlives a test

    def __init__(self, simulator: Simulator) -> None:
        self.simulator = simulator
        self._open: set[socket.socket] = set()
        super().__init__(("127.0.0.1", 0), _Handler)

    def server_bind(self) -> None:
        # HTTPServer would ask the resolver for this machine's name, which can take seconds.
        TCPServer.server_bind(self)
        self.server_port = self.server_address[1]

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        error = sys.exception()
        if error is not None and not isinstance(error, OSError):
            self.simulator.failures.append(error)

    def close(self) -> None:
        self.shutdown()
        for connection in tuple(self._open):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue  # already gone
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server
    _numbers = count(1)

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = urlsplit(self.path)
        query = tuple(parse_qsl(parts.query, keep_blank_values=True))
        request = Request(self.command, parts.path.removeprefix(BASE), query)
        order = self.server.simulator.befalls(request)
        reply = self._reply(request, body, order)
        if reply is not None:
            self._send(reply, order.fault if order else None)

    do_POST = do_DELETE = do_PUT = do_PATCH = do_HEAD = do_GET  # noqa: N815

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        pass

    def _reply(self, request: Request, body: bytes, order: Order | None) -> Reply | None:
        if order is None:
            return self._answer(request, body)
        if order.fault in (Fault.TIMEOUT, Fault.DROPPED):
            self._hang_up(order.fault)
            return None
        standing_in = instead(order.fault, order.retry_after)
        if standing_in is not None:
            return standing_in
        asked = request.rewound() if order.fault in ENDLESS else request
        reply = self._answer(asked, body)
        return distort(order.fault, reply) if reply.status == 200 else reply

    def _answer(self, request: Request, body: bytes) -> Reply:
        if not urlsplit(self.path).path.startswith(f"{BASE}/"):
            return missing().reply
        scheme, _, key = self.headers.get("Authorization", "").partition(" ")
        known = key if scheme.lower() == "bearer" else None
        return self.server.simulator.api.answer(request, known, body)

    def _hang_up(self, fault: Fault) -> None:
        if fault is Fault.TIMEOUT:
            simulator = self.server.simulator
            simulator.stopped.wait(simulator.patience.total_seconds())
        self.close_connection = True

    def _send(self, reply: Reply, fault: Fault | None) -> None:
        content = reply.content
        self.send_response_only(reply.status)
        self.send_header("Content-Type", reply.content_type)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("openai-organization", "org-simulated")
        self.send_header("x-request-id", f"req_{next(self._numbers)}")
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.end_headers()
        if fault is Fault.CUT_SHORT:
            content, self.close_connection = content[: len(content) // 2], True
        if fault is Fault.SLOW_BODY:
            content = self._drip(content)
        if self.command != "HEAD":
            self.wfile.write(content)

    def _drip(self, content: bytes) -> bytes:
        """Send the body byte by byte for as long as patience lasts, and return the rest."""
        simulator = self.server.simulator
        pause = simulator.patience.total_seconds() / DRIPS
        for byte in content[:DRIPS]:
            self.wfile.write(bytes([byte]))
            simulator.stopped.wait(pause)
        return content[DRIPS:]
