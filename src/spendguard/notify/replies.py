"""What a far end answered over HTTP, which Apprise keeps to itself.

Apprise's plug-ins turn every reply into true or false: 404 and 503 look alike and Retry-After is
lost. All of them speak through `requests.request` and its kin, which open a `Session` for each
call; ours notes status and headers for whoever listens in the same thread.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import requests
import requests.sessions

_LONGEST_BODY = 4096
_listener: ContextVar[list[Reply] | None] = ContextVar("spendguard_replies", default=None)


@dataclass(frozen=True, slots=True)
class Reply:
    """One HTTP answer. Its body is read for closed codes only and shown to nobody."""

    status: int
    retry_after: timedelta | None = None
    body: bytes = field(default=b"", repr=False)


class _Session(requests.Session):
    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        response = super().send(request, **kwargs)
        heard = _listener.get()
        if heard is not None:
            asked = _seconds(response.headers.get("Retry-After", ""))
            heard.append(Reply(response.status_code, asked, response.content[:_LONGEST_BODY]))
        return response


def _seconds(text: str) -> timedelta | None:
    """Return a Retry-After in seconds; the form that is a date is left to our own backoff."""
    whole = text.strip().partition(".")[0]
    if not (whole.isascii() and whole.isdecimal() and len(whole) < 9):
        return None
    return timedelta(seconds=int(whole))


@contextmanager
def listening() -> Iterator[list[Reply]]:
    """Collect the replies that reach this thread until the end of the block."""
    requests.sessions.Session = _Session  # type: ignore[misc]
    heard: list[Reply] = []
    token = _listener.set(heard)
    try:
        yield heard
    finally:
        _listener.reset(token)
