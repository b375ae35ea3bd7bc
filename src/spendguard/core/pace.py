"""Pace: when something is due again, so that many accounts do not come at once.

The instants at which an account is read lie on a grid of its interval, shifted by a part of it
that depends on the account's name alone: every process finds the same ones, and no reading drifts.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta

FARTHEST = timedelta(days=2)
"""Nothing is ever put off for longer: what is due later was written by a clock that was ahead."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def phase(name: str, interval: timedelta) -> timedelta:
    """Return by how much the grid of an account is shifted: from zero up to its interval."""
    drawn = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big")
    return _MICROSECOND * (drawn % (interval // _MICROSECOND))


def following(name: str, interval: timedelta, now: datetime, pause: timedelta) -> datetime:
    """Return when to read an account again that was read now and should rest for `pause`.

    It is the next instant of its grid; a pause longer than the interval is kept whole.
    """
    start = _EPOCH + phase(name, interval)
    if pause > interval:
        now += pause - _MICROSECOND
    return start + interval * ((now - start) // interval + 1)


def turn(name: str, interval: timedelta, now: datetime) -> int:
    """Return the number of an account's interval that holds an instant: one more at each reading."""
    return (now - _EPOCH - phase(name, interval)) // interval


def due(at: datetime, now: datetime) -> bool:
    """Tell whether something that is due at an instant is due now, whatever the clock did."""
    return at <= now or at > now + FARTHEST
