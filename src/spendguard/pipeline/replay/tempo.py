"""Tempo: how fast money went, hour by hour, as a replay comes to see it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from spendguard.core.spikes import CALM, LOOK_BACK, RECENT, Moment, Pace, Usual
from spendguard.core.windows import DAY, HOUR, Window

A_DAY = DAY // HOUR


@dataclass(slots=True)
class Tempo:
    """The hours of an account from a UTC midnight on, each seen whole, `lag` after its end.

    A live guard sees minutes; a trace has rows of any width, so an hour is the finest that can be
    told of every one.
    """

    caused: Callable[[Window], int]
    begin: datetime
    lag: timedelta
    _nanos: list[int] = field(default_factory=list)
    _dearest: list[int] = field(default_factory=list)  # hour of each UTC day so far
    _hours: dict[datetime, int] = field(default_factory=dict)
    _pace: Pace | None = None
    _until: datetime | None = None

    def pace(self, now: datetime) -> Pace | None:
        """Return the pace of the hours that are seen; None for want of history.

        A moment's instant is when it is seen, so that two hours of calm are two hours to the guard.
        """
        until = self._seen_until(now)
        if until != self._until:
            self._see(until)
            self._pace, self._until = self._told(until), until
        return self._pace

    def usual(self, now: datetime) -> Usual | None:
        """Return what is usual by the hours that are seen; None for want of history."""
        until = self._seen_until(now)
        self._see(until)
        return self._usual(until)

    def _seen_until(self, now: datetime) -> datetime:
        return (now - self.lag).replace(minute=0, second=0, microsecond=0)

    def _see(self, until: datetime) -> None:
        start = self.begin + HOUR * len(self._nanos)
        while start + HOUR <= until:
            nanos = self.caused(Window(start, start + HOUR))
            if len(self._nanos) % A_DAY == 0:
                self._dearest.append(nanos)
            self._dearest[-1] = max(self._dearest[-1], nanos)
            self._nanos.append(nanos)
            self._hours[start] = nanos
            start += HOUR

    def _told(self, until: datetime) -> Pace | None:
        ends = [until - HOUR * back for back in range(CALM // HOUR, -1, -1)]
        spent = [(end, self._hours.get(end - HOUR, 0)) for end in ends]
        if not any(nanos for _, nanos in spent):
            return Pace(())
        usual = self._usual(until)
        if usual is None:
            return None
        return Pace(tuple(Moment(end + self.lag, one, 0, usual.hour(end)) for end, one in spent))

    def _usual(self, until: datetime) -> Usual | None:
        window = Window(until - LOOK_BACK - RECENT, until - RECENT)
        return Usual.of_peaks([*self._peaks(window)], self._hours, window)

    def _peaks(self, window: Window) -> Iterator[int]:
        """Yield the dearest hour of each UTC day since the first use in the window."""
        first = max((window.start - self.begin) // HOUR, 0)
        last = max((window.end - self.begin) // HOUR, 0)
        while first < last and not self._nanos[first]:
            first += 1
        if first >= last:
            return
        for day in range(first // A_DAY * A_DAY, last, A_DAY):
            begin, end = max(day, first), min(day + A_DAY, last)
            whole = end - begin == A_DAY
            yield self._dearest[day // A_DAY] if whole else max(self._nanos[begin:end])
