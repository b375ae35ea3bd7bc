"""Speed: how fast money went by stored usage, by the minute, quarter or hour: the finest there is."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from spendguard.core.spikes import CALM, Pace, looked_back
from spendguard.core.windows import HOUR, Window, utc_day
from spendguard.pipeline.replay.held import Held
from spendguard.pipeline.replay.tempo import Tempo
from spendguard.pipeline.replay.used import Buckets, StoredUsage
from spendguard.pipeline.watch import causes_of, fast, pace_of
from spendguard.store.usage import MINUTE, QUARTER


@dataclass(slots=True)
class Speed:
    """The pace of an account's stored usage, as a guard would have told it that reads at each look."""

    usage: StoredUsage
    called: Mapping[tuple[str, str], str]
    _tempo: Tempo = field(init=False)
    _fine: tuple[tuple[timedelta, _Fine], ...] = field(init=False)
    _held: Mapping[timedelta, Held] = field(init=False)
    _pace: Pace | None = None
    _at: datetime | None = None

    def __post_init__(self) -> None:
        spent = {one.at: one.nanos for one in self.usage.totals}
        begin = utc_day(self.usage.window.start).start
        self._tempo = Tempo(lambda hour: spent.get(hour.start, 0), begin, timedelta(0))
        self._held = {
            width: Held(self.usage, width, self.called) for width in (MINUTE, QUARTER, HOUR)
        }
        self._fine = (
            (MINUTE, _Fine(self.usage.minutes, spent)),
            (QUARTER, _Fine(self.usage.quarters, spent)),
        )

    def pace(self, now: datetime) -> Pace | None:
        """Return how fast money went until now; None for want of history."""
        if now != self._at:
            self._pace, self._at = self._told(now), now
        return self._pace

    def _told(self, now: datetime) -> Pace | None:
        for width, fine in self._fine:
            used = fine.before(now, width)
            if used is not None:
                return self._by(used, width, now)
        pace = self._tempo.pace(now)
        if pace is None or not pace.moments:
            return pace
        worst = max(pace.moments, key=lambda one: one.hour)
        if not fast(worst):
            return pace
        hour = Window(worst.at - HOUR, worst.at)
        causes = causes_of(self._held[HOUR], hour, looked_back(now, self.usage.window.start))
        return replace(pace, causes=causes)

    def _by(self, used: Mapping[datetime, int], width: timedelta, now: datetime) -> Pace | None:
        if not used:
            return Pace(())
        usual = self._tempo.usual(now)
        if usual is None:
            return None
        return pace_of(
            self._held[width],
            used,
            usual,
            now,
            width=width,
            window=looked_back(now, self.usage.window.start),
        )


class _Fine:
    """Buckets finer than an hour, of the hours that they tell the whole of."""

    def __init__(self, buckets: Buckets, spent: Mapping[datetime, int]) -> None:
        self._by_hour: dict[datetime, dict[datetime, int]] = defaultdict(dict)
        for at in buckets:
            hour = at.replace(minute=0, second=0, microsecond=0)
            self._by_hour[hour][at] = _sum(buckets, at)
        self._spent = spent

    def before(self, now: datetime, width: timedelta) -> dict[datetime, int] | None:
        """Return what was spent in the last hours, by bucket; None where they do not tell it all."""
        found: dict[datetime, int] = {}
        hour = (now - CALM - HOUR).replace(minute=0, second=0, microsecond=0)
        while hour < now:
            told = self._by_hour.get(hour, {})
            if sum(told.values()) != self._spent.get(hour, 0):
                return None
            found |= told
            hour += HOUR
        start = now - CALM - HOUR
        return {
            at: nanos
            for at, nanos in found.items()
            if nanos > 0 and start <= at and at + width <= now
        }


def _sum(buckets: Buckets, at: datetime) -> int:
    return sum(buckets[at].values())
