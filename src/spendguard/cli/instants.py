"""Instants as people type them: RFC 3339, a date, `now`, and durations back from now."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, tzinfo

from spendguard.core.durations import parse_duration
from spendguard.core.errors import UsageError
from spendguard.core.windows import DAY, midnight

Typed = datetime | date | timedelta  # a date is not an instant before the zone is known
NOW = timedelta(0)
AHEAD = timedelta(seconds=60)  # clocks differ a little
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
_DATE = r"(?a)\d{4}-\d\d-\d\d\Z"
_INSTANT = r"(?ai)\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)?\Z"


def read_instant(text: str) -> Typed:
    """Read an RFC 3339 instant, a date, or `now`.

    Raises:
        ValueError: for anything else, for an instant without an offset, or before the year 2000.
    """
    if text == "now":
        return NOW
    if re.match(_DATE, text):
        return read_date(text)
    match = re.match(_INSTANT, text)
    if match is None:
        raise ValueError("not an instant such as 2026-11-20T14:00:00Z, a date, or now")
    if match[3] is None:
        raise ValueError("without an offset, such as Z or +08:00")
    try:
        instant = datetime.fromisoformat(text.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError("not an instant of any calendar") from None
    if instant < EARLIEST:
        raise ValueError("before the year 2000")
    return instant


def read_instant_or_ago(text: str) -> Typed:
    """Read what `read_instant` does, or a duration back from now such as 30d.

    Raises:
        ValueError: for anything else.
    """
    try:
        return parse_duration(text)
    except ValueError as error:
        if "longer" in str(error):
            raise
    try:
        return read_instant(text)
    except ValueError as error:
        if str(error).startswith("not an instant such"):
            raise ValueError("not an instant, a date, now, or a duration such as 30d") from None
        raise


def read_date(text: str) -> date:
    """Read a date.

    Raises:
        ValueError: when it is none of the calendar from 2000 on.
    """
    try:
        day = date.fromisoformat(text) if re.match(_DATE, text) else None
    except ValueError:
        day = None
    if day is None:
        raise ValueError("not a date such as 2026-11-20")
    if not EARLIEST.date() <= day < date.max - DAY:
        raise ValueError("before the year 2000, or beyond the calendar")
    return day


def resolve(typed: Typed, option: str, zone: tzinfo, now: datetime) -> datetime:
    """Return the instant that was meant; a date is its first instant in the zone.

    Raises:
        UsageError: when it is more than a minute in the future.
    """
    if isinstance(typed, timedelta):
        return now - typed
    instant = typed if isinstance(typed, datetime) else midnight(typed, zone)
    if instant > now + AHEAD:
        raise UsageError(
            f"{option} {instant.isoformat()} is in the future", "give an instant that has passed"
        )
    return instant


def end_of(day: date, zone: tzinfo) -> datetime:
    """Return the first instant after a date."""
    return midnight(day + DAY, zone)


def rfc3339(instant: datetime) -> str:
    """Write an instant as JSON has it: RFC 3339 in UTC."""
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")


def rfc3339_text(stored: str | None) -> str | None:
    """Write an instant that an evaluation stored as JSON has it."""
    return None if stored is None else rfc3339(datetime.fromisoformat(stored))
