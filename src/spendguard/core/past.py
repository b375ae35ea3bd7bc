"""Past: what was spent, window after window, kept in columns so that a year of looks is cheap."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import overload

from spendguard.core.forecasts import Spent
from spendguard.core.windows import HOUR, Window

_HOUR = HOUR.total_seconds()


class Past(Sequence[Spent]):
    """Windows of spend in the order of time: a sequence of `Spent` that grows at its end."""

    __slots__ = ("begin", "end", "estimated", "nanos")

    def __init__(self) -> None:
        """Begin with nothing."""
        self.begin = array("d")
        """Where each window starts, in seconds since 1970."""
        self.end = array("d")
        self.nanos = array("q")
        self.estimated = array("b")

    @classmethod
    def of(cls, spent: Iterable[Spent]) -> Past:
        """Return windows that come in any order, and in any zone, as columns."""
        told = sorted(
            [
                (one.window[0].timestamp(), one.window[1].timestamp(), one.nanos, one.estimated)
                for one in spent
            ]
        )
        past = cls()
        past.begin.extend([begin for begin, _, _, _ in told])
        past.end.extend([end for _, end, _, _ in told])
        past.nanos.extend([nanos for _, _, nanos, _ in told])
        past.estimated.extend([estimated for _, _, _, estimated in told])
        return past

    def append(self, one: Spent) -> None:
        """Add the window that comes next."""
        begin, end = one.window.start.timestamp(), one.window.end.timestamp()
        if self.end and begin < self.end[-1]:
            raise ValueError("a window that begins before the last one ends")
        self.begin.append(begin)
        self.end.append(end)
        self.nanos.append(one.nanos)
        self.estimated.append(one.estimated)

    def append_hours(self, start: datetime, nanos: Sequence[int], *, estimated: bool) -> None:
        """Add hours that follow one another, the first of which begins at an instant."""
        begin = start.timestamp()
        if self.end and begin < self.end[-1]:
            raise ValueError("an hour that begins before the last window ends")
        self.begin.extend([begin + _HOUR * place for place in range(len(nanos))])
        self.end.extend([begin + _HOUR * (place + 1) for place in range(len(nanos))])
        self.nanos.extend(nanos)
        self.estimated.extend([estimated] * len(nanos))

    def window(self, first: int = 0, last: int = -1) -> Window:
        """Return the instants from the start of one window to the end of another."""
        start, end = self.begin[first], self.end[last]
        return Window(datetime.fromtimestamp(start, UTC), datetime.fromtimestamp(end, UTC))

    def __len__(self) -> int:
        return len(self.nanos)

    @overload
    def __getitem__(self, place: int) -> Spent: ...

    @overload
    def __getitem__(self, place: slice) -> Past: ...

    def __getitem__(self, place: int | slice) -> Spent | Past:
        if isinstance(place, int):
            window = self.window(place, place)
            return Spent(window, self.nanos[place], bool(self.estimated[place]))
        part = Past()
        for name in Past.__slots__:
            setattr(part, name, getattr(self, name)[place])
        return part

    def __delitem__(self, place: slice) -> None:
        for name in Past.__slots__:
            del getattr(self, name)[place]

    def __add__(self, later: Past) -> Past:
        both = self[:]
        for name in Past.__slots__:
            getattr(both, name).extend(getattr(later, name))
        return both
