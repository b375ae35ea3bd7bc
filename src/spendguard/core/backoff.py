"""Backoff: when to try again."""

from __future__ import annotations

from datetime import timedelta

from spendguard.core.errors import ErrorKind

FIRST = timedelta(seconds=5)
LONGEST = timedelta(minutes=15)
MINUTE = timedelta(minutes=1)
QUARTER = timedelta(minutes=15)
GIVE_UP = timedelta(days=7)


def delivery_delay(attempts: int, asked: timedelta | None = None) -> timedelta:
    """Return the pause after a number of failed attempts: 5 s, doubling to 15 min.

    What the far end asks for is obeyed, within a day.
    """
    if asked is not None:
        return min(max(asked, FIRST), timedelta(days=1))
    doublings: int = min(max(attempts, 1) - 1, 16)
    return min(FIRST * (1 << doublings), LONGEST)


def poll_delay(
    kind: ErrorKind, interval: timedelta, asked: timedelta | None, failures: int
) -> timedelta:
    """Return the pause before the next poll after a number of failures in a row.

    A rate limit is obeyed (within a day). A refused key or a missing scope is asked about once
    more at the interval, so that blindness is known in time, then at most every quarter of an
    hour. Everything else is tried again at the interval, and so is what is read more often than
    anything but this machine may be.
    """
    if kind is ErrorKind.RATE_LIMITED and asked is not None:
        return min(max(asked, interval), timedelta(days=1))
    refused = kind in (ErrorKind.AUTH, ErrorKind.SCOPE)
    if refused and failures > 1 and interval >= MINUTE:
        return max(interval, QUARTER)
    return interval
