"""Speed: how fast money went by stored usage, by the minute, quarter or hour: the finest there is."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from spendguard.core.estimates import Spender
from spendguard.core.spikes import BURST, CALM, LOOK_BACK, RECENT, Cause, Pace
from spendguard.core.windows import DAY, HOUR, Window, utc_day
from spendguard.pipeline.replay.tempo import Tempo
from spendguard.pipeline.replay.used import Buckets, StoredUsage
from spendguard.pipeline.rush import KNOWN, history, weeks
from spendguard.pipeline.watch import causes_of, fast, pace_of
from spendguard.store.usage import MINUTE, QUARTER

Called = Mapping[tuple[str, str], str]


@dataclass(slots=True)
class Speed:
    """The pace of an account's stored usage, as a guard would have told it that reads at each look."""

    usage: StoredUsage
    called: Called
    _tempo: Tempo = field(init=False)
    _fine: tuple[tuple[timedelta, _Fine], ...] = field(init=False)
    _means: dict[datetime, Mapping[Spender, int]] = field(default_factory=dict)
    _pace: Pace | None = None
    _at: datetime | None = None

    def __post_init__(self) -> None:
        spent = {one.at: one.nanos for one in self.usage.totals}
        begin = utc_day(self.usage.window.start).start
        self._tempo = Tempo(lambda hour: spent.get(hour.start, 0), begin, timedelta(0))
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
        return replace(pace, causes=self._causes(worst.at, HOUR, now)) if fast(worst) else pace

    def _by(self, used: Mapping[datetime, int], width: timedelta, now: datetime) -> Pace | None:
        if not used:
            return Pace(())
        usual = self._tempo.usual(now)
        if usual is None:
            return None
        return pace_of(
            used,
            usual,
            now,
            width=width,
            causes=lambda at: self._causes(at, width, now),
            dearest=lambda: self._dearest(now),
            dearest_quarter=lambda: self._dearest_quarter(now),
        )

    def _known(self, days: Window) -> list[datetime]:
        """Return the minutes of days of which enough is known, none where it is not."""
        known = [at for at in self.usage.minutes if at in days]
        return known if known and days.end - min(known) >= KNOWN else []

    def _dearest_quarter(self, now: datetime) -> int | None:
        """Return what the dearest quarter-hour of the weeks before cost, as the live guard tells it."""
        days = history(now, CALM)
        if not self._known(days):
            return None
        quarters = self.usage.quarters
        return max((_sum(quarters, at) for at in quarters if at in weeks(days)), default=0)

    def _dearest(self, now: datetime) -> int | None:
        """Return what the dearest five minutes of the days before cost, as the live guard tells it."""
        days, spans = history(now, CALM), defaultdict[int, int](int)
        known = self._known(days)
        if not known:
            return None
        for at in known:
            spans[int(at.timestamp()) // int(BURST.total_seconds())] += _sum(self.usage.minutes, at)
        return max(spans.values())

    def _causes(self, at: datetime, width: timedelta, now: datetime) -> tuple[Cause, ...]:
        """Return who spent the hour before an instant, held against the mean hour before it all."""
        buckets = {MINUTE: self.usage.minutes, QUARTER: self.usage.quarters}.get(
            width, self.usage.hours
        )
        spent: dict[Spender, int] = defaultdict(int)
        start = at - HOUR
        for n in range(HOUR // width):
            for who, nanos in buckets.get(start + width * n, {}).items():
                spent[who] += nanos
        since = max(now - LOOK_BACK - RECENT, self.usage.window.start)
        return causes_of(spent, self._mean_hour(Window(since, now - RECENT)), self.called)

    def _mean_hour(self, window: Window) -> dict[Spender, int]:
        sums: dict[Spender, int] = defaultdict(int)
        day, days = utc_day(window.start).start, 0
        while day < window.end:
            told = self._day(day)
            days += bool(told)
            for who, nanos in told.items():
                sums[who] += nanos
            day += DAY
        return {who: nanos // (max(days, 1) * 24) for who, nanos in sums.items()}

    def _day(self, day: datetime) -> Mapping[Spender, int]:
        if day not in self._means:
            sums: dict[Spender, int] = defaultdict(int)
            for n in range(DAY // HOUR):
                for who, nanos in self.usage.hours.get(day + HOUR * n, {}).items():
                    sums[who] += nanos
            self._means[day] = sums
        return self._means[day]


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
