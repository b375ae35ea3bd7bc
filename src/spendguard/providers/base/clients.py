"""HTTP clients: one for each way out, all with the same TLS context."""

from __future__ import annotations

import ssl
import threading
from http.cookiejar import CookieJar, DefaultCookiePolicy

import httpx

from spendguard import __version__
from spendguard.core.errors import SpendguardError

LIMITS = httpx.Limits(max_connections=10, max_keepalive_connections=10)  # more are slower


def tls_context() -> ssl.SSLContext:
    """Return a context that trusts what SSL_CERT_FILE says; make one for the whole process."""
    return httpx.create_ssl_context()


def client(proxy: str | None, context: ssl.SSLContext) -> httpx.Client:
    """Return a client that goes through `proxy`, else where the standard variables say.

    Cookies are refused: accounts that share a client must not share anything else.

    Raises:
        SpendguardError: when the proxy, or one in the environment, is not an address.
    """
    try:
        return httpx.Client(
            proxy=proxy,
            verify=context,
            trust_env=True,
            follow_redirects=False,
            limits=LIMITS,
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            headers={"User-Agent": f"spendguard/{__version__}", "Accept": "application/json"},
        )
    except (httpx.InvalidURL, ValueError):
        raise SpendguardError(
            "a proxy is not an address that can be used",
            "write http://HOST:PORT or socks5://HOST:PORT, in the configuration's `proxy` "
            "or in HTTPS_PROXY and its kin",
        ) from None


class Clients:
    """The clients of a process, made when first needed: one for each distinct proxy."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._context: ssl.SSLContext | None = None
        self._clients: dict[str | None, httpx.Client] = {}

    def get(self, proxy: str | None) -> httpx.Client:
        """Return the client that goes through `proxy`."""
        with self._lock:
            if self._context is None:
                self._context = tls_context()
            if proxy not in self._clients:
                self._clients[proxy] = client(proxy, self._context)
            return self._clients[proxy]

    def close(self) -> None:
        """Close every connection."""
        with self._lock:
            while self._clients:
                self._clients.popitem()[1].close()
