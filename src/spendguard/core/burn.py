"""Burn: spend per day over a stated look-back, and how long a balance lasts at it."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from datetime import datetime, timedelta

from spendguard.core.facts import Burn
from spendguard.core.ledger import DaySpend
from spendguard.core.money import Money
from spendguard.core.windows import DAY, utc_day

LOOK_BACK = 7
FEWEST = 2


def burn(days: Sequence[DaySpend], now: datetime, look_back: int = LOOK_BACK) -> Burn | None:
    """Return the mean of the last 7 complete UTC days since the first cost; None below two.

    `days` come in the order of time. What usage shows and is not booked yet is spent too. Today
    counts only where it is already higher than that mean.
    """
    first = next((place for place, day in enumerate(days) if _spent(day)), None)
    if first is None:
        return None
    today = utc_day(now).start
    recent = days[bisect_left(days, today - DAY * look_back, lo=first, key=_start) :]
    complete = [_spent(day) for day in recent if _start(day) < today]
    if len(complete) < FEWEST:
        return None
    mean = -(-sum(complete) // len(complete))
    so_far = [_spent(day) for day in recent if _start(day) == today]
    return Burn(Money(max([mean, *so_far]), days[0].amount.currency), len(complete))


def _start(day: DaySpend) -> datetime:
    return day.day.start


def _spent(day: DaySpend) -> int:
    return day.amount.nanos + day.unbooked


def runway(balance: Money, rate: Burn | None) -> timedelta | None:
    """Return how long the balance lasts at this burn; None where nothing burns."""
    if rate is None or rate.per_day.nanos <= 0:
        return None
    microseconds = balance.nanos * (DAY // timedelta(microseconds=1)) // rate.per_day.nanos
    longest = timedelta(days=36500)
    return min(timedelta(microseconds=max(microseconds, 0)), longest)
