"""Inference: what usage tells of credit that nobody tells us about.

Usage that goes on after the credit must have ended proves that credit came; usage that stops near
zero is probably a cut-off. Where usage is known six hours are enough, else it takes two booked UTC
days.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from spendguard.core.ledger import DaySpend
from spendguard.core.money import Amount, Money
from spendguard.core.windows import DAY, HOUR, utc_day

DAYS = 2
HOURS = 6
NEAR_ZERO = Amount.parse("0.50")


def proven_at(exhausted_at: datetime | None, days: Sequence[DaySpend]) -> datetime | None:
    """Return when usage proved that credit came: the second UTC day of spend after exhaustion.

    `exhausted_at` is since when the floor is further below zero than a late cut-off lets usage
    run.
    """
    if exhausted_at is None:
        return None
    last = utc_day(exhausted_at).start
    later = sorted(spend.day.start for spend in days if spend.day.start > last and _spent(spend))
    return later[DAYS - 1] if len(later) >= DAYS else None


def stopped_at(floor: Money, days: Sequence[DaySpend], read_at: datetime | None) -> datetime | None:
    """Return since when an account that was used, and is near zero, is not used any more.

    Two complete UTC days without spend, after one of the two days before them had some.
    """
    if read_at is None or floor >= NEAR_ZERO.of(floor.currency):
        return None
    spent = {spend.day.start: spend for spend in days}
    start = utc_day(read_at).start - DAY * DAYS
    silent = [spent.get(start + DAY * place) for place in range(DAYS)]
    if any(day is None or _spent(day) for day in silent):
        return None
    if any(_spent(day) for day in days if day.day.start >= start):
        return None
    before = (spent.get(start - DAY * place) for place in range(1, DAYS + 1))
    return start if any(day is not None and _spent(day) for day in before) else None


def proven_by_hour(exhausted_at: datetime | None, used: Sequence[datetime]) -> datetime | None:
    """Return when usage proved that credit came: the first of the hours `used` 6 h after exhaustion.

    `used` are the starts of the hours in which something was used that costs money.
    """
    if exhausted_at is None:
        return None
    return min((hour for hour in used if hour >= exhausted_at + HOUR * HOURS), default=None)


def stopped_by_hour(
    floor: Money, used: Sequence[datetime], read_at: datetime | None
) -> datetime | None:
    """Return since when an account near zero is not used any more: for 6 hours, after it was used.

    `used` are the starts of the hours of the last days in which something was used.
    """
    if read_at is None or floor >= NEAR_ZERO.of(floor.currency) or not used:
        return None
    last = max(used) + HOUR
    return last if read_at - last >= HOUR * HOURS else None


def _spent(spend: DaySpend) -> bool:
    return spend.amount.nanos > 0
