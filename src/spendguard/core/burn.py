"""Burn: spend per day over a stated look-back, and how long a balance lasts at it."""

from __future__ import annotations

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

    What usage shows and is not booked yet is spent too. Today counts only where it is already
    higher than that mean.
    """
    today = utc_day(now)
    first = min((day.day.start for day in days if day.amount.nanos + day.unbooked), default=None)
    if first is None:
        return None
    since = max(today.start - DAY * look_back, first)
    spent = {day.day.start: day.known for day in days if since <= day.day.start <= today.start}
    complete = [amount for start, amount in spent.items() if start < today.start]
    if len(complete) < FEWEST:
        return None
    currency = complete[0].currency
    total = sum(amount.nanos for amount in complete)
    mean = Money(-(-total // len(complete)), currency)
    return Burn(max(mean, spent.get(today.start, mean)), len(complete))


def runway(balance: Money, rate: Burn | None) -> timedelta | None:
    """Return how long the balance lasts at this burn; None where nothing burns."""
    if rate is None or rate.per_day.nanos <= 0:
        return None
    microseconds = balance.nanos * (DAY // timedelta(microseconds=1)) // rate.per_day.nanos
    longest = timedelta(days=36500)
    return min(timedelta(microseconds=max(microseconds, 0)), longest)
