"""Costs: UTC day buckets, grouped as asked, page by page."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections import defaultdict
from collections.abc import Collection
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from spendguard.core.windows import DAY, utc_day
from spendguard.simulator.books import Cell
from spendguard.simulator.wire import Request, invalid
from spendguard.simulator.world import World

FIELDS = {"project_id": "project", "api_key_id": "api_key", "line_item": "line_item"}
FILTERS = {"project_ids": "project", "api_key_ids": "api_key", "line_items": "line_item"}
MOST = 180


def costs(world: World, request: Request) -> dict[str, Any]:
    """Answer `GET /organization/costs`; the day that is not over is a bucket that still grows."""
    if request.one("bucket_width") not in (None, "1d"):
        raise invalid("Invalid value for 'bucket_width': only '1d' is supported.", "bucket_width")
    groups = _groups(request)
    limit = request.number("limit", 7)
    if not 1 <= limit <= MOST:
        raise invalid(f"Invalid value for 'limit': must be between 1 and {MOST}.", "limit")
    start, end = _span(world, request)
    days = [start + DAY * n for n in range(max(0, -((start - end) // DAY)))]
    return {
        "object": "page",
        "data": [_bucket(world, day, groups, request) for day in days[:limit]],
        "has_more": len(days) > limit,
        "next_page": _cursor(days[limit]) if len(days) > limit else None,
    }


def _groups(request: Request) -> Collection[str]:
    groups = set(request.many("group_by"))
    if not groups <= FIELDS.keys():
        raise invalid("Invalid value for 'group_by'.", "group_by")
    return groups


def _span(world: World, request: Request) -> tuple[datetime, datetime]:
    asked = _instant(request.number("start_time"), "start_time")
    now = world.now
    end = _instant(request.number("end_time", int(now.timestamp())), "end_time")
    if request.one("end_time") and end <= asked:
        raise invalid("'end_time' must be after 'start_time'.", "end_time")
    page = request.one("page")
    start = utc_day(asked).start if page is None else _resumed(page)
    return start, min(end, utc_day(now).end)


def _instant(seconds: int, name: str) -> datetime:
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):
        raise invalid(f"Invalid value for '{name}'.", name) from None


def _cursor(day: datetime) -> str:
    return "page_" + urlsafe_b64encode(str(int(day.timestamp())).encode()).decode()


def _resumed(page: str) -> datetime:
    try:
        seconds = int(urlsafe_b64decode(page.removeprefix("page_")))
    except ValueError:
        raise invalid("Invalid value for 'page'.", "page") from None
    return _instant(seconds, "page")


def _bucket(
    world: World, day: datetime, groups: Collection[str], request: Request
) -> dict[str, Any]:
    return {
        "object": "bucket",
        "start_time": int(day.timestamp()),
        "end_time": int((day + DAY).timestamp()),
        "results": _results(world, day, groups, request),
    }


def _results(
    world: World, day: datetime, groups: Collection[str], request: Request
) -> list[dict[str, Any]]:
    wanted = {part: request.many(name) for name, part in FILTERS.items()}
    sums: dict[Cell, int] = defaultdict(int)
    for cell, nanos in world.booked(day).items():
        if all(not ids or getattr(cell, part) in ids for part, ids in wanted.items()):
            sums[_grouped(cell, groups)] += nanos
    currency = world.billing.terms.currency.lower()
    return [_result(cell, nanos, currency) for cell, nanos in sorted(sums.items())]


def _grouped(cell: Cell, groups: Collection[str]) -> Cell:
    kept = {part: getattr(cell, part) if name in groups else "" for name, part in FIELDS.items()}
    return Cell(**kept)


def _result(cell: Cell, nanos: int, currency: str) -> dict[str, Any]:
    return {
        "object": "organization.costs.result",
        "amount": {"value": dollars(nanos), "currency": currency},
        "line_item": cell.line_item or None,
        "project_id": cell.project or None,
        "api_key_id": cell.api_key or None,
        "quantity": None,
        "quantity_unit": None,
    }


def dollars(nanos: int) -> Decimal:
    """Return nanos in whole units, without digits that say nothing."""
    return Decimal(nanos).scaleb(-9).normalize()
