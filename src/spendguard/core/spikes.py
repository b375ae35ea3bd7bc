"""Spikes: whether money goes faster than it usually does, by the account's own history.

The usual hour is what an account spends in a busy hour of an ordinary day, or around the same hour
of the week, whichever is more. Both are medians and quartiles: a spike of the past does not teach
that spikes are usual.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from spendguard.core.windows import DAY, HOUR, Window, utc_day

LOOK_BACK = DAY * 28
RECENT = timedelta(hours=26)  # what has just happened is no history yet
FEWEST = 3  # days of history without which nothing is usual
CALM = timedelta(hours=2)
WEEK = DAY * 7


@dataclass(frozen=True, slots=True)
class Moment:
    """What was spent in the hour and in the quarter of an hour before an instant, in nanos."""

    at: datetime
    hour: int
    quarter: int
    usual: int  # what such an hour usually costs


@dataclass(frozen=True, slots=True)
class Cause:
    """Who spent most of what is above the usual: an api key, a model or a project."""

    kind: str
    id: str
    name: str
    percent: int  # of what is above the usual


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast money went of late, the oldest moment first, and what of it was acknowledged."""

    moments: tuple[Moment, ...]
    causes: tuple[Cause, ...] = ()
    accepted_at: datetime | None = None
    accepted: int = 0  # nanos an hour


@dataclass(frozen=True, slots=True)
class Usual:
    """What is usual for an account: nanos by hour, all within a window."""

    hours: Mapping[datetime, int]
    window: Window

    def hour(self, at: datetime) -> int | None:
        """Return what the hour before an instant usually costs; None for want of history."""
        peaks = sorted(self._peaks().values())
        if len(peaks) < FEWEST:
            return None
        peak = peaks[len(peaks) * 3 // 4]
        same = sorted(self._same_hour(at))
        return max(peak, same[len(same) // 2] if same else 0)

    def _peaks(self) -> dict[datetime, int]:
        """Return the dearest hour of each whole UTC day."""
        days: dict[datetime, int] = defaultdict(int)
        day = utc_day(self.window.start + DAY - timedelta(microseconds=1)).start
        while day + DAY <= self.window.end:
            days[day] = 0
            day += DAY
        for hour, nanos in self.hours.items():
            start = utc_day(hour).start
            if start in days:
                days[start] = max(days[start], nanos)
        return days

    def _same_hour(self, at: datetime) -> list[int]:
        """Return what the same hours of earlier weeks cost, with those beside them."""
        hour = (at - HOUR).replace(minute=0, second=0, microsecond=0)
        wanted = [
            hour - WEEK * weeks + HOUR * beside for weeks in range(1, 5) for beside in (-1, 0, 1)
        ]
        return [self.hours.get(one, 0) for one in wanted if one in self.window]
