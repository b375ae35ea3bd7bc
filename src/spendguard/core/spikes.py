"""Spikes: whether money goes faster than it usually does, by the account's own history.

The usual hour is what an account spends in the dearest hour of nine days in ten, or around the same
hour of the week in half of the weeks, whichever is more: a spike of the past does not teach that
spikes are usual. Days before an account was used, or used again, are no history.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from spendguard.core.windows import DAY, HOUR, Window, utc_day

LOOK_BACK = DAY * 28
RECENT = timedelta(hours=26)  # what has just happened is no history yet
FEWEST = DAY * 3  # of history, without which nothing is usual
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
        if self.window.length < FEWEST:
            return None
        if not any(self.hours.values()):
            return 0
        peaks, same = self._peaks(), self._same_hour(at)
        peak = sorted(peaks)[len(peaks) * 9 // 10]
        return max(peak, sorted(same)[len(same) // 2] if same else 0)

    def _peaks(self) -> list[int]:
        """Return the dearest hour of each UTC day since the first use."""
        day = utc_day(min(hour for hour, nanos in self.hours.items() if nanos)).start
        peaks: dict[datetime, int] = defaultdict(int)
        for hour, nanos in self.hours.items():
            start = utc_day(hour).start
            peaks[start] = max(peaks[start], nanos)
        return [peaks[day + DAY * n] for n in range(-((day - self.window.end) // DAY))]

    def _same_hour(self, at: datetime) -> list[int]:
        """Return the dearest of the three hours around the same one of each earlier week."""
        hour = (at - HOUR).replace(minute=0, second=0, microsecond=0)
        weeks = [hour - WEEK * back for back in range(1, 5)]
        return [
            max(self.hours.get(one + HOUR * beside, 0) for beside in (-1, 0, 1))
            for one in weeks
            if one in self.window
        ]
