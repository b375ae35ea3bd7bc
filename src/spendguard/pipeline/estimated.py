"""Estimated: the days and hours of an account as costs and usage tell them together."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

from spendguard.core.ledger import MICROSECOND, DaySpend, Entry, Kind, Split, latest_checkpoint
from spendguard.core.money import Money
from spendguard.core.spread import SETTLES
from spendguard.core.windows import DAY, Window, utc_day
from spendguard.store import estimates, usage
from spendguard.store.connect import Tx
from spendguard.store.readings import Part
from spendguard.store.types import EPOCH
from spendguard.store.usage import Used

BY_HOUR = DAY * 4  # so far back it matters how a day went
LATE = timedelta(hours=48)  # so long before a checkpoint a day ended that may still be added to
BEHIND = timedelta(hours=1)  # so much later than costs usage may be read, and still be trusted


def with_usage(
    tx: Tx,
    row: Any,
    days: Sequence[DaySpend],
    by_hour: Collection[datetime],
    part: Part | None = None,
) -> list[DaySpend]:
    """Return booked days with what usage adds to them, and how the days `by_hour` went."""
    if row.usage_from is None:
        return list(days)
    missing = estimates.unbooked_days(tx, row.id, part)
    hours = _by_hour(tx, row, by_hour, part)
    found = {one.day.start: one for one in days}
    zero = Money.zero(row.currency)
    for start in missing:
        found.setdefault(start, DaySpend(Window(start, start + DAY), zero))
    return [
        DaySpend(one.day, one.amount, missing.get(start, 0), hours.get(start, ()))
        for start, one in sorted(found.items())
    ]


def _by_hour(
    tx: Tx, row: Any, days: Collection[datetime], part: Part | None
) -> dict[datetime, tuple[int, ...]]:
    """Return what each hour of some UTC days is estimated to cost."""
    if not days:
        return {}
    hours = {start: [0] * 24 for start in days}
    for one in usage.used(tx, row.id, Window(min(days), max(days) + DAY), part=part):
        if (day := utc_day(one.at).start) in hours:
            hours[day][one.at.hour] = max(one.nanos, 0)
    return {day: tuple(told) for day, told in hours.items()}


def days_by_hour(tx: Tx, row: Any, window: Window) -> dict[datetime, tuple[int, ...]]:
    """Return what each hour of the UTC days of a window is estimated to cost, by day.

    A day is left out that usage was not read for, or in which nothing was used.
    """
    if row.usage_from is None:
        return {}
    days: dict[int, list[int]] = {}
    known = Window(max(window.start, row.usage_from), window.end)
    for number, nanos in usage.hourly(tx, row.id, known):
        day, hour = divmod(number, 24)
        days.setdefault(day, [0] * 24)[hour] = max(nanos, 0)
    return {EPOCH + DAY * day: tuple(hours) for day, hours in days.items()}


def late_beyond_usage(tx: Tx, row: Any, stated_at: datetime) -> Money:
    """Return what was booked late for the last days before a checkpoint, beyond what usage tells.

    What usage tells of them was used before the balance was stated, whenever it is booked.
    """
    ended = Window(stated_at - DAY - LATE, stated_at - DAY + MICROSECOND)
    late = estimates.late_beyond(tx, row.id, row.currency, ended, stated_at)
    return Money(sum(sum(one.values()) for one in late.values()), row.currency)


def last_days(now: datetime) -> list[datetime]:
    """Return the UTC days of which it matters how they went."""
    today = utc_day(now).start
    return [today - DAY * back for back in range(BY_HOUR // DAY + 1)]


def hours_used(tx: Tx, row: Any, now: datetime) -> list[Used] | None:
    """Return the hours of the last days in which something was used; None while that is not known."""
    if not fresh(row, now):
        return None
    window = Window(utc_day(now - BY_HOUR).start, now)
    return [one for one in usage.used(tx, row.id, window) if one.requests or one.nanos]


def fresh(row: Any, now: datetime) -> bool:
    """Tell whether usage is read as far as costs are, and not long ago for how often it is read."""
    read_at, polled_at, next_at = row.usage_read_at, row.last_poll_at, row.next_poll_at
    if not row.usage_known or read_at is None or read_at < row.last_ok_at - BEHIND:
        return False
    regular = not row.failures and polled_at is not None and next_at is not None
    pause = next_at - polled_at if regular else timedelta(0)
    return bool(abs(now - read_at) <= max(BEHIND, pause * 3))


def splits(tx: Tx, row: Any, entries: Sequence[Entry]) -> dict[datetime, Split]:
    """Return how checkpoints divide their own UTC days, as far as their usage tells."""
    stated = {entry.id: entry.at for entry in entries if entry.kind is Kind.CHECKPOINT}
    found = {stated[key]: split for key, split in estimates.kept_splits(tx, stated).items()}
    latest = latest_checkpoint(entries)
    if latest is None:
        return found
    split = found.get(latest.at) or _split(tx, row, latest.at)
    if split is not None:
        found[latest.at] = estimates.with_late(tx, row.id, row.currency, latest.at, split)
    return found


def settle_split(tx: Tx, row: Any, entries: Sequence[Entry]) -> None:
    """Keep how the latest checkpoint divides its day, once that day is settled."""
    latest = latest_checkpoint(entries)
    if latest is None or row.last_ok_at is None:
        return
    if row.last_ok_at < utc_day(latest.at).end + SETTLES:
        return
    if estimates.kept_splits(tx, [latest.id]):
        return
    split = _split(tx, row, latest.at)
    if split is not None:
        estimates.put_split(tx, latest.id, split)


def _split(tx: Tx, row: Any, at: datetime) -> Split | None:
    """Return the split of a day whose usage is read as far as its costs are; None of any other."""
    day = utc_day(at)
    if at == day.start or row.usage_from is None or row.usage_from > day.start:
        return None
    if row.usage_read_at is None or row.last_ok_at is None:
        return None
    if row.usage_read_at < min(day.end, row.last_ok_at - BEHIND):
        return None
    split = estimates.split_at(tx, row.id, row.currency, at)
    return split if split.whole > 0 else None
