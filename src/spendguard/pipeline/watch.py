"""Watch: what usage tells beside money: its pace, who is new, what has no price, costs that stand."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import accumulate
from typing import Any, TypeAlias

from spendguard.core.estimates import Spender, first_unsettled
from spendguard.core.facts import ComparedDay, NewSpender, UnpricedUse, UsageFacts
from spendguard.core.money import Amount, Money
from spendguard.core.spikes import (
    BURST,
    CALM,
    LOOK_BACK,
    RECENT,
    RUSH,
    Cause,
    Moment,
    Pace,
    Rush,
    Usual,
    looked_back,
)
from spendguard.core.windows import DAY, HOUR, Window, utc_day
from spendguard.pipeline import rush
from spendguard.pipeline.estimated import fresh
from spendguard.store import estimates, readings, spenders, usage
from spendguard.store.connect import Tx
from spendguard.store.readings import Part
from spendguard.store.types import EPOCH
from spendguard.store.usage import MINUTE, QUARTER

Before: TypeAlias = Callable[[datetime, timedelta], int]

NEW_FOR = DAY * 7
UNPRICED_DAYS = DAY * 7
COMPARED_DAYS = DAY * 7
STANDS_AFTER = timedelta(hours=36)
QUARTER_WORTH = 2  # a quarter-hour of less than this part of an hour is never much
BURST_WORTH = 6  # a burst of less than this part of an hour is never much
WORTH = Amount.parse("0.10")  # of usage that costs must have shown by then


def usage_facts(tx: Tx, row: Any, now: datetime) -> UsageFacts | None:
    """Return what usage tells of an account; None while it is not read, or was read long ago."""
    if not fresh(row, now):
        return None
    requests = usage.requests_by_model(tx, row.id, utc_day(now - UNPRICED_DAYS).start)
    settled = estimates.settled(tx, row.id, first_unsettled(now).start - COMPARED_DAYS)
    return UsageFacts(
        read_at=row.usage_read_at,
        pace=_pace(tx, row, now),
        requests=sum(count for count, _ in requests.values()),
        unpriced=tuple(
            UnpricedUse(model, unpriced)
            for model, (_, unpriced) in sorted(requests.items())
            if unpriced
        ),
        settled=tuple(compared(one, row.currency) for one in settled),
    )


def compared(one: estimates.Settled, currency: str) -> ComparedDay:
    """Return how a settled day was estimated, and how it was booked."""
    return ComparedDay(one.day, Money(one.estimated, currency), Money(one.booked, currency))


def unpriced_since(tx: Tx, row: Any, since: datetime) -> int:
    """Return how many requests of the UTC days from an instant on have no price."""
    if row.usage_from is None:
        return 0
    found = usage.requests_by_model(tx, row.id, utc_day(since).start)
    return sum(unpriced for _, unpriced in found.values())


def stale_since(tx: Tx, row: Any, now: datetime) -> datetime | None:
    """Return since when costs stand, where usage has moved for so long that they cannot be right."""
    moved = row.costs_moved_at
    if moved is None or not fresh(row, now) or now - moved < STANDS_AFTER:
        return None
    hours = usage.used(tx, row.id, Window(max(moved, now - LOOK_BACK), now))
    paid = [one for one in hours if one.nanos > 0]
    if sum(one.nanos for one in paid) < WORTH.nanos:
        return None
    return moved if paid[-1].at - paid[0].at >= STANDS_AFTER - HOUR else None


def newcomers(tx: Tx, row: Any, now: datetime) -> tuple[NewSpender, ...]:
    """Return the api keys and models first seen in the last week, with the dearest day of each."""
    found = spenders.unaccepted(tx, row.id, now - NEW_FOR)
    if not found:
        return ()
    called = readings.called(tx, row.id)
    told = []
    for one in found:
        day, nanos = _dearest(tx, row, one, now)
        name = called.get((one.kind, one.id), "")
        amount = Money(nanos, row.currency)
        told.append(NewSpender(one.kind, one.id, name, one.first_seen_at, day, amount))
    return tuple(told)


def _dearest(tx: Tx, row: Any, who: spenders.Newcomer, now: datetime) -> tuple[datetime, int]:
    part = Part(api_keys=frozenset({who.id})) if who.kind == "api_key" else Part(model=who.id)
    window = Window(utc_day(who.first_seen_at - DAY).start, now)
    days: dict[datetime, int] = defaultdict(int)
    for spent in readings.part_spend(tx, row.id, row.currency, window, part):
        days[spent.day.start] += spent.amount.nanos
    for day, nanos in estimates.unbooked_days(tx, row.id, part).items():
        days[day] += nanos
    return max(days.items(), key=lambda one: (one[1], one[0]), default=(utc_day(now).start, 0))


def _pace(tx: Tx, row: Any, now: datetime) -> Pace | None:
    """Return how fast money went until usage was read; an acknowledged spike from its beginning."""
    now = min(now, row.usage_read_at)
    accepted = row.spike_accepted_at
    back = RECENT if accepted is not None and now - accepted < RECENT else CALM
    minutes = {
        one.at: one.nanos
        for one in usage.used(tx, row.id, Window(now - back - HOUR, now), MINUTE)
        if one.nanos > 0
    }
    if not minutes:
        return Pace(())
    window = looked_back(now, row.usage_from)
    hours = usage.hourly(tx, row.id, window) if window.start < window.end else []
    usual = Usual.of({EPOCH + HOUR * number: nanos for number, nanos in hours}, window)
    if usual is None:
        return None
    told = pace_of(rush.OfAccount(tx, row.id), minutes, usual, now, back, window=window)
    return replace(told, accepted_at=accepted, accepted=row.spike_accepted_nanos or 0)


def pace_of(
    use: rush.Use,
    spent: Mapping[datetime, int],
    usual: Usual,
    now: datetime,
    back: timedelta = CALM,
    width: timedelta = MINUTE,
    *,
    window: Window,
) -> Pace:
    """Return how fast money went by buckets of a width, from an hour before the first that matters.

    `window` is the history that the usual is of. Buckets wider than a minute tell of no burst and
    of no rush.
    """
    before, days = _running(spent), rush.history(now, back)
    minutes = spent if width == MINUTE else {}
    rushes = rush.find(use, minutes, usual.peak, Window(now - back, now), days)
    instants = sorted({*_instants(minutes, before, now, back), *rushes})
    moments = [_moment(before, at, usual, rushes.get(at)) for at in instants]
    worst = max(moments, key=lambda one: max(one.hour, one.quarter * 2, one.burst * 4))
    hour = Window(worst.at - HOUR, worst.at)
    return Pace(
        tuple(_explained(use, one, window) for one in moments),
        causes_of(use, hour, window) if fast(worst) else (),
        dearest=_dearest_burst(use, days) if minutes and _sudden(moments) else None,
        dearest_quarter=_dearest_quarter(use, days, width) if _dear(moments) else None,
    )


def _running(minutes: Mapping[datetime, int]) -> Before:
    """Return a function that tells what was spent so long before an instant."""
    ordered = sorted(minutes)
    sums = [0, *accumulate(minutes[at] for at in ordered)]

    def before(until: datetime, length: timedelta) -> int:
        return sums[bisect_left(ordered, until)] - sums[bisect_left(ordered, until - length)]

    return before


def _moment(before: Before, at: datetime, usual: Usual, fastest: Rush | None) -> Moment:
    """Return what was spent before an instant; a job of the week may be as sudden as it likes."""
    expected = usual.hour(at)
    burst = before(at, BURST) if expected == usual.peak else 0
    return Moment(at, before(at, HOUR), before(at, QUARTER), expected, burst, fastest)


def _instants(
    minutes: Iterable[datetime], before: Before, now: datetime, back: timedelta
) -> set[datetime]:
    """Return the present, each quarter-hour before it and the end of its dearest burst."""
    last = now.replace(minute=now.minute // 15 * 15, second=0, microsecond=0)
    quarters = [last - QUARTER * n for n in range(int(back / QUARTER), -1, -1)]
    dearest: dict[datetime, tuple[int, datetime]] = {}
    for end in (at + MINUTE for at in minutes):
        if quarters[0] < end <= now:
            quarter = end.replace(minute=end.minute // 15 * 15)
            found = (before(end, BURST), end)
            dearest[quarter] = max(dearest.get(quarter, found), found)
    return {*quarters, now, *(end for _, end in dearest.values())}


def _sudden(moments: Iterable[Moment]) -> bool:
    """Tell whether a burst was worth a look at those of the last days."""
    return any(one.burst * BURST_WORTH >= one.usual and one.burst for one in moments)


def _dearest_burst(use: rush.Use, days: Window) -> int | None:
    """Return what the dearest five minutes of some days cost; None while these are not known."""
    first, nanos = use.dearest(days, BURST)
    known = first is not None and days.end - first >= rush.KNOWN
    return nanos if known else None


def _dear(moments: Iterable[Moment]) -> bool:
    """Tell whether a quarter of an hour was worth a look at those of the last weeks."""
    return any(one.quarter * QUARTER_WORTH >= one.usual and one.quarter for one in moments)


def _dearest_quarter(use: rush.Use, days: Window, width: timedelta) -> int | None:
    """Return what the dearest quarter-hour of the last weeks cost; None while it is not known."""
    return use.dearest_quarter(rush.weeks(days)) if rush.known(use, days, width) else None


def fast(moment: Moment) -> bool:
    """Tell whether more was spent than is usual, so that it matters who spent it."""
    return max(moment.hour, moment.quarter * 2, moment.burst * 4) > moment.usual


def _explained(use: rush.Use, moment: Moment, history: Window) -> Moment:
    """Return a moment with what explains its rush, where it is one."""
    one = moment.rush
    if one is None or one.nanos < one.bound:
        return moment
    causes = causes_of(use, Window(moment.at - RUSH, moment.at), history, one.api_key)
    return replace(moment, rush=replace(one, causes=causes))


def causes_of(
    use: rush.Use, recent: Window, history: Window, api_key: str | None = None
) -> tuple[Cause, ...]:
    """Return who spent most of what is above the usual, of each kind that one stands out in.

    A given api key is named whatever its part, as far as it is above its own usual.
    """
    now_spent = use.by_spender(recent)
    before, called = _mean(use, history, recent.length), use.called()
    causes = []
    for place, kind in ((1, "api_key"), (2, "model"), (0, "project")):
        above = _above(now_spent, before, place)
        whole = sum(above.values())
        identity, nanos = max(above.items(), key=lambda one: (one[1], one[0]), default=("", 0))
        if kind == "api_key" and api_key is not None:
            identity, nanos = api_key, above.get(api_key, 0)
        elif nanos * 2 < whole:
            continue
        if identity and nanos > 0:
            name = called.get((kind, identity), "")
            causes.append(Cause(kind, identity, name, nanos * 100 // whole))
    return tuple(causes)


def _mean(use: rush.Use, history: Window, length: timedelta) -> dict[Spender, int]:
    """Return what each spender spends in so long a time, in the mean of a history."""
    whole_days = Window(utc_day(history.start).start, history.end)
    sums, days = use.by_spender_and_days(whole_days)
    parts = max(days, 1) * (DAY // length)
    return {spender: nanos // parts for spender, nanos in sums.items()}


def _above(
    spent: Mapping[Spender, int], before: Mapping[Spender, int], place: int
) -> dict[str, int]:
    differences: dict[str, int] = defaultdict(int)
    for sign, side in ((1, spent), (-1, before)):
        for spender, nanos in side.items():
            differences[spender[place]] += sign * nanos
    return {identity: nanos for identity, nanos in differences.items() if nanos > 0}
