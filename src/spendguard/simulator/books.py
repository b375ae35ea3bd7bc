"""The books: what a provider shows of the spend, late at first and corrected afterwards."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta

from spendguard.core.windows import utc_day
from spendguard.core.world import Billing


@dataclass(frozen=True, slots=True, order=True)
class Cell:
    """What a cost is booked on."""

    project: str
    api_key: str
    line_item: str


@dataclass(frozen=True, slots=True)
class _Booking:
    cell: Cell
    nanos: int
    visible_at: datetime


class Books:
    """The costs of each UTC day as they can be seen at an instant, derived from the billing."""

    def __init__(self, billing: Billing, lag: timedelta) -> None:
        self._billing = billing
        self._lag = lag
        self._version = -1
        self._days: dict[datetime, list[_Booking]] = {}

    def day(self, instant: datetime, seen_at: datetime) -> dict[Cell, int]:
        """Return the nanos shown for the UTC day of `instant`; what came to nothing is no row."""
        self._refresh()
        cells: dict[Cell, int] = defaultdict(int)
        for booking in self._days.get(utc_day(instant).start, ()):
            if booking.visible_at <= seen_at:
                cells[booking.cell] += booking.nanos
        return {cell: nanos for cell, nanos in cells.items() if nanos}

    def _refresh(self) -> None:
        if self._version == self._billing.version:
            return
        days: dict[datetime, list[_Booking]] = defaultdict(list)
        for spending, nanos in self._billing.spent():
            cell = Cell(spending.project, spending.api_key, spending.line_item or spending.model)
            late = timedelta(0) if spending.corrects else self._lag
            day = utc_day(spending.booked_for).start
            days[day].append(_Booking(cell, nanos, spending.at + late))
        self._days, self._version = days, self._billing.version
