"""Spikes: whether money goes faster than it usually does, by the account's own history.

The usual hour is what an account spends in the dearest hour of nine days in ten, or around the same
hour of the week in half of the weeks, whichever is more: a spike of the past does not teach that
spikes are usual. Days before an account was used, or used again, are no history.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from spendguard.core.money import Money
from spendguard.core.windows import DAY, HOUR, Window, utc_day

LOOK_BACK = DAY * 28
RECENT = timedelta(hours=26)  # what has just happened is no history yet
FEWEST = 3  # days of use, without which nothing is usual
CALM = timedelta(hours=2)
BURST = timedelta(minutes=5)
RUSH = timedelta(minutes=2)
WEEK = DAY * 7
BESIDE = (-HOUR, timedelta(0), HOUR)


@dataclass(frozen=True, slots=True)
class Cause:
    """Who spent most of what is above the usual: an api key, a model or a project."""

    kind: str
    id: str
    name: str
    percent: int  # of what is above the usual


@dataclass(frozen=True, slots=True)
class Rush:
    """What an api key spent in two minutes, in nanos, and from which amount on that is unlike it."""

    api_key: str
    nanos: int
    bound: int
    causes: tuple[Cause, ...] = ()


@dataclass(frozen=True, slots=True)
class Moment:
    """What was spent in the hour, the quarter of an hour and the burst before an instant, in nanos."""

    at: datetime
    hour: int
    quarter: int
    usual: int  # what such an hour usually costs
    burst: int = 0
    rush: Rush | None = None


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast money went of late, the oldest moment first, and what of it was acknowledged.

    `dearest` is what the dearest burst of the last days cost, `dearest_quarter` the dearest quarter
    of an hour of the last weeks; None where that is not known.
    """

    moments: tuple[Moment, ...]
    causes: tuple[Cause, ...] = ()
    accepted_at: datetime | None = None
    accepted: int = 0  # nanos an hour
    dearest: int | None = None
    dearest_quarter: int | None = None


@dataclass(frozen=True, slots=True)
class Usual:
    """What is usual for an account: the dearest hour of nine days in ten, and nanos by hour."""

    window: Window
    hours: Mapping[datetime, int]
    peak: int

    @classmethod
    def of(cls, hours: Mapping[datetime, int], window: Window) -> Usual | None:
        """Return what the hours of a window teach; None for want of history."""
        return cls.of_peaks(_peaks(hours, window), hours, window)

    @classmethod
    def of_peaks(
        cls, peaks: Sequence[int], hours: Mapping[datetime, int], window: Window
    ) -> Usual | None:
        """Return what they teach, given the dearest hour of each day since the first use."""
        ordered = sorted(peaks)
        if sum(peak > 0 for peak in ordered) < FEWEST:
            return None
        return cls(window, hours, ordered[len(ordered) * 9 // 10])

    def hour(self, at: datetime) -> int:
        """Return what the hour before an instant usually costs."""
        same = sorted(self._same_hour(at))
        return max(self.peak, same[len(same) // 2] if same else 0)

    def _same_hour(self, at: datetime) -> list[int]:
        """Return the dearest of the three hours around the same one of each earlier week."""
        hour = (at - HOUR).replace(minute=0, second=0, microsecond=0)
        weeks = [hour - WEEK * back for back in range(1, 5)]
        return [
            max([self.hours.get(one + beside, 0) for beside in BESIDE])
            for one in weeks
            if one in self.window
        ]


def looked_back(now: datetime, since: datetime) -> Window:
    """Return the history of what is usual, known since an instant; it may end before it begins."""
    return Window(max(now - LOOK_BACK - RECENT, since), now - RECENT)


def by_the_hour(values: Mapping[str, object]) -> int:
    """Return the nanos of an hour at the pace that a finding tells of, whatever it was seen in."""
    seen = ((values.get("spent"), HOUR), (values.get("burst"), BURST), (values.get("rush"), RUSH))
    paces = (one.nanos * (HOUR // length) for one, length in seen if isinstance(one, Money))
    return max(paces, default=0)


def _peaks(hours: Mapping[datetime, int], window: Window) -> list[int]:
    """Return the dearest hour of each UTC day since the first use."""
    first = min((hour for hour, nanos in hours.items() if nanos), default=None)
    if first is None:
        return []
    day = utc_day(first).start
    peaks = [0] * -((day - window.end) // DAY)
    for hour, nanos in hours.items():
        place = (hour - day) // DAY
        if place >= 0:
            peaks[place] = max(peaks[place], nanos)
    return peaks
