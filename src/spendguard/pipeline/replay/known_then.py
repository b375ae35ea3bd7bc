"""Known then: the view on an account's stored history, each figure from when it was known."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import accumulate

from spendguard.core import estimates
from spendguard.core.accounts import Budget
from spendguard.core.estimates import first_unsettled
from spendguard.core.facts import NewSpender, UnpricedUse, UsageFacts
from spendguard.core.forecasts import Spent
from spendguard.core.ledger import DaySpend, Entry, Kind, Split, latest_checkpoint
from spendguard.core.money import Money
from spendguard.core.past import Past
from spendguard.core.spread import SETTLES
from spendguard.core.windows import DAY, HOUR, Window, utc_day
from spendguard.pipeline.estimated import BEHIND, LATE
from spendguard.pipeline.estimated import BY_HOUR as USED_BACK
from spendguard.pipeline.foresight import RHYTHM, past_until
from spendguard.pipeline.known import LOOK_BACK
from spendguard.pipeline.replay.costs_only import CostsOnly
from spendguard.pipeline.replay.day_then import DayThen, Holds, by_spender
from spendguard.pipeline.replay.speed import Speed
from spendguard.pipeline.replay.stored import DayRead, Stored
from spendguard.pipeline.replay.used import Buckets, StoredUsage
from spendguard.pipeline.watch import COMPARED_DAYS, NEW_FOR, UNPRICED_DAYS, compared
from spendguard.store.spenders import Newcomer
from spendguard.store.usage import Used

SETTLING = DAY * 4  # so long after a checkpoint costs of the days before it may be booked


@dataclass(slots=True)
class KnownThen(CostsOnly):
    """The view on an account's stored cost and usage. Ask it in the order of time."""

    stored: Stored
    lag: timedelta
    _finals: list[datetime] = field(default_factory=list)
    _ends: list[datetime] = field(default_factory=list)
    _later: list[tuple[datetime, datetime]] = field(default_factory=list)
    _by_start: Mapping[datetime, DayRead] = field(default_factory=dict)
    _uncosted: list[datetime] = field(default_factory=list)  # days of use without any of cost
    _speed: Speed | None = None
    _days: dict[datetime, DayThen] = field(default_factory=dict)
    _settled: dict[tuple[str, datetime], DaySpend] = field(default_factory=dict)
    _late_in_all: dict[datetime, Money] = field(default_factory=dict)  # when no more can come
    _past: Past = field(default_factory=Past)
    _past_of: tuple[datetime, datetime] | None = None

    def __post_init__(self) -> None:
        days = self.stored.days
        self._by_start = {one.day.start: one for one in days}
        self._ends = [one.day.end for one in days]
        told = [
            (at, utc_day(line.statement.at).start)
            for line in self.stored.lines
            for at in line.changes
        ]
        first: datetime | None = None
        for at, day in sorted(told, reverse=True):
            first = day if first is None else min(first, day)
            self._later.append((at, first))
        self._later.reverse()
        self._finals = [*accumulate(map(self._final_at, days), max)]
        if self.stored.usage is not None:
            self._speed = Speed(self.stored.usage, self.stored.called)
            used = {utc_day(one.at).start for one in self.stored.usage.totals if one.nanos}
            self._uncosted = sorted(used - self._by_start.keys())

    def _final_at(self, one: DayRead) -> datetime:
        """Return from when on a day says what it says now; an estimate beside it is dropped late."""
        at, usage = one.final_at(self.lag), self.stored.usage
        if usage is None or not one.hours:
            return at
        used: dict[tuple[str, str, str], int] = {}
        for n in range(DAY // HOUR):
            for who, nanos in usage.billed.get(one.day.start + HOUR * n, {}).items():
                used[who] = used.get(who, 0) + nanos
        bill = by_spender(self.stored.parts.get(one.day.start, {}).items())
        divided = any(one.day.start < at < one.day.end for at in self._stated())
        waits = divided or any(estimates.unbooked(used, bill).values())
        return max(at, one.day.end + SETTLES) if waits else at

    def _stated(self) -> Iterator[datetime]:
        return (
            line.statement.at
            for line in self.stored.lines
            if line.statement.kind is Kind.CHECKPOINT
        )

    def booked(self, day: Window, now: datetime) -> int:
        """Return the nanos that were known of a day."""
        known = self._by_start.get(day.start)
        return 0 if known is None else known.known(now, self.lag)

    def beyond(self, day: Window, now: datetime) -> tuple[int, tuple[int, ...]]:
        """Return what usage told of a day above what was booked, and how its hours went."""
        if not self._used(day):
            return 0, ()
        then = self._then(day.start, now)
        return then.unbooked(), then.by_hour()

    def _used(self, day: Window) -> bool:
        usage = self.stored.usage
        return usage is not None and usage.window.start < day.end

    def _then(self, start: datetime, now: datetime) -> DayThen:
        found = self._days.get(start)
        if found is None:
            found = self._days[start] = self._begin(start)
        return found.look(now)

    def _begin(self, start: datetime) -> DayThen:
        usage, day = self.stored.usage, Window(start, start + DAY)
        read = self._by_start.get(start) or DayRead(
            day, 0, start, hours=() if usage is None else usage.by_hour(start)
        )
        hours = () if usage is None else [usage.billed.get(start + HOUR * n, {}) for n in range(24)]
        parts, changes = self.stored.parts.get(start, {}), self.stored.changes.get(start, ())
        return DayThen(read, parts, changes, hours, self.lag)

    def settled(self, now: datetime) -> datetime:
        """Return the midnight before which neither costs nor ledger change any more."""
        place = bisect_right(self._finals, now)
        days = self.stored.days
        midnight = days[place].day.start if place < len(days) else utc_day(now).start
        estimated = bisect_right(self._uncosted, now - DAY - SETTLES)
        midnight = min([midnight, *self._uncosted[estimated : estimated + 1]])
        later = bisect_right(self._later, now, key=lambda one: one[0])
        return min(midnight, self._later[later][1]) if later < len(self._later) else midnight

    def since(self, start: datetime, now: datetime) -> int:
        """Return what was known of the days from an instant on."""
        first = bisect_left(self._ends, start + DAY)
        return sum(
            one.known(now, self.lag) for one in self.stored.days[first:] if one.day.start <= now
        )

    def spent(self, now: datetime) -> Sequence[Spent] | None:
        """Return what was known of the last weeks, by the hour where usage tells; None without any."""
        usage, today = self.reading(now), utc_day(now).start
        if usage is None:
            return None
        settled = min(self.settled(now), today)
        first = max(today - LOOK_BACK, self.stored.days[0].day.start if self.stored.days else today)
        if (settled, today) != self._past_of:
            self._past_of = (settled, today)
            self._past = self._past_over(first, settled, now)
        return self._past + self._past_over(max(first, settled), today + DAY, now)

    def _past_over(self, start: datetime, end: datetime, now: datetime) -> Past:
        days = [*self._known(start, end, now)]
        since = utc_day(now).start - RHYTHM
        return past_until(
            days, now, {one.day.start: one.hours for one in days if one.day.start >= since}
        )

    def _known(self, start: datetime, end: datetime, now: datetime) -> Iterator[DaySpend]:
        while start < end:
            day = Window(start, start + DAY)
            booked = Money(self.booked(day, now), self.stored.currency)
            yield DaySpend(day, booked, *self.beyond(day, now))
            start = day.end

    def reading(self, now: datetime) -> StoredUsage | None:
        """Return the usage while it was read; None before and after."""
        usage = self.stored.usage
        read = usage is not None and usage.window.start <= now <= usage.window.end + BEHIND
        return usage if read else None

    def used(self, now: datetime) -> list[Used] | None:
        """Return the hours of the last days in which something was used; None while none is read."""
        usage = self.reading(now)
        if usage is None:
            return None
        start = utc_day(now - USED_BACK).start
        first = bisect_left(usage.totals, start, key=lambda one: one.at)
        last = bisect_right(usage.totals, now - HOUR, key=lambda one: one.at)
        return [one for one in usage.totals[first:last] if one.requests or one.nanos]

    def usage(self, now: datetime) -> UsageFacts | None:
        """Return what usage told; None while none is read."""
        usage = self.reading(now)
        if usage is None or self._speed is None:
            return None
        asked = usage.asked(now - UNPRICED_DAYS, now)
        until = first_unsettled(now).start
        first, last = (
            bisect_left(usage.settled, at, key=lambda one: one.day)
            for at in (until - COMPARED_DAYS, until)
        )
        return UsageFacts(
            now,
            self._speed.pace(now),
            sum(requests for requests, _ in asked.values()),
            tuple(UnpricedUse(model, some) for model, (_, some) in sorted(asked.items()) if some),
            tuple(compared(one, self.stored.currency) for one in usage.settled[first:last]),
        )

    def unpriced(self, since: datetime, now: datetime) -> int:
        """Return how many requests since an instant's UTC day have no price."""
        usage = self.stored.usage
        return 0 if usage is None else sum(some for _, some in usage.asked(since, now).values())

    def newcomers(self, now: datetime) -> tuple[NewSpender, ...]:
        """Return the api keys and models first seen in the last week, with the dearest day of each."""
        usage = self.stored.usage
        new = () if usage is None else usage.newcomers
        return tuple(self._new(one, now) for one in new if now - NEW_FOR < one.first_seen_at <= now)

    def _new(self, one: Newcomer, now: datetime) -> NewSpender:
        def holds(_project: str, key: str, model: str) -> bool:
            return one.id == (key if one.kind == "api_key" else model)

        start, days = utc_day(one.first_seen_at - DAY).start, []
        while start <= now:
            spent = self._then(start, now).of(holds, self.stored.currency)
            days.append((spent.known.nanos, start))
            start += DAY
        nanos, day = max(days)
        name = self.stored.called.get((one.kind, one.id), "")
        amount = Money(nanos, self.stored.currency)
        return NewSpender(one.kind, one.id, name, one.first_seen_at, day, amount)

    def part(self, budget: Budget, window: Window, now: datetime) -> list[DaySpend] | None:
        """Return the UTC days that touch a window, of what a budget is about."""
        if budget.amount.currency != self.stored.currency:
            return None
        start, found, settled = utc_day(window.start).start, [], self.settled(now)
        holds = self._holds(budget)
        while start < min(window.end, now):
            key = (budget.name, start)
            spent = self._settled.get(key)
            if spent is None:
                spent = self._then(start, now).of(holds, self.stored.currency)
            if start < settled:
                self._settled[key] = spent
            found.append(spent)
            start += DAY
        return found

    def _holds(self, budget: Budget) -> Holds:
        projects, keys = (
            self._meant(kind, wanted)
            for kind, wanted in (("project", budget.project), ("api_key", budget.api_key))
        )

        def holds(project: str, key: str, model: str) -> bool:
            return (
                (projects is None or project in projects)
                and (keys is None or key in keys)
                and budget.model in {None, model}
            )

        return holds

    def _meant(self, kind: str, wanted: str | None) -> frozenset[str] | None:
        if wanted is None:
            return None
        named = (
            one for (of, one), name in self.stored.called.items() if of == kind and name == wanted
        )
        return frozenset({wanted, *named})

    def splits(self, entries: Iterable[Entry], now: datetime) -> dict[datetime, Split]:
        """Return how checkpoints divided their own UTC days, as far as usage told by then."""
        stated = [one for one in entries if one.kind is Kind.CHECKPOINT and one.at <= now]
        latest = latest_checkpoint(stated)
        found = {}
        for one in stated:
            day = utc_day(one.at)
            if one.at == day.start or not self._whole(day, now):
                continue
            before = self._used_before(one.at)
            split = self._then(day.start, now).split(before, latest=one is latest)
            if split is not None:
                found[one.at] = split
        return found

    def _whole(self, day: Window, now: datetime) -> bool:
        """Tell whether usage was read of all of a day, as far as it is over."""
        usage = self.stored.usage
        if usage is None or usage.window.start > day.start:
            return False
        return usage.window.end >= min(day.end, now - BEHIND)

    def _used_before(self, at: datetime) -> int:
        """Return what was used of the day of a checkpoint before it: of its hour, in whole buckets."""
        usage = self.stored.usage
        if usage is None:
            return 0
        if at in usage.before:
            return usage.before[at]
        hour = at.replace(minute=0, second=0, microsecond=0)
        passed = _between(usage.billed, utc_day(at).start, hour, HOUR)
        return passed + max(_between(buckets, hour, at, width) for width, buckets in usage.finer)

    def late(self, stated_at: datetime, now: datetime) -> Money:
        """Return what was booked by now, after a checkpoint, for days read before it."""
        if stated_at in self._late_in_all:
            return self._late_in_all[stated_at]
        until, nanos = min(now, stated_at + SETTLING), 0
        start = utc_day(stated_at - LATE - DAY).start
        for place in range(LATE // DAY + 2):
            day = start + DAY * place
            if stated_at - LATE - DAY <= day <= stated_at - DAY:
                nanos += self._late(day, stated_at, until)
        late = Money(nanos, self.stored.currency)
        if until < now:
            self._late_in_all[stated_at] = late
        return late

    def _late(self, day: datetime, stated_at: datetime, until: datetime) -> int:
        if self._used(Window(day, day + DAY)):
            return sum(self._then(day, until).late(stated_at).values())
        one = self._by_start.get(day)
        if one is None or not one.watched:
            return 0
        return max(sum(nanos for at, nanos in one.changes if stated_at < at <= until), 0)


def _between(buckets: Buckets, start: datetime, end: datetime, width: timedelta) -> int:
    """Return what was used in the whole buckets between two instants."""
    nanos = 0
    while start + width <= end:
        nanos += sum(buckets.get(start, {}).values())
        start += width
    return nanos
