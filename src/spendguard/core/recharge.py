"""Recharge: the provider's own automatic charge, and those that are still to come.

https://help.openai.com/en/articles/8264778 : a charge when the balance falls below a threshold, to
restore it to a target; an optional monthly limit, with a partial last charge if the rest of the
limit is at least the minimum.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from spendguard.core.accounts import Recharge
from spendguard.core.forecasts import LONGEST, Path
from spendguard.core.money import Money
from spendguard.core.windows import DAY, utc_month

MOST = 1000
"""Charges that are foreseen at most: nobody reads on."""
_MICROSECOND = timedelta(microseconds=1)
Try = tuple[datetime, int]
"""A charge as an instant and nanos: most are only looked at in passing."""


@dataclass(frozen=True, slots=True)
class Steady:
    """The same spend every day, in nanos: the plain burn."""

    per_day: int

    def between(self, start: datetime, end: datetime) -> int:
        """Return what is spent from one instant to another."""
        return self.per_day * ((end - start) // _MICROSECOND) // (DAY // _MICROSECOND)

    def after(self, start: datetime, nanos: int) -> datetime | None:
        """Return when so much is spent from `start` on, None where that is never or too far."""
        if self.per_day <= 0:
            return None
        wait = -(-nanos * (DAY // _MICROSECOND) // self.per_day)
        return None if wait > LONGEST // _MICROSECOND else start + wait * _MICROSECOND


@dataclass(frozen=True, slots=True)
class Lapse:
    """Credit that will have expired unused."""

    at: datetime
    amount: Money


@dataclass(frozen=True, slots=True)
class Course:
    """How an account's balance goes on: what it is at `at`, and what is spent from there.

    That is `path` where it was foreseen, else the same `per_day`. `recharged` is what the provider
    charged by itself in this UTC month; `retried` tells that the last charge failed, so that the
    next one is due now; `lapses` is the credit that expires on the way, in the order of time.
    """

    account: str
    at: datetime
    balance: Money
    per_day: Money | None
    recharged: Money
    least: Money
    most: Money
    retried: bool = False
    path: Path | None = None
    lapses: tuple[Lapse, ...] = ()

    @property
    def pace(self) -> Path | Steady | None:
        """How it is spent, None while that is not known."""
        if self.path is not None:
            return self.path
        return None if self.per_day is None else Steady(self.per_day.nanos)

    def falls_to(self, level: Money) -> datetime | None:
        """Return when the balance is down to a level, None where it never is."""
        fallen = self.fallen(self.at, self.balance.nanos, level.nanos)
        return None if fallen is None else fallen[0]

    def left(self, at: datetime, held: int, until: datetime) -> int:
        """Return what is left at a later instant of a balance held at one."""
        pace = self.pace
        return held if until <= at or pace is None else held - self._gone(pace, at, until)

    def fallen(self, at: datetime, held: int, level: int) -> tuple[datetime, int] | None:
        """Return when a balance held at an instant is down to a level, and what it is then."""
        pace = self.pace
        for lapse in self.lapses:
            if pace is None or lapse.at <= at:
                continue
            there = pace.after(at, held - level) if held >= level else at
            if there is not None and there <= lapse.at:
                break
            at, held = lapse.at, held - self._gone(pace, at, lapse.at)
            if held < level:
                return at, held
        if held < level:
            return at, held
        there = None if pace is None else pace.after(at, held - level)
        return None if there is None else (there, level)

    def _gone(self, pace: Path | Steady, at: datetime, until: datetime) -> int:
        """Return what is spent and expires between two instants."""
        lapsed = sum([one.amount.nanos for one in self.lapses if at < one.at <= until])
        return pace.between(at, until) + lapsed

    @property
    def currency(self) -> str:
        """The currency of its amounts."""
        return self.balance.currency


@dataclass(frozen=True, slots=True)
class Coming:
    """A charge that is expected: the credit it buys, before tax.

    One time in ten it comes by `earliest` already, and one in ten only after `latest`; they are
    None where nobody can tell.
    """

    account: str
    at: datetime
    amount: Money
    earliest: datetime | None = None
    latest: datetime | None = None

    @property
    def soonest(self) -> datetime:
        """The instant before which it must be covered."""
        return self.at if self.earliest is None else self.earliest


def charges(
    model: Recharge, course: Course, now: datetime, until: datetime
) -> tuple[Coming, ...] | None:
    """Return the automatic charges up to and at `until`; None where that cannot be told.

    What should have come before `now` is due now. The charge comes when the balance is strictly
    under the trigger; where one does not lift it to the trigger, the next one follows at once.
    """
    if not model.enabled:
        return ()
    found = expected(model, course, now, until)
    return None if found is None else tuple(found)


def next_charge(model: Recharge, course: Course, now: datetime) -> Coming | None:
    """Return the next automatic charge, None where none is expected or that cannot be told."""
    return next(iter(expected(model, course, now, now + LONGEST) or ()), None)


def expected(
    model: Recharge, course: Course, now: datetime, until: datetime
) -> Iterator[Coming] | None:
    """Return the charges from now on, one by one; None where settings or burn do not tell."""
    found = tries(model, course, now, until)
    if found is None:
        return None
    return (Coming(course.account, at, Money(nanos, course.currency)) for at, nanos in found)


def tries(model: Recharge, course: Course, now: datetime, until: datetime) -> Iterator[Try] | None:
    """Return when each charge from now on comes, and its nanos; None where nothing tells."""
    if not model.enabled or (model.amount is None and model.restore_to is None):
        return None
    held = course.left(course.at, course.balance.nanos, now)
    if course.pace is None and held >= model.trigger.nanos and not course.retried:
        return None
    return _tries(model, course, max(course.at, now), held, until)


def _tries(
    model: Recharge, course: Course, at: datetime, held: int, until: datetime
) -> Iterator[Try]:
    """Yield the charges from an instant on at which so much is held."""
    forced, trigger = course.retried, model.trigger.nanos
    month, spent = utc_month(at), course.recharged.nanos
    for _ in range(MOST):
        if not forced and held >= trigger:
            fallen = course.fallen(at, held, trigger)
            if fallen is None or fallen[0] > until:
                return
            at, held = fallen
        if at >= month.end:
            month, spent = utc_month(at), 0
        amount = _amount(model, course, held, spent)
        if amount is None:  # the month's limit is used up: it starts anew with the next
            if month.end > until:
                return
            at, held = month.end, course.left(at, held, month.end)
            continue
        yield at, amount
        held, spent, forced = held + amount, spent + amount, False


def _amount(model: Recharge, course: Course, held: int, spent: int) -> int | None:
    """Return what is charged at this balance, None where the monthly limit leaves too little."""
    if model.amount is not None:
        wanted = model.amount.nanos
    elif model.restore_to is not None:
        wanted = model.restore_to.nanos - held
    else:  # enabled, with neither: the settings are not known well enough
        return None
    amount = min(max(wanted, course.least.nanos), course.most.nanos)
    if model.monthly_limit is None:
        return amount
    amount = min(amount, model.monthly_limit.nanos - spent)
    return amount if amount >= course.least.nanos else None
