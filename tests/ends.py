"""Far ends that messages really travel to: a mail server, chat services behind TLS, a webhook.

Each is a context manager on an ephemeral port of 127.0.0.1. `mode` says how it answers from now
on, `plan` how it answers the next requests before that:

    ok      as the real service does         delay   so too, after `delay`
    500 …   with that HTTP status            drop    by closing the connection

`messages` holds what was accepted, `requests` everything that arrived.
"""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
import tempfile
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Lock, Thread
from types import TracebackType
from typing import Any, Self

import trustme
from aiosmtpd.smtp import SMTP, Envelope, Session

HOSTS = (
    "hooks.slack.com",
    "slack.com",
    "discord.com",
    "api.telegram.org",
    "qyapi.weixin.qq.com",
    "open.feishu.cn",
    "open.larksuite.com",
    "oapi.dingtalk.com",
    "events.pagerduty.com",
)
_OK = {
    "hooks.slack.com": (200, "ok"),
    "discord.com": (204, ""),
    "api.telegram.org": (200, '{"ok": true, "result": {"message_id": 7}}'),
    "qyapi.weixin.qq.com": (200, '{"errcode": 0, "errmsg": "ok"}'),
    "oapi.dingtalk.com": (200, '{"errcode": 0, "errmsg": "ok"}'),
    "open.feishu.cn": (200, '{"code": 0, "msg": "success", "data": {}}'),
    "open.larksuite.com": (200, '{"code": 0, "msg": "success", "data": {}}'),
    "events.pagerduty.com": (202, '{"status": "success", "dedup_key": "x"}'),
}
# Made while this module is imported, by the real clock: under a frozen one cryptography breaks.
_AUTHORITY = trustme.CA()
_LEAF = _AUTHORITY.issue_cert(*HOSTS)


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it arrived."""

    host: str
    path: str
    headers: dict[str, str]
    payload: Any


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = 10
    host = "127.0.0.1"

    def do_CONNECT(self) -> None:
        """Play the host asked for: a proxy that ends TLS itself."""
        if self.server.context is None:
            self.send_error(405)
            return
        self.host = self.path.rpartition(":")[0]
        self.send_response(200)
        self.end_headers()
        self.close_connection = True
        with suppress(OSError):  # a client that gives up is none of ours
            self.connection = self.server.context.wrap_socket(self.connection, server_side=True)
            self.rfile.close()
            self.rfile = self.connection.makefile("rb")
            self.wfile = self.connection.makefile("wb")
            self.close_connection = False

    def finish(self) -> None:
        """Close what was opened, the tunnel too."""
        with suppress(OSError):
            super().finish()
        self.connection.close()

    def do_GET(self) -> None:
        """Answer a read as a write: methods are for tests to look at."""
        self.do_POST()

    def do_POST(self) -> None:
        """Take one message and answer as the mode says."""
        text = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode(errors="replace")
        try:
            payload = json.loads(text)
        except ValueError:
            payload = text
        request = Request(self.host, self.path, dict(self.headers.items()), payload)
        self.close_connection = True
        with suppress(OSError):
            self._answer(self.server.end.take(request))

    def _answer(self, answer: tuple[int, str, dict[str, str]] | None) -> None:
        if answer is None:
            return
        status, text, headers = answer
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(text.encode())))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(text.encode())
        self.wfile.flush()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""


class _Server(ThreadingHTTPServer):
    daemon_threads = False  # so that closing waits for the last answer

    def __init__(self, end: _HttpEnd, context: ssl.SSLContext | None) -> None:
        self.end = end
        self.context = context
        super().__init__(("127.0.0.1", 0), _Handler)


class _HttpEnd:
    def __init__(self) -> None:
        self.mode = "ok"
        self.plan: deque[str] = deque()
        self.delay = timedelta(seconds=1)
        self.retry_after: str | None = None
        self.reply: str | None = None  # a body in place of the service's own
        self.messages: list[Any] = []
        self.requests: list[Request] = []
        self._closing = Event()
        self._lock = Lock()

    def _context(self) -> ssl.SSLContext | None:
        return None

    def __enter__(self) -> Self:
        self._server = _Server(self, self._context())
        self.port = int(self._server.server_address[1])
        self._thread = Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._closing.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def take(self, request: Request) -> tuple[int, str, dict[str, str]] | None:
        """Note a request and return status, body and headers of its answer, None to hang up."""
        with self._lock:
            mode = self.plan.popleft() if self.plan else self.mode
            self.requests.append(request)
            if mode in ("ok", "delay"):
                self.messages.append(request.payload)
        if mode == "delay":
            self._closing.wait(self.delay.total_seconds())
        if mode == "drop":
            return None
        if mode in ("ok", "delay"):
            status, text = _OK.get(request.host, (200, "{}"))
            return status, text if self.reply is None else self.reply, {}
        headers = {} if self.retry_after is None else {"Retry-After": self.retry_after}
        if mode.startswith("3"):
            headers["Location"] = "/moved"
        return int(mode), self.reply or '{"error": "made to fail"}', headers


class HttpEnd(_HttpEnd):
    """A webhook over plain HTTP, for json:// channels."""

    @property
    def url(self) -> str:
        """Return the channel URL that leads here."""
        return f"json://127.0.0.1:{self.port}/"


class SlackEnd(_HttpEnd):
    """Slack, Discord, Telegram and their kin, reached through a proxy that ends TLS itself.

    Nothing in the product knows of it: `environment()` names the proxy and its throw-away CA.
    """

    url = "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/#alerts"
    discord_url = "discord://123456789012345678/abcdefghijklmnopqrstuvwxyz"
    telegram_url = "tgram://123456789:abcdefg_hijklmnopqrstuvwxyz123456/42"
    wecom_url = "wecombot://a1b2c3d4-e5f6-a7b8-c9d0-e1f2a3b4c5d6"
    feishu_url = "feishu://a1b2c3d4e5f6a7b8c9d0"
    dingtalk_url = "dingtalk://SEC1234567890abcdef@0123456789abcdef0123456789abcdef"

    def _context(self) -> ssl.SSLContext:
        self._files = tempfile.TemporaryDirectory(prefix="spendguard-ends-")
        self.bundle = Path(self._files.name) / "ca.pem"
        _AUTHORITY.cert_pem.write_to_path(str(self.bundle))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        _LEAF.configure_cert(context)
        return context

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        super().__exit__(kind, error, trace)
        self._files.cleanup()

    def environment(self) -> dict[str, str]:
        """Return the variables that lead this process or a child's HTTPS here, loopback aside."""
        proxy = f"http://127.0.0.1:{self.port}"
        return {
            "HTTPS_PROXY": proxy,
            "https_proxy": proxy,
            "NO_PROXY": "127.0.0.1,localhost",
            "no_proxy": "127.0.0.1,localhost",
            "REQUESTS_CA_BUNDLE": str(self.bundle),
            "SSL_CERT_FILE": str(self.bundle),
        }


class SmtpEnd:
    """A mail server. `mode` is ok or the code of its answer to a message, as 451 or 550."""

    def __init__(self) -> None:
        self.mode = "ok"
        self.plan: deque[str] = deque()
        self.refused: set[str] = set()  # recipients it does not know
        self.messages: list[EmailMessage] = []
        self.recipients: list[list[str]] = []

    @property
    def url(self) -> str:
        """Return the channel URL that leads here."""
        return f"mailto://127.0.0.1:{self.port}?from=guard@example.com&to=ops@example.com"

    def __enter__(self) -> Self:
        self._loop = asyncio.new_event_loop()
        listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(listener.getsockname()[1])
        self._server = self._loop.run_until_complete(
            self._loop.create_server(self._protocol, sock=listener)
        )
        self._thread = Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        return self

    def _protocol(self) -> SMTP:
        return SMTP(self, hostname="ends.example.com", loop=self._loop)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _close(self) -> None:
        self._server.close()
        tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self,
        server: SMTP,
        session: Session,
        envelope: Envelope,
        address: str,
        options: list[str],
    ) -> str:
        """Take a recipient, or refuse it by name."""
        if address in self.refused:
            return "550 5.1.1 no such user"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        """Take a message, or refuse it as the mode says."""
        mode = self.plan.popleft() if self.plan else self.mode
        if mode != "ok":
            return f"{mode} made to fail"
        content = envelope.original_content or b""
        self.messages.append(message_from_bytes(content, policy=policy.default))
        self.recipients.append([str(address) for address in envelope.rcpt_tos])
        return "250 OK"
