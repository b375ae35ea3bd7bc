"""What becomes of a send: an outcome, never an exception."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Delivered:
    """The far end accepted the message; `status` is that of HTTP, where it was heard.

    The status is for people: two outcomes are the same whatever was heard of them.
    """

    status: int | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Refused:
    """The message is not known to have arrived, and why, in our words.

    `permanent` tells that the far end refused it by name (HTTP 4xx): the same message to the same
    URL will not pass until somebody changes something.
    """

    permanent: bool
    why: str
    retry_after: timedelta | None = None
    status: int | None = field(default=None, compare=False)
