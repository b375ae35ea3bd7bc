"""Costs: UTC day buckets, grouped as asked, page by page."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime
from decimal import Decimal
from typing import Any

from spendguard.core.windows import DAY
from spendguard.simulator.books import Cell
from spendguard.simulator.buckets import Width, groups, page
from spendguard.simulator.wire import Request, invalid
from spendguard.simulator.world import World

FIELDS = {"project_id": "project", "api_key_id": "api_key", "line_item": "line_item"}
FILTERS = {"project_ids": "project", "api_key_ids": "api_key", "line_items": "line_item"}
DAYS = Width(DAY, 7, 180)


def costs(world: World, request: Request) -> dict[str, Any]:
    """Answer `GET /organization/costs`; the day that is not over is a bucket that still grows."""
    if request.one("bucket_width") not in (None, "1d"):
        raise invalid("Invalid value for 'bucket_width': only '1d' is supported.", "bucket_width")
    asked = groups(request, FIELDS)
    return page(
        request, DAYS, world.now, lambda window: _results(world, window.start, asked, request)
    )


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
