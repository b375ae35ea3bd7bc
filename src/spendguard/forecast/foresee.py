"""Foresee: from what was spent to a fan of what will be."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from datetime import datetime

from spendguard.core.forecasts import LEVELS, Forecast, History, Spent
from spendguard.core.past import Past
from spendguard.core.windows import DAY, HOUR

FEWEST = DAY
FEWEST_DAYS = 2  # of which only the sum is known
LOOK_BACK = DAY * 56
_HOUR = HOUR.total_seconds()


def foresee(spent: Sequence[Spent], now: datetime, currency: str) -> Forecast:
    """Return how spend goes on from the end of what is known, over the next 14 days.

    `spent` tells windows that do not overlap, of hours or of days; a gap between two of them is
    unknown, so spend of nothing is told as zero. Windows that end after `now` are left out. What
    is given as `Past` need not be laid out first.
    """
    past = spent if isinstance(spent, Past) else Past.of(spent)
    since = bisect_left(past.begin, (now - LOOK_BACK).timestamp())
    known = past[since : bisect_right(past.end, now.timestamp())]
    if not known:
        return Forecast(now, now, currency, None, {}, "no-history")
    history = _history(known)
    start = history.window.end
    if sum(known.nanos) <= 0:
        return Forecast(now, start, currency, history, {}, "idle")
    if history.window.length < FEWEST:
        return Forecast(now, start, currency, history, {}, "too-short")
    return _fanned(known, now, currency, history)


def _fanned(known: Past, now: datetime, currency: str, history: History) -> Forecast:
    from spendguard.forecast.grid import grid
    from spendguard.forecast.paths import fan, loosened
    from spendguard.forecast.surge import gone_on, surge

    start, laid = history.window.end, grid(known)
    if len(laid.days) < (1 if laid.by_hour else FEWEST_DAYS) or not laid.days.any():
        return Forecast(now, start, currency, history, {}, "too-short")
    lines = fan(laid.days, (start - laid.end) / HOUR)
    if laid.by_hour:
        lines = gone_on(loosened(lines), surge(laid.days))
    told = {level: array("q", line.tobytes()) for level, line in zip(LEVELS, lines, strict=True)}
    return Forecast(now, start, currency, history, told)


def _history(known: Past) -> History:
    """Return what is known since the first spend; all of it where nothing was spent."""
    import numpy as np

    known = known[next((place for place, nanos in enumerate(known.nanos) if nanos > 0), 0) :]
    kinds = set(known.estimated)
    lengths = np.frombuffer(known.end) - np.frombuffer(known.begin)
    hours = int((lengths <= _HOUR).sum())
    return History(
        known.window(),
        hours=hours,
        days=len(known) - hours,
        kind="mixed" if len(kinds) > 1 else "estimated" if 1 in kinds else "booked",
    )
