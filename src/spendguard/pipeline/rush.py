"""Rush: whether an api key spends within two minutes what it never did, as a leaked one does.

The history of keys is asked for only where two minutes are worth a look beside the account's usual
hour.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, TypeAlias

from spendguard.core.rushes import bound, rushes
from spendguard.core.spikes import LOOK_BACK, Rush
from spendguard.core.windows import DAY, HOUR, Window
from spendguard.store import usage
from spendguard.store.connect import Tx
from spendguard.store.types import EPOCH
from spendguard.store.usage import MINUTE, QUARTER, place

MINUTES_KEPT = DAY * 4
KNOWN = timedelta(hours=18)  # less of them may miss what comes once a day
RUSH_WORTH = 10  # two minutes of less than this part of the usual hour are never much

_Pair: TypeAlias = tuple[str, int, int]  # api key, number of the second minute, nanos


def history(now: datetime, back: timedelta) -> Window:
    """Return the days by the minute before what is looked at, which is no history yet."""
    return Window(now - MINUTES_KEPT, now - back - HOUR)


def weeks(days: Window) -> Window:
    """Return the weeks by the quarter-hour that end where a history of days does."""
    return Window(days.end - LOOK_BACK, days.end)


def known(tx: Tx, row: Any, days: Window) -> bool:
    """Tell whether enough of a history is known by the minute."""
    first = usage.first_used(tx, row.id, days, MINUTE)
    return first is not None and days.end - (EPOCH + MINUTE * first) >= KNOWN


def find(
    tx: Tx, row: Any, spent: Mapping[datetime, int], usual: int, recent: Window, days: Window
) -> dict[datetime, Rush]:
    """Return the rushes of keys by when they were over: of each key the dearest of a quarter-hour.

    `spent` is what all keys spent by the minute, `usual` the account's usual hour, `days` the history.
    """
    worth = max(usual // RUSH_WORTH, 1)
    ends = [
        at
        for at, nanos in spent.items()
        if at in recent and nanos + spent.get(at - MINUTE, 0) >= worth
    ]
    if not ends or not known(tx, row, days):
        return {}
    window = Window(min(ends) - MINUTE, max(ends) + MINUTE)
    pairs = _dearest(
        (key, number, nanos)
        for key, minutes in usage.by_api_key(tx, row.id, window, MINUTE).items()
        for number, nanos in rushes(minutes)
        if nanos >= worth
    )
    if not pairs:
        return {}
    bounds = _bounds(tx, row, {key for key, _, _ in pairs}, days)
    found: dict[datetime, Rush] = {}
    for key, number, nanos in pairs:
        at = min(EPOCH + MINUTE * (number + 1), recent.end)
        one = Rush(key, nanos, bounds[key])
        found[at] = max(found.get(at, one), one, key=lambda rush: rush.nanos - rush.bound)
    return found


def _dearest(pairs: Iterable[_Pair]) -> list[_Pair]:
    found: dict[tuple[str, int], _Pair] = {}
    for one in pairs:
        place_of_it = (one[0], one[1] * MINUTE // QUARTER)
        found[place_of_it] = max(found.get(place_of_it, one), one, key=lambda pair: pair[2])
    return list(found.values())


def _bounds(tx: Tx, row: Any, keys: Collection[str], days: Window) -> dict[str, int]:
    """Return what is unlike each key, by the minutes of days and the quarter-hours of weeks."""
    first = usage.first_used(tx, row.id, weeks(days), QUARTER) or 0
    within = range(first, place(days.end, QUARTER))
    minutes = usage.by_api_key(tx, row.id, days, MINUTE, keys)
    quarters = usage.by_api_key(tx, row.id, weeks(days), QUARTER, keys)
    return {key: bound(minutes.get(key, {}), quarters.get(key, {}), within) for key in keys}
