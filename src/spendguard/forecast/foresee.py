"""Foresee: from what was spent to a fan of what will be."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from spendguard.core.forecasts import HOURS, LEVELS, Forecast, History, Spent
from spendguard.core.windows import DAY, HOUR, Window

FEWEST = DAY
LOOK_BACK = DAY * 56


def foresee(spent: Sequence[Spent], now: datetime, currency: str) -> Forecast:
    """Return how spend goes on from the end of what is known, over the next 14 days.

    `spent` tells windows that do not overlap, of hours or of days; a gap between two of them is
    unknown, so spend of nothing is told as zero. Windows that end after `now` are left out.
    """
    known = sorted(
        (one for one in spent if now - LOOK_BACK <= one.window.start and one.window.end <= now),
        key=lambda one: one.window,
    )
    if not known:
        return Forecast(now, now, currency, None, {}, "no-history")
    history = _history(known)
    start = history.window.end
    covered = sum((one.window.length for one in known), timedelta())
    if covered < FEWEST:
        return Forecast(now, start, currency, history, {}, "too-short")
    total = sum(one.nanos for one in known)
    if total <= 0:
        return Forecast(now, start, currency, history, {}, "idle")
    rate = total * (HOUR / covered)
    fan = {
        level: tuple(round(rate * hour * (0.7 + level * 0.006)) for hour in range(1, HOURS + 1))
        for level in LEVELS
    }
    return Forecast(now, start, currency, history, fan)


def _history(known: Sequence[Spent]) -> History:
    kinds = {one.estimated for one in known}
    hours = sum(one.window.length <= HOUR for one in known)
    return History(
        Window(known[0].window.start, known[-1].window.end),
        hours=hours,
        days=sum(one.window.length > HOUR for one in known),
        kind="mixed" if len(kinds) > 1 else "estimated" if True in kinds else "booked",
    )
