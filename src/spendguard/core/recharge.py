"""Recharge: the provider's own automatic charge, and those that are still to come.

https://help.openai.com/en/articles/8264778 : a charge when the balance falls below a threshold, to
restore it to a target; an optional monthly limit, with a partial last charge if the rest of the
limit is at least the minimum.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from spendguard.core.accounts import Recharge
from spendguard.core.money import Money
from spendguard.core.windows import DAY, utc_month

MOST = 1000
"""Charges that are foreseen at most: nobody reads on."""
LONGEST = timedelta(days=36500)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Course:
    """How an account's balance goes on: what it is at `at`, and what is spent a day from there.

    `recharged` is what the provider charged by itself in this UTC month; `retried` tells that the
    last charge failed, so that the next one is due now.
    """

    account: str
    at: datetime
    balance: Money
    per_day: Money | None
    recharged: Money
    least: Money
    most: Money
    retried: bool = False

    def after(self, until: datetime) -> Course:
        """Return the course from a later instant on."""
        if until <= self.at or self.per_day is None:
            return self
        gone = self.per_day.part((until - self.at) // _MICROSECOND, DAY // _MICROSECOND)
        return replace(self, at=until, balance=self.balance - gone)


@dataclass(frozen=True, slots=True)
class Coming:
    """A charge that is expected: the credit it buys, before tax."""

    account: str
    at: datetime
    amount: Money


def charges(
    model: Recharge, course: Course, now: datetime, until: datetime
) -> tuple[Coming, ...] | None:
    """Return the automatic charges up to and at `until`; None where that cannot be told.

    What should have come before `now` is due now. The charge comes when the balance is strictly
    under the trigger; where one does not lift it to the trigger, the next one follows at once.
    """
    if not model.enabled:
        return ()
    expected = _expected(model, course, now, until)
    return None if expected is None else tuple(expected)


def next_charge(model: Recharge, course: Course, now: datetime) -> Coming | None:
    """Return the next automatic charge, None where none is expected or that cannot be told."""
    return next(iter(_expected(model, course, now, now + LONGEST) or ()), None)


def _expected(
    model: Recharge, course: Course, now: datetime, until: datetime
) -> Iterator[Coming] | None:
    """Return the charges from now on, None where settings or burn do not suffice to tell."""
    if not model.enabled or (model.amount is None and model.restore_to is None):
        return None
    here = course.after(now)
    if here.per_day is None and here.balance >= model.trigger and not here.retried:
        return None
    return _charges(model, replace(here, at=max(here.at, now)), until)


def _charges(model: Recharge, course: Course, until: datetime) -> Iterator[Coming]:
    at, balance, rate = course.at, course.balance, course.per_day or Money.zero("XXX")
    forced, month, spent = course.retried, utc_month(at), course.recharged
    for _ in range(MOST):
        if not forced and balance >= model.trigger:
            wait = _until_under(balance - model.trigger, rate)
            if wait is None or until - at < wait:
                return
            at, balance = at + wait, model.trigger
        if at >= month.end:
            month, spent = utc_month(at), Money.zero(balance.currency)
        amount = _amount(model, course, balance, spent)
        if amount is None:  # the month's limit is used up: it starts anew with the next
            if month.end > until:
                return
            gone = rate.nanos * ((month.end - at) // _MICROSECOND) // (DAY // _MICROSECOND)
            at, balance = month.end, Money(balance.nanos - gone, balance.currency)
            continue
        yield Coming(course.account, at, amount)
        balance, spent, forced = balance + amount, spent + amount, False


def _until_under(above: Money, rate: Money) -> timedelta | None:
    if rate.nanos <= 0:
        return None
    wait = -(-above.nanos * (DAY // _MICROSECOND) // rate.nanos)
    return None if wait > LONGEST // _MICROSECOND else wait * _MICROSECOND


def _amount(model: Recharge, course: Course, balance: Money, spent: Money) -> Money | None:
    """Return what is charged at this balance, None where the monthly limit leaves too little."""
    wanted = model.amount if model.restore_to is None else model.restore_to - balance
    if wanted is None:  # enabled, with neither: the settings are not known well enough
        return None
    amount = min(max(wanted, course.least), course.most)
    if model.monthly_limit is None:
        return amount
    amount = min(amount, model.monthly_limit - spent)
    return amount if amount >= course.least else None
