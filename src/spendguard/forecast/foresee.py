"""Foresee: from what was spent to a fan of what will be."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from spendguard.core.forecasts import LEVELS, Forecast, History, Spent
from spendguard.core.windows import DAY, HOUR, Window

FEWEST = DAY
FEWEST_DAYS = 2  # of which only the sum is known
LOOK_BACK = DAY * 56


def foresee(spent: Sequence[Spent], now: datetime, currency: str) -> Forecast:
    """Return how spend goes on from the end of what is known, over the next 14 days.

    `spent` tells windows that do not overlap, of hours or of days; a gap between two of them is
    unknown, so spend of nothing is told as zero. Windows that end after `now` are left out.
    """
    since, told = now - LOOK_BACK, map(_in_utc, spent)
    known = [one for one in told if since <= one.window.start and one.window.end <= now]
    known.sort(key=lambda one: one.window.start)
    if not known:
        return Forecast(now, now, currency, None, {}, "no-history")
    history = _history(known)
    start = history.window.end
    if sum([one.nanos for one in known]) <= 0:
        return Forecast(now, start, currency, history, {}, "idle")
    if history.window.length < FEWEST:
        return Forecast(now, start, currency, history, {}, "too-short")
    return _fanned(known, now, currency, history)


def _in_utc(one: Spent) -> Spent:
    """Return it in UTC: hours that are told in a zone are as long as its clocks show."""
    if one.window.start.tzinfo is UTC and one.window.end.tzinfo is UTC:
        return one
    window = Window(one.window.start.astimezone(UTC), one.window.end.astimezone(UTC))
    return Spent(window, one.nanos, one.estimated)


def _fanned(known: Sequence[Spent], now: datetime, currency: str, history: History) -> Forecast:
    from spendguard.forecast.grid import grid
    from spendguard.forecast.paths import fan

    start, laid = history.window.end, grid(known)
    if len(laid.days) < (1 if laid.by_hour else FEWEST_DAYS) or not laid.days.any():
        return Forecast(now, start, currency, history, {}, "too-short")
    lines = fan(laid.days, (start - laid.end) / HOUR)
    told = {level: tuple(line) for level, line in zip(LEVELS, lines.tolist(), strict=True)}
    return Forecast(now, start, currency, history, told)


def _history(known: Sequence[Spent]) -> History:
    kinds = {one.estimated for one in known}
    hours = sum([one.window.end - one.window.start <= HOUR for one in known])
    return History(
        Window(known[0].window.start, known[-1].window.end),
        hours=hours,
        days=len(known) - hours,
        kind="mixed" if len(kinds) > 1 else "estimated" if True in kinds else "booked",
    )
