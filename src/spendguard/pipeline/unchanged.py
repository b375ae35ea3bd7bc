"""Unchanged: what of a reading by the minute is as it was, so that it is not priced and compared again.

It is a memory of this process alone, and believed only while the reading in the database is the one
it is of: after another process has read, or a backup was put back, all of it counts as new.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from weakref import WeakKeyDictionary

from spendguard.core.prices import PriceTable
from spendguard.core.readings import Usage, UsageRead
from spendguard.core.windows import HOUR, Window
from spendguard.store.connect import Store


@dataclass(frozen=True, slots=True)
class Memory:
    """The hours of one reading, each as a number that tells whether it changed, and its prices."""

    at: datetime
    prices: PriceTable
    hours: Mapping[datetime, int]


_Whose = tuple[str, frozenset[str]]  # an account, and the series that were read
_memories: WeakKeyDictionary[Store, dict[_Whose, Memory]] = WeakKeyDictionary()


def remembered(read: UsageRead, prices: PriceTable, now: datetime) -> Memory:
    """Return what is to be remembered of a reading."""
    rows: dict[datetime, list[Hashable]] = {hour: [] for hour in _hours(read.window)}
    for one in read.rows:
        rows[one.window.start.replace(minute=0)].append(_identity(one))
    return Memory(now, prices, {hour: hash(frozenset(told)) for hour, told in rows.items()})


def changed(read: UsageRead, now: Memory, before: Memory | None) -> UsageRead:
    """Return a reading from the first hour on that is not as before; the last hour never is."""
    if before is None or before.prices != now.prices:
        return read
    *hours, last = now.hours
    differ = (hour for hour in hours if before.hours.get(hour) != now.hours[hour])
    start = next(differ, last)
    rows = tuple(row for row in read.rows if row.window.start >= start)
    return replace(read, window=Window(start, read.window.end), rows=rows)


def recall(store: Store, account: str, read: UsageRead, read_at: datetime | None) -> Memory | None:
    """Return what is remembered of the last reading, if that is the one that was kept last."""
    found = _memories.get(store, {}).get((account, read.series))
    return found if found is not None and found.at == read_at else None


def remember(store: Store, account: str, read: UsageRead, memory: Memory) -> None:
    """Remember a reading that was kept."""
    _memories.setdefault(store, {})[account, read.series] = memory


def _hours(window: Window) -> list[datetime]:
    hours, hour = [], window.start.replace(minute=0)
    while hour < window.end:
        hours.append(hour)
        hour += HOUR
    return hours


def _identity(row: Usage) -> Hashable:
    told = frozenset(row.quantities.items())
    who = (row.series, row.model, row.project, row.api_key, row.tier)
    return (row.window.start, who, row.requests, told)
