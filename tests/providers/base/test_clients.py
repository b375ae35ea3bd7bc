"""The ways out: direct, through the account's own proxy, or as the environment says."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
import trustme
from freezegun.api import real_monotonic

from spendguard import __version__
from spendguard.core.errors import ErrorKind, ProviderError, SpendguardError
from spendguard.providers.base import Clients, Deadline, client, tls_context
from spendguard.providers.openai import OpenAI
from tests.providers.asking import KEY, WEEK

AUTHORITY = trustme.CA()  # made while the clock is not frozen, which it cannot bear
CERTIFICATE = AUTHORITY.issue_cert("127.0.0.1")
Seen = list[tuple[str, dict[str, str]]]


@contextmanager
def http_server(body: str, tls: ssl.SSLContext | None = None) -> Iterator[tuple[int, Seen]]:
    """Give the port of a server, or forward proxy, that answers everything alike."""
    seen: Seen = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
            self.send_response_only(200)
            self.send_header("Set-Cookie", "account=1; Path=/")
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        if tls is not None:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server.server_port, seen
        server.shutdown()


def ask(
    base_url: str, proxy: str | None = None, allowed: timedelta = timedelta(seconds=30)
) -> None:
    deadline = Deadline(real_monotonic, allowed)
    with client(proxy, tls_context()) as http:
        provider = OpenAI(http, KEY, base_url=base_url, currency="USD", deadline=deadline)
        provider.costs(WEEK)
        provider.costs(WEEK)


EMPTY = '{"object":"page","data":[],"has_more":false,"next_page":null}'


def test_says_who_asks_and_keeps_no_cookie() -> None:
    with http_server(EMPTY) as (port, seen):
        ask(f"http://127.0.0.1:{port}/v1/")

    path, headers = seen[1]
    assert path.startswith("/v1/organization/costs?")
    assert headers["user-agent"] == f"spendguard/{__version__}"
    assert headers["authorization"] == f"Bearer {KEY}"
    assert "cookie" not in headers


def test_goes_through_the_proxy_of_the_account() -> None:
    with http_server(EMPTY) as (port, seen):
        ask("http://api.invalid/v1", f"http://127.0.0.1:{port}")

    assert seen[0][0].startswith("http://api.invalid/v1/organization/costs")


def test_goes_through_the_proxy_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    with http_server(EMPTY) as (port, seen):
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{port}")
        monkeypatch.delenv("REQUEST_METHOD", raising=False)
        ask("http://api.invalid/v1")

    assert len(seen) == 2


def test_trusts_what_ssl_cert_file_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    CERTIFICATE.configure_cert(tls)
    AUTHORITY.cert_pem.write_to_path(str(tmp_path / "ca.pem"))

    with http_server(EMPTY, tls) as (port, seen):
        with pytest.raises(ProviderError) as caught:
            ask(f"https://127.0.0.1:{port}/v1")
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
        ask(f"https://127.0.0.1:{port}/v1")

    assert caught.value.kind is ErrorKind.UNAVAILABLE
    assert len(seen) == 2


@pytest.mark.parametrize("scheme", ["http", "socks5"])
def test_a_proxy_that_fails_is_unavailable(scheme: str) -> None:
    with http_server(EMPTY) as (port, _):
        proxy = f"{scheme}://user:secret-word@127.0.0.1:{port}"
        with pytest.raises(ProviderError) as caught:
            ask("https://api.invalid/v1", proxy, timedelta(seconds=1))

    assert caught.value.kind is ErrorKind.UNAVAILABLE
    assert "secret-word" not in f"{caught.value} {caught.value.hint}"


@pytest.mark.parametrize(
    "proxy", ["ftp://user:secret-word@host", "secret-word", "http://secret-word:port"]
)
def test_what_is_no_proxy_is_refused_without_being_shown(proxy: str) -> None:
    with pytest.raises(SpendguardError) as caught:
        client(proxy, tls_context())

    assert "secret-word" not in f"{caught.value} {caught.value.hint}"
    assert caught.value.__cause__ is None


def test_accounts_with_the_same_proxy_share_a_client() -> None:
    clients = Clients()

    assert clients.get(None) is clients.get(None)
    assert clients.get("socks5://127.0.0.1:1") is not clients.get(None)
    first = clients.get(None)
    clients.close()
    assert first.is_closed
