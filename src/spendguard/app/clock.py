"""The only clock: everything else takes `now` as an argument."""

from __future__ import annotations

from datetime import UTC, datetime


def utc_now() -> datetime:
    """Return the present instant."""
    return datetime.now(UTC)
