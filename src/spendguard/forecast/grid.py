"""Grid: what was spent, hour by hour up to where the known ends."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt

from spendguard.core.past import Past
from spendguard.core.windows import DAY, HOUR

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FEWEST_IDLE, FEWEST_ANEW = 5, 3  # days
NEXT_TO_NOTHING, USUAL = 0.05, 0.3  # parts of what a day costs in the mean since then
FRESH = 6  # hours: what is known by the hour counts while its end is this near


@dataclass(frozen=True, slots=True)
class Grid:
    """Days of 24 hours, oldest first, the last of which ends at `end`; in nanos, as floats."""

    end: datetime
    days: Floats  # (days, 24)
    by_hour: bool  # else only the sums of the days are known


def grid(known: Past) -> Grid:
    """Lay spend out by the hour.

    Where hours are known its days end with the last whole hour; else they are UTC days, and one
    that is not over counts only where it is already above the mean of the week before: what is
    still missing of it is not known.
    """
    begin = np.array(known.begin) / HOUR.total_seconds()
    end = np.array(known.end) / HOUR.total_seconds()
    nanos = np.array(known.nanos, dtype=float)
    fine = end - begin <= 1
    if fine.any() and end[-1] - end[fine][-1] <= FRESH:
        return _by_hour(begin, end, nanos, fine)
    return _by_day(begin, end, nanos, known.window().end)


def _by_hour(begin: Floats, end: Floats, nanos: Floats, fine: Bools) -> Grid:
    first, last = int(begin[0] // 1), int(end[-1] // 1)
    hours = begin[fine].astype(int) - first
    inside = hours < last - first
    hours = hours[inside]
    count = np.bincount(hours, minlength=last - first)
    total = np.bincount(hours, nanos[fine][inside], minlength=last - first)
    by_hour = np.where(count > 0, total, np.nan)
    coarse = ~fine
    if coarse.any():
        until = np.minimum(np.ceil(end[coarse]), last).astype(int)
        _spread(by_hour, first, begin[coarse].astype(int), until, nanos[coarse])
    return Grid(EPOCH + last * HOUR, _folded(by_hour, first), by_hour=True)


def _spread(by_hour: Floats, first: int, begin: Ints, until: Ints, nanos: Floats) -> None:
    """Divide what was spent over longer windows among their hours, as usual days are."""
    shape, each = _shape(by_hour, first), until - begin
    some = each > 0
    begin, nanos, each = begin[some], nanos[some], each[some]
    starts = np.cumsum(each) - each
    hours = np.arange(each.sum()) + np.repeat(begin - starts, each)
    weight = shape[hours % 24]
    whole = np.add.reduceat(weight, starts)
    even = np.repeat(whole == 0, each)
    weight[even] = 1.0
    whole = np.where(whole == 0, each, whole)
    by_hour[hours - first] = np.repeat(nanos / whole, each) * weight


def _shape(by_hour: Floats, offset: int) -> Floats:
    """Return the mean of each hour of the UTC day, as far as known by the hour."""
    hours = (np.arange(len(by_hour)) + offset) % 24
    told = ~np.isnan(by_hour)
    hours, known = hours[told], by_hour[told]
    count = np.bincount(hours, minlength=24)
    total = np.bincount(hours, known, minlength=24)
    mean = np.where(count, total / np.maximum(count, 1), total.sum() / max(len(known), 1))
    return np.maximum(mean, 0)


def _by_day(begin: Floats, end: Floats, nanos: Floats, start: datetime) -> Grid:
    first, last = int(begin[0] // 24), int(end[-1] // 24)
    days = (begin // 24).astype(int) - first
    over = days < last - first
    count = np.bincount(days[over], minlength=last - first)
    total = np.bincount(days[over], nanos[over], minlength=last - first)
    sums = np.where(count > 0, total, np.nan)
    until, today = EPOCH + last * DAY, nanos[~over].sum()
    if count[-7:].any() and today > np.nanmean(sums[-7:]):
        sums, until = np.append(sums, today), start
    return Grid(until, _folded(np.repeat(sums / 24, 24), first * 24), by_hour=False)


def _folded(by_hour: Floats, offset: int) -> Floats:
    """Return whole days since the first spend; what is unknown is taken as the mean of its hour."""
    spent = np.flatnonzero(by_hour > 0)
    begin = spent[0] if len(spent) else len(by_hour)
    gaps = np.isnan(by_hour)
    if gaps.any():
        hours = (np.arange(len(by_hour)) + offset) % 24
        by_hour = np.where(gaps, _shape(by_hour, offset)[hours], by_hour)
    whole = (len(by_hour) - begin) // 24
    days = np.maximum(by_hour[len(by_hour) - whole * 24 :].reshape(whole, 24), 0)
    return days[_anew(days.sum(1)) :]


def _anew(days: Floats) -> int:
    """Return from which day on an account lives another life than before, 0 where it does not.

    Before it next to nothing was spent, and for longer than over a long weekend; since then, for
    three days at least, most days are usual.
    """
    count = len(days)
    if count < FEWEST_IDLE + FEWEST_ANEW:
        return 0
    places = np.arange(FEWEST_IDLE, count - FEWEST_ANEW + 1)
    before = np.cumsum(days)[places - 1]
    since = (days.sum() - before) / (count - places)
    idle = (before < NEXT_TO_NOTHING * since * places) & (days[places] > USUAL * since)
    for place in places[idle]:
        if np.median(days[place:]) > USUAL * days[place:].mean():
            return int(place)
    return 0
