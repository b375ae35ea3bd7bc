"""The meter: what was used and when that is shown, derived from what was let through and billed."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from spendguard.core.windows import Window
from spendguard.core.world import Billing, Spending
from spendguard.simulator.sheet import Metered, metered, unit_price

TOKENS_OF_A_REQUEST = 2_000
MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Count:
    """Something that was used at an instant, and by whom."""

    at: datetime
    what: Metered
    units: int
    project: str = ""
    api_key: str = ""

    @property
    def requests(self) -> int:
        """The requests it took; what is told of the same requests again takes none."""
        if not self.what.measure.endswith("_tokens"):
            return self.units if self.what.measure == "num_requests" else 1
        fresh = self.what.measure in ("input_tokens", "input_audio_tokens")
        return -(-self.units // TOKENS_OF_A_REQUEST) if fresh else 0


class Meter:
    """The usage of an account as it can be seen at an instant, `lag` after it happened."""

    def __init__(self, billing: Billing, lag: timedelta) -> None:
        self._billing = billing
        self._lag = lag
        self._unbilled: list[Count] = []
        self._seen = (-1, 0)
        self._counts: dict[str, list[Count]] = {}

    def add(self, count: Count) -> None:
        """Take usage that nothing is billed for."""
        self._unbilled.append(count)

    def used(self, series: str, window: Window, seen_at: datetime) -> Iterator[Count]:
        """Yield what is shown of a series in a window, in the order of time."""
        self._refresh()
        counts = self._counts.get(series, [])
        place = bisect_left(counts, window.start, key=lambda one: one.at)
        for count in counts[place:]:
            if count.at >= window.end:
                return
            if count.at + self._lag <= seen_at:
                yield count

    def _refresh(self) -> None:
        seen = (self._billing.version, len(self._unbilled))
        if self._seen == seen:
            return
        counts: dict[str, list[Count]] = defaultdict(list)
        for count in self._unbilled:
            counts[count.what.series].append(count)
        for spending, nanos in self._billing.spent():
            billed = _count(spending, nanos)
            if billed is not None:
                counts[billed.what.series].append(billed)
        for one in counts.values():
            one.sort(key=lambda count: count.at)
        self._counts, self._seen = counts, seen


def _count(spending: Spending, nanos: int) -> Count | None:
    """Return what nanos paid for; what does not pay for a whole unit is not counted."""
    what = metered(spending)
    units = nanos // unit_price(what) if what else 0
    if what is None or not units:
        return None
    return Count(spending.at, what, units, spending.project, spending.api_key)
