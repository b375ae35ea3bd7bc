"""Held: stored usage in memory, asked as the database is asked of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from spendguard.core.estimates import Spender
from spendguard.core.windows import DAY, HOUR, Window, utc_day
from spendguard.pipeline.replay.used import Buckets, StoredUsage
from spendguard.store.usage import MINUTE, QUARTER, place


@dataclass(slots=True)
class Held:
    """The usage of an account, of which a spike may be told by buckets of one width.

    It is asked only about what is over.
    """

    usage: StoredUsage
    width: timedelta
    names: Mapping[tuple[str, str], str]
    _days: dict[datetime, Mapping[Spender, int]] = field(default_factory=dict)
    _used: frozenset[datetime] = field(init=False)  # UTC days, also those that cost nothing

    def __post_init__(self) -> None:
        self._used = frozenset(utc_day(one.at).start for one in self.usage.totals)

    def first_used(self, window: Window, width: timedelta) -> int | None:
        """Return the number of the first bucket with use that begins in a window."""
        first = next((at for at, _ in _spent(self._buckets(width), window, width)), None)
        return None if first is None else place(first, width)

    def by_api_key(
        self, window: Window, width: timedelta, keys: Collection[str] | None = None
    ) -> Mapping[str, Mapping[int, int]]:
        """Return the nanos of the buckets that begin in a window, of each api key or of some."""
        found: dict[str, dict[int, int]] = defaultdict(dict)
        for at, told in _spent(self._buckets(width), window, width):
            number = place(at, width)
            for (_, key, _), nanos in told.items():
                if nanos > 0 and (keys is None or key in keys):
                    found[key][number] = found[key].get(number, 0) + nanos
        return found

    def by_spender(self, window: Window) -> Mapping[Spender, int]:
        """Return what is estimated for the buckets that begin in a window, by who used it."""
        return _sums(told for _, told in _spent(self._buckets(self.width), window, self.width))

    def by_spender_and_days(self, window: Window) -> tuple[Mapping[Spender, int], int]:
        """Return what the UTC days that begin in a window cost by who used it, and how many have any."""
        told, used, day = [], 0, window.start
        while day < window.end:
            if day not in self._days:
                hours = _spent(self.usage.hours, Window(day, day + DAY), HOUR)
                self._days[day] = _sums(told for _, told in hours)
            told.append(self._days[day])
            used += day in self._used
            day += DAY
        return _sums(iter(told)), used

    def dearest(self, window: Window, length: timedelta) -> tuple[datetime | None, int]:
        """Return the first minute known to be used in a window, and its dearest span of a length."""
        spans: dict[int, int] = defaultdict(int)
        first: datetime | None = None
        for at, told in _spent(self.usage.minutes, window, MINUTE):
            first = at if first is None else first
            spans[place(at, length)] += sum(told.values())
        return first, max(spans.values(), default=0)

    def dearest_quarter(self, window: Window) -> int:
        """Return what the dearest quarter of an hour that begins in a window cost."""
        quarters = _spent(self.usage.quarters, window, QUARTER)
        return max((sum(told.values()) for _, told in quarters), default=0)

    def called(self) -> Mapping[tuple[str, str], str]:
        """Return the names of projects, api keys and models, by kind and id."""
        return self.names

    def _buckets(self, width: timedelta) -> Buckets:
        return {MINUTE: self.usage.minutes, QUARTER: self.usage.quarters}.get(
            width, self.usage.hours
        )


def _spent(
    buckets: Buckets, window: Window, width: timedelta
) -> Iterator[tuple[datetime, Mapping[Spender, int]]]:
    """Yield the buckets with use that begin in a window, in order."""
    if len(buckets) * width < window.length:
        yield from (
            (at, told) for at, told in buckets.items() if at in window and any(told.values())
        )
        return
    at = _first(window, width)
    while at < window.end:
        told = buckets.get(at)
        if told and any(told.values()):
            yield at, told
        at += width


def _first(window: Window, width: timedelta) -> datetime:
    midnight = window.start.replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight + -(-(window.start - midnight) // width) * width


def _sums(buckets: Iterator[Mapping[Spender, int]]) -> dict[Spender, int]:
    sums: dict[Spender, int] = defaultdict(int)
    for told in buckets:
        for who, nanos in told.items():
            sums[who] += nanos
    return sums
