"""Heartbeat: a sign of life to somebody else's watch, which speaks when it stays away."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from spendguard.notify.results import Delivered, Refused

if TYPE_CHECKING:
    import httpx

PATIENCE = timedelta(seconds=10)


def beat(http: httpx.Client, url: str) -> Delivered | Refused:
    """Visit the address once and tell how it went; it is a secret, and so is what it answers."""
    import httpx  # loaded by whoever made the client

    try:
        with http.stream("GET", url, timeout=PATIENCE.total_seconds()) as reply:
            status = reply.status_code
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        return Refused(permanent=False, why=f"no answer ({type(error).__name__})")
    if 200 <= status < 300:
        return Delivered()
    return Refused(permanent=400 <= status < 500, why=f"refused (HTTP {status})")
