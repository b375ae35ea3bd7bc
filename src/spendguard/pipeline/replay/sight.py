"""Sight: what the guard knows of an account, instant by instant, and no sooner than it could."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Protocol

from spendguard.core.accounts import Budget
from spendguard.core.charges import Charge, Outcome
from spendguard.core.facts import BudgetUse, NewSpender, Polls, UsageFacts, Witness
from spendguard.core.forecasts import Spent
from spendguard.core.ledger import DaySpend, Entry, Position, Settled, Split, derive, settle
from spendguard.core.money import Money
from spendguard.core.past import Past
from spendguard.core.reconcile import Books, Statement
from spendguard.core.windows import DAY, HOUR, Window, utc_day
from spendguard.core.world_run import MICROSECOND, Run, Trace
from spendguard.pipeline.ceilings import budget_windows, day_share
from spendguard.pipeline.estimated import last_days
from spendguard.pipeline.known import LOOK_BACK, Known, Plan, levels
from spendguard.pipeline.replay.costs_only import CostsOnly
from spendguard.pipeline.replay.tempo import Tempo
from spendguard.store.usage import Used

BY_HOUR = DAY * 21  # what is older is told by the day: it says little of an hour, and costs time
REMEMBERED = DAY * 36  # charges that facts may look at


class View(Protocol):
    """What the provider shows of an account's cost, and when."""

    def booked(self, day: Window, now: datetime) -> int:
        """Return the nanos that are seen of a UTC day."""
        ...

    def settled(self, now: datetime) -> datetime:
        """Return a UTC midnight before which what is seen will not change any more."""
        ...

    def spent(self, now: datetime) -> Sequence[Spent] | None:
        """Return the recent spend that is seen, by the hour or by the day; None: as the days tell."""
        ...

    def since(self, start: datetime, now: datetime) -> int:
        """Return the nanos that are seen from an instant on."""
        ...

    def beyond(self, day: Window, now: datetime) -> tuple[int, tuple[int, ...]]:
        """Return what usage tells of a UTC day above what is booked, and how its hours went."""
        ...

    def used(self, now: datetime) -> list[Used] | None:
        """Return the hours of the last days in which something was used, None where none is read."""
        ...

    def splits(self, entries: Iterable[Entry], now: datetime) -> Mapping[datetime, Split]:
        """Return how checkpoints divide their own UTC days."""
        ...

    def newcomers(self, now: datetime) -> tuple[NewSpender, ...]:
        """Return the api keys and models that are new."""
        ...

    def unpriced(self, since: datetime, now: datetime) -> int:
        """Return how many requests since an instant have no price."""
        ...

    def part(self, budget: Budget, window: Window, now: datetime) -> list[DaySpend] | None:
        """Return the UTC days of a window, of what a budget is about; None where nobody knows."""
        ...

    def usage(self, now: datetime) -> UsageFacts | None:
        """Return what usage tells, None where only days of cost are known."""
        ...


@dataclass(slots=True)
class Lagging(CostsOnly):
    """The view on an account of a run: each cost is seen a fixed time after it was caused."""

    run: Run
    account: str
    lag: timedelta
    begin: datetime
    earlier: Trace
    _hours: Past = field(default_factory=Past)
    _days: Past = field(default_factory=Past)
    _tempo: Tempo = field(init=False)

    def __post_init__(self) -> None:
        self._tempo = Tempo(self._caused, utc_day(self.begin).start, self.lag)

    def booked(self, day: Window, now: datetime) -> int:
        """Return what was caused in the day, as far as it is seen."""
        end = min(day.end, self._seen_until(now))
        return self._caused(Window(day.start, end)) if end > day.start else 0

    def settled(self, now: datetime) -> datetime:
        """Return the midnight before the last cost that is seen."""
        return utc_day(now - self.lag).start

    def spent(self, now: datetime) -> Sequence[Spent] | None:
        """Return what is seen of the last weeks: by the whole hour, the older by the day."""
        start = self._hours.window().end if self._hours else _hour(self.begin)
        until = self._seen_until(now)
        while start + HOUR <= until:
            window = Window(start, start + HOUR)
            self._hours.append(Spent(window, self._caused(window)))
            start = window.end
        while self._hours and now - self._hours.window().start > BY_HOUR + DAY:
            oldest = self._hours[: DAY // HOUR]
            self._days.append(Spent(oldest.window(), sum(oldest.nanos)))
            del self._hours[: DAY // HOUR]
        while self._days and now - self._days.window().start > LOOK_BACK:
            del self._days[:1]
        return self._days + self._hours

    def since(self, start: datetime, now: datetime) -> int:
        """Return what was caused from an instant on, as far as it is seen."""
        end = self._seen_until(now)
        return self._caused(Window(start, end)) if end > start else 0

    def usage(self, now: datetime) -> UsageFacts | None:
        """Return how fast money went in the hours that are seen."""
        return UsageFacts(now, self._tempo.pace(now))

    def _caused(self, window: Window) -> int:
        first, last = (bisect_left(self.earlier.at, at) for at in (window.start, window.end))
        before = self.earlier.until(last) - self.earlier.until(first)
        return before + self.run.spent(self.account, window)

    def _seen_until(self, now: datetime) -> datetime:
        return now - self.lag + MICROSECOND


def _by_day(days: Sequence[DaySpend], now: datetime) -> list[DaySpend]:
    """Return days without the hours of those of which it does not matter how they went."""
    until = last_days(now)[-1]
    return [replace(one, hours=()) if one.hours and one.day.start < until else one for one in days]


def _hour(at: datetime) -> datetime:
    return at.replace(minute=0, second=0, microsecond=0)


@dataclass(frozen=True, slots=True)
class Row:
    """What is known of how an account is read: always and at once."""

    first_ok_at: datetime
    last_ok_at: datetime
    usage_read_at: datetime


@dataclass(slots=True)
class Sight:
    """One account as the guard knows it. Ask it in the order of time."""

    plan: Plan
    view: View
    begin: datetime  # of what is known
    watched_from: datetime
    entries: list[Entry] = field(default_factory=list)  # since what is settled
    charges: list[Charge] = field(default_factory=list)
    proofs: tuple[Statement, ...] = ()
    inferred: tuple[Statement, ...] = ()
    late: Money | None = None
    changed: bool = False  # since it was last judged
    witness: Witness = Witness.HEALTHY
    hourly: bool = True  # forecasts rest on hours of usage, not on days of cost
    _days: list[DaySpend] = field(default_factory=list)  # the settled ones
    _settled: Settled | None = None

    @property
    def name(self) -> str:
        """The name of the account."""
        return self.plan.account.name

    def learn(self, entry: Entry | None, charge: Charge | None = None) -> None:
        """Hear of a line of the ledger, of a charge, or of both."""
        if entry is not None:
            self.entries.append(entry)
        if charge is not None:
            self.charges.append(charge)
        self.changed = True

    def prove(self, credit: Statement) -> None:
        """Enter credit of unknown amount that usage proves: the balance is not known any more."""
        self.inferred = (*self.inferred, credit)
        self.proofs = (*self.proofs, credit)
        self.changed = True

    def restate(self, books: Books, late: Money | None) -> None:
        """Be told the whole ledger anew, as it is known from now on."""
        self.charges, self.proofs, self.late = list(books.charges), books.proofs, late
        self.entries, self._settled = list(books.entries), None
        self.changed = True

    def know(self, now: datetime) -> Known:
        """Return what is known at an instant."""
        self._forget(now)
        days = self.days(now)
        position = None if self.proofs else self._position(days, now)
        return Known(
            plan=self.plan,
            row=Row(self.begin, now, now),
            books=Books(charges=tuple(self.charges), proofs=self.proofs),
            days=tuple(days[-LOOK_BACK.days :]),
            position=position,
            costs_read=True,
            proven_at=self.proofs[-1].at if self.proofs else None,
            hours=self.view.used(now),
        )

    def spent(self, now: datetime) -> Sequence[Spent] | None:
        """Return the recent spend by the hour, None where forecasts rest on days."""
        return self.view.spent(now) if self.hourly else None

    def usage(self, now: datetime) -> UsageFacts | None:
        """Return what usage by the hour tells, None where there is none."""
        return self.view.usage(now) if self.hourly else None

    def polls(self, now: datetime) -> Polls:
        """Return how the reading goes: well."""
        return Polls(first_ok_at=self.begin, last_ok_at=now)

    def budgets(self, known: Known, now: datetime) -> tuple[BudgetUse, ...]:
        """Return the use of the budgets of which it is known what they are about."""
        return tuple(
            BudgetUse(budget, window, self._spent(days, window, now))
            for budget in self.plan.budgets
            for window in budget_windows(budget, self.plan.zone, self.watched_from, now)
            for days in [self.view.part(budget, window, now) if budget.narrow else known.days]
            if days is not None
        )

    def part(self, now: datetime) -> Callable[[Budget, Window], Iterable[DaySpend]]:
        """Return what tells the UTC days of a window, of what a narrow budget is about."""
        return lambda budget, window: self.view.part(budget, window, now) or ()

    def days(self, now: datetime) -> list[DaySpend]:
        """Return what is seen of each UTC day so far."""
        midnight = min(self.view.settled(now), utc_day(now).start)
        start = self._days[-1].day.end if self._days else utc_day(self.begin).start
        while start < midnight:
            self._days.append(self._seen(start, now))
            start += DAY
        after = []
        while start <= now:
            after.append(self._seen(start, now))
            start += DAY
        return self._days + after

    def _seen(self, start: datetime, now: datetime) -> DaySpend:
        day = Window(start, start + DAY)
        booked = Money(self.view.booked(day, now), self.plan.account.currency)
        return DaySpend(day, booked, *self.view.beyond(day, now))

    def _position(self, days: Sequence[DaySpend], now: datetime) -> Position | None:
        """Return the derived balance, and settle what will not change any more."""
        watched = levels(self.plan.account)
        since = self._settled.at if self._settled else None
        recent = days[(since - days[0].day.start) // DAY :] if since else _by_day(days, now)
        splits = self.view.splits(self.entries, now)
        midnight = self._days[-1].day.end if self._days else None
        if midnight is not None and (since is None or midnight > since):
            self._settled = settle(
                self.entries,
                recent,
                midnight,
                late=self.late,
                levels=watched,
                splits=splits,
                settled=self._settled,
            )
            self.entries = [one for one in self.entries if one.at > midnight]
        return derive(
            self.entries,
            recent,
            now,
            as_of=now,
            late=self.late,
            levels=watched,
            splits=splits,
            settled=self._settled,
        )

    def _spent(self, days: Sequence[DaySpend], window: Window, now: datetime) -> Money:
        nanos = sum(day_share(day, window, now) for day in days)
        return Money(nanos, self.plan.account.currency)

    def _forget(self, now: datetime) -> None:
        """Drop charges that no fact looks at; the last that came of each account stays."""
        if self.charges and now - self.charges[0].at > REMEMBERED:
            last = max(
                (one for one in self.charges if one.outcome is Outcome.SUCCEEDED),
                key=lambda one: one.at,
                default=None,
            )
            self.charges = [
                one
                for one in self.charges
                if one is last
                or now - one.at <= REMEMBERED
                or (one.outcome is not Outcome.SUCCEEDED and (last is None or one.at >= last.at))
            ]
