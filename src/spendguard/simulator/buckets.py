"""Buckets: a span of time as it was asked for, cut into buckets and pages."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from spendguard.core.windows import Window
from spendguard.simulator.wire import Request, invalid

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Results = Callable[[Window], list[dict[str, Any]]]


@dataclass(frozen=True, slots=True)
class Width:
    """How long a bucket is, and how many of them a page holds: usually and at most."""

    length: timedelta
    usual: int
    most: int

    def before(self, instant: datetime) -> datetime:
        """Return the beginning of the bucket that holds an instant."""
        return instant - (instant - EPOCH) % self.length


def page(request: Request, width: Width, now: datetime, results: Results) -> dict[str, Any]:
    """Answer with a page of buckets; the one that is not over is told as far as it got.

    Raises:
        ApiError: when the span or the limit that was asked for is none.
    """
    limit = request.number("limit", width.usual)
    if not 1 <= limit <= width.most:
        raise invalid(f"Invalid value for 'limit': must be between 1 and {width.most}.", "limit")
    start, end = _span(request, width, now)
    count = max(0, -((start - end) // width.length))
    starts = [start + width.length * n for n in range(min(count, limit))]
    more = count > limit
    return {
        "object": "page",
        "data": [_bucket(Window(one, one + width.length), results) for one in starts],
        "has_more": more,
        "next_page": _cursor(start + width.length * limit) if more else None,
    }


def groups(request: Request, known: Collection[str]) -> set[str]:
    """Return what the results are to be told apart by.

    Raises:
        ApiError: for something that they cannot be told apart by.
    """
    asked = set(request.many("group_by"))
    if not asked <= set(known):
        raise invalid("Invalid value for 'group_by'.", "group_by")
    return asked


def _bucket(window: Window, results: Results) -> dict[str, Any]:
    return {
        "object": "bucket",
        "start_time": int(window.start.timestamp()),
        "end_time": int(window.end.timestamp()),
        "results": results(window),
    }


def _span(request: Request, width: Width, now: datetime) -> tuple[datetime, datetime]:
    asked = _instant(request.number("start_time"), "start_time")
    end = _instant(request.number("end_time", int(now.timestamp())), "end_time")
    if request.one("end_time") and end <= asked:
        raise invalid("'end_time' must be after 'start_time'.", "end_time")
    cursor = request.one("page")
    start = width.before(asked) if cursor is None else _resumed(cursor)
    return start, min(end, width.before(now) + width.length)


def _instant(seconds: int, name: str) -> datetime:
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):
        raise invalid(f"Invalid value for '{name}'.", name) from None


def _cursor(start: datetime) -> str:
    return "page_" + urlsafe_b64encode(str(int(start.timestamp())).encode()).decode()


def _resumed(cursor: str) -> datetime:
    try:
        seconds = int(urlsafe_b64decode(cursor.removeprefix("page_")))
    except ValueError:
        raise invalid("Invalid value for 'page'.", "page") from None
    return _instant(seconds, "page")
