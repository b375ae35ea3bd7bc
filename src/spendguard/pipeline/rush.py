"""Rush: whether an api key spends within two minutes what it never did, as a leaked one does.

The history of keys is asked for only where two minutes are worth a look beside the account's usual
hour.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol, TypeAlias

from spendguard.core.estimates import Spender
from spendguard.core.rushes import bound, rushes
from spendguard.core.spikes import LOOK_BACK, Rush
from spendguard.core.windows import HOUR, Window
from spendguard.pipeline.retain import MINUTES
from spendguard.store import readings, usage
from spendguard.store.connect import Tx
from spendguard.store.types import EPOCH
from spendguard.store.usage import MINUTE, QUARTER, place

KNOWN = timedelta(hours=18)  # less of them may miss what comes once a day
RUSH_WORTH = 10  # two minutes of less than this part of the usual hour are never much

_Pair: TypeAlias = tuple[str, int, int]  # api key, number of the second minute, nanos


class Use(Protocol):
    """What is asked of an account's usage: of the database, or of what a replay holds of it."""

    def first_used(self, window: Window, width: timedelta) -> int | None:
        """Return the number of the first bucket with use that begins in a window."""
        ...

    def by_api_key(
        self, window: Window, width: timedelta, keys: Collection[str] | None = None
    ) -> Mapping[str, Mapping[int, int]]:
        """Return the nanos of the buckets that begin in a window, of each api key or of some."""
        ...

    def by_spender(self, window: Window) -> Mapping[Spender, int]:
        """Return what is estimated for the minutes that begin in a window, by who used it."""
        ...

    def by_spender_and_days(self, window: Window) -> tuple[Mapping[Spender, int], int]:
        """Return what the UTC days that begin in a window cost by who used it, and how many have any."""
        ...

    def dearest(self, window: Window, length: timedelta) -> tuple[datetime | None, int]:
        """Return the first minute known to be used in a window, and its dearest span of a length."""
        ...

    def dearest_quarter(self, window: Window) -> int:
        """Return what the dearest quarter of an hour that begins in a window cost."""
        ...

    def called(self) -> Mapping[tuple[str, str], str]:
        """Return the names of projects, api keys and models, by kind and id."""
        ...


@dataclass(frozen=True, slots=True)
class OfAccount:
    """The usage of an account, asked of the database inside the caller's transaction."""

    tx: Tx
    account: int

    def first_used(self, window: Window, width: timedelta) -> int | None:
        """Return the number of the first bucket with use that begins in a window."""
        return usage.first_used(self.tx, self.account, window, width)

    def by_api_key(
        self, window: Window, width: timedelta, keys: Collection[str] | None = None
    ) -> Mapping[str, Mapping[int, int]]:
        """Return the nanos of the buckets that begin in a window, of each api key or of some."""
        return usage.by_api_key(self.tx, self.account, window, width, keys)

    def by_spender(self, window: Window) -> Mapping[Spender, int]:
        """Return what is estimated for the minutes that begin in a window, by who used it."""
        return usage.by_spender(self.tx, self.account, window)

    def by_spender_and_days(self, window: Window) -> tuple[Mapping[Spender, int], int]:
        """Return what the UTC days that begin in a window cost by who used it, and how many have any."""
        return usage.by_spender_and_days(self.tx, self.account, window)

    def dearest(self, window: Window, length: timedelta) -> tuple[datetime | None, int]:
        """Return the first minute known to be used in a window, and its dearest span of a length."""
        return usage.dearest(self.tx, self.account, window, length)

    def dearest_quarter(self, window: Window) -> int:
        """Return what the dearest quarter of an hour that begins in a window cost."""
        return usage.dearest_quarter(self.tx, self.account, window)

    def called(self) -> Mapping[tuple[str, str], str]:
        """Return the names of projects, api keys and models, by kind and id."""
        return readings.called(self.tx, self.account)


def history(now: datetime, back: timedelta) -> Window:
    """Return the days by the minute before what is looked at, which is no history yet."""
    return Window(now - MINUTES, now - back - HOUR)


def weeks(days: Window) -> Window:
    """Return the weeks by the quarter-hour that end where a history of days does."""
    return Window(days.end - LOOK_BACK, days.end)


def known(use: Use, days: Window, width: timedelta = MINUTE) -> bool:
    """Tell whether enough of a history is known by the minute, or by another width."""
    first = use.first_used(days, width)
    return first is not None and days.end - (EPOCH + width * first) >= KNOWN


def find(
    use: Use, spent: Mapping[datetime, int], usual: int, recent: Window, days: Window
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
    if not ends or not known(use, days):
        return {}
    window = Window(min(ends) - MINUTE, max(ends) + MINUTE)
    pairs = _dearest(
        (key, number, nanos)
        for key, minutes in use.by_api_key(window, MINUTE).items()
        for number, nanos in rushes(minutes)
        if nanos >= worth
    )
    if not pairs:
        return {}
    bounds = _bounds(use, {key for key, _, _ in pairs}, days)
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


def _bounds(use: Use, keys: Collection[str], days: Window) -> dict[str, int]:
    """Return what is unlike each key, by the minutes of days and the quarter-hours of weeks."""
    first = use.first_used(weeks(days), QUARTER) or 0
    within = range(first, place(days.end, QUARTER))
    minutes = use.by_api_key(days, MINUTE, keys)
    quarters = use.by_api_key(weeks(days), QUARTER, keys)
    return {key: bound(minutes.get(key, {}), quarters.get(key, {}), within) for key in keys}
