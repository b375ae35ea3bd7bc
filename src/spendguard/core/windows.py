"""Windows: half-open intervals [start, end) of UTC instants, with calendar edges in a zone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from enum import StrEnum
from functools import lru_cache

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


class Unit(StrEnum):
    """A calendar unit that windows tile time with."""

    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"


class Window(tuple[datetime, datetime]):
    """The instants from `start` up to, not including, `end`. A pair: it is loaded by every command."""

    __slots__ = ()

    def __new__(cls, start: datetime, end: datetime) -> Window:
        """Return the window between two instants."""
        return tuple.__new__(cls, (start, end))

    def __getnewargs__(self) -> tuple[datetime, datetime]:
        return self[0], self[1]

    def __repr__(self) -> str:
        return f"Window({self.start.isoformat()}, {self.end.isoformat()})"

    @property
    def start(self) -> datetime:
        """The first instant in it."""
        return self[0]

    @property
    def end(self) -> datetime:
        """The first instant after it."""
        return self[1]

    @property
    def length(self) -> timedelta:
        """How long the window is."""
        return self.end - self.start

    def __contains__(self, instant: object) -> bool:
        return isinstance(instant, datetime) and self[0] <= instant < self[1]

    def overlap(self, other: Window) -> Window | None:
        """Return the part both have in common, None when there is none."""
        start, end = max(self.start, other.start), min(self.end, other.end)
        return Window(start, end) if start < end else None


def zone_named(name: str) -> tzinfo:
    """Return a zone of the IANA database; UTC needs no table.

    Raises:
        KeyError: when there is no such zone.
        ValueError: when it is no name of a zone.
    """
    if name == "UTC":
        return UTC
    from zoneinfo import ZoneInfo

    return ZoneInfo(name)


def utc_day(instant: datetime) -> Window:
    """Return the UTC day that holds `instant`."""
    start = instant.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return Window(start, start + DAY)


def utc_month(instant: datetime) -> Window:
    """Return the UTC month that holds `instant`: that of providers' own limits."""
    day = instant.astimezone(UTC)
    return _utc_month(day.year, day.month)


@lru_cache(maxsize=32)
def _utc_month(year: int, month: int) -> Window:
    return calendar_window(datetime(year, month, 1, tzinfo=UTC), Unit.MONTH, UTC)


def a_year_after(instant: datetime) -> datetime:
    """Return the same date a year later; 1 March where that year has no 29 February."""
    try:
        return instant.replace(year=instant.year + 1)
    except ValueError:
        return instant.replace(year=instant.year + 1, month=3, day=1)


def midnight(day: date, zone: tzinfo) -> datetime:
    """Return the first instant of a local day, also where midnight itself does not exist."""
    return datetime.combine(day, time(), zone).astimezone(UTC)


def calendar_window(instant: datetime, unit: Unit, zone: tzinfo) -> Window:
    """Return the hour, day, ISO week or month of `zone` that holds `instant`."""
    if unit is Unit.HOUR:
        return _hour_window(instant, zone)
    today = instant.astimezone(zone).date()
    if unit is Unit.DAY:
        first, after = today, today + DAY
    elif unit is Unit.WEEK:
        first = today - timedelta(days=today.weekday())
        after = first + timedelta(days=7)
    else:
        first = today.replace(day=1)
        after = (first + timedelta(days=31)).replace(day=1)
    return Window(midnight(first, zone), midnight(after, zone))


def _hour_after(start: datetime, zone: tzinfo) -> datetime:
    local = start.astimezone(zone)
    past = timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
    return start + HOUR - past


def _hour_window(instant: datetime, zone: tzinfo) -> Window:
    local = instant.astimezone(zone)
    past = timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
    start = instant.astimezone(UTC) - past
    if _hour_after(start, zone) <= instant:  # a shift of half an hour lies between
        start = _hour_after(start, zone)
    return Window(start, _hour_after(start, zone))


def tile(span: Window, unit: Unit, zone: tzinfo) -> Iterator[Window]:
    """Yield the calendar windows that cover `span`, the first and last cut to it."""
    start = span.start
    while start < span.end:
        window = calendar_window(start, unit, zone)
        yield Window(start, min(window.end, span.end))
        start = window.end


def share(nanos: int, span: Window, part: Window) -> int:
    """Return what falls on `part` of an amount spread evenly over `span`, to the nano.

    Parts that tile the span sum to the amount exactly, whatever their number.
    """
    common = span.overlap(part)
    if common is None:
        return 0
    unit = timedelta(microseconds=1)
    whole = span.length // unit

    def until(instant: datetime) -> int:
        return nanos * ((instant - span.start) // unit) // whole

    return until(common.end) - until(common.start)
