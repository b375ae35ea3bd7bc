"""Forecasts: how spend goes on, as a fan of cumulative amounts, and when it reaches a level.

The fan is the whole distribution that is kept: since spend only adds up, the instant by which a
level is reached with a chance of 10 % is where the 90 % line of the fan reaches it.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import accumulate, pairwise
from typing import Any

from spendguard.core.windows import HOUR, Window

HORIZON = timedelta(days=14)
HOURS = HORIZON // HOUR
WEEK = 7 * 24
LEVELS = (5, 10, 20, 30, 40, 50, 60, 70, 80, 90, 95)
"""The percents at which the fan is kept."""
CAUTIOUS = 90
"""The line of the fan by which a card must be filled: one time in ten spend is faster still."""
LONGEST = timedelta(days=36500)
_MICROSECOND = timedelta(microseconds=1)
_HOUR = HOUR // _MICROSECOND
_MOST_WEEKS = LONGEST // (HOUR * WEEK)


@dataclass(frozen=True, slots=True)
class Spent:
    """What was spent over a window; `estimated` where usage was priced and nothing is booked yet."""

    window: Window
    nanos: int
    estimated: bool = False


@dataclass(frozen=True, slots=True)
class History:
    """The spend that a forecast rests on: a `kind` of 'booked', 'estimated' or 'mixed'.

    `hours` are those known by the hour; `days` those of which only the sum is known.
    """

    window: Window
    hours: int
    days: int
    kind: str


@dataclass(frozen=True, slots=True)
class Path:
    """One course of spend: what is spent from `start` to the end of each hour after it, in nanos.

    Past its end the last week repeats.
    """

    start: datetime
    spent: Sequence[int]

    def until(self, at: datetime) -> int:
        """Return what is spent from the start up to an instant; nothing before the start."""
        past = max((at - self.start) // _MICROSECOND, 0)
        whole, rest = divmod(past, _HOUR)
        before = self._sum(whole)
        return before + (self._sum(whole + 1) - before) * rest // _HOUR

    def reaches(self, nanos: int) -> datetime | None:
        """Return the first instant at which so much is spent, None where that is never reached.

        Nothing, and less, is reached at the start.
        """
        if nanos <= 0:
            return self.start
        rounds = 0
        if nanos > self.spent[-1]:
            week = self._week
            if week <= 0:
                return None
            rounds = -(-(nanos - self.spent[-1]) // week)
            if rounds > _MOST_WEEKS:
                return None
            nanos -= rounds * week
        hour = bisect_left(self.spent, nanos)
        before = self.spent[hour - 1] if hour else 0
        part = -(-(nanos - before) * _HOUR // (self.spent[hour] - before))
        return self.start + ((rounds * WEEK + hour) * _HOUR + part) * _MICROSECOND

    def between(self, start: datetime, end: datetime) -> int:
        """Return what is spent from one instant to another."""
        return self.until(end) - self.until(start)

    def after(self, start: datetime, nanos: int) -> datetime | None:
        """Return when so much is spent from `start` on; nothing is, once anything is."""
        at = self.reaches(self.until(start) + (nanos or 1))
        return None if at is None else max(at, start)

    @property
    def _week(self) -> int:
        return self.spent[-1] - self.spent[-1 - WEEK]

    def _sum(self, hours: int) -> int:
        beyond = hours - len(self.spent)
        if beyond <= 0:
            return self.spent[hours - 1] if hours else 0
        rounds = -(-beyond // WEEK)
        return rounds * self._week + self.spent[hours - rounds * WEEK - 1]


@dataclass(frozen=True, slots=True)
class Passage:
    """When something happens: by which instant one, five and nine times in ten; None: later."""

    p10: datetime | None
    p50: datetime | None
    p90: datetime | None


@dataclass(frozen=True, slots=True)
class Forecast:
    """How spend is expected to go on from `start`, where what is known ends.

    `fan` holds the cumulative nanos at the end of each hour, by percent. It is empty where the
    forecast is `silent`, which says why: 'no-history', 'too-short' or 'idle'.
    """

    made_at: datetime
    start: datetime
    currency: str
    history: History | None
    fan: Mapping[int, Sequence[int]]
    silent: str = ""

    @property
    def end(self) -> datetime:
        """The instant up to which it tells something."""
        return self.start + HORIZON

    def path(self, percent: int) -> Path | None:
        """Return the course of spend that is not exceeded `percent` times in a hundred."""
        line = self.fan.get(percent)
        return None if line is None else Path(self.start, line)

    def passage(self, nanos: int) -> Passage:
        """Return when so much will have been spent; what lies beyond the horizon is not told."""
        return Passage(*(self.by(nanos, chance) for chance in (10, 50, 90)))

    def by(self, nanos: int, chance: int) -> datetime | None:
        """Return by when so much is spent `chance` times in a hundred, None beyond the horizon."""
        path = self.path(100 - chance)
        if path is None or nanos > path.spent[-1]:
            return None
        return path.reaches(nanos)

    def stored(self) -> dict[str, Any]:
        """Return it as JSON data; the fan as what each hour adds."""
        return {
            "made_at": self.made_at.isoformat(),
            "start": self.start.isoformat(),
            "currency": self.currency,
            "history": None
            if self.history is None
            else {
                "start": self.history.window.start.isoformat(),
                "end": self.history.window.end.isoformat(),
                "hours": self.history.hours,
                "days": self.history.days,
                "kind": self.history.kind,
            },
            "silent": self.silent,
            "fan": {str(percent): _steps(line) for percent, line in self.fan.items()},
        }

    @classmethod
    def restored(cls, stored: Mapping[str, Any]) -> Forecast:
        """Return the forecast that was `stored`."""
        told = stored["history"]
        return cls(
            made_at=datetime.fromisoformat(stored["made_at"]),
            start=datetime.fromisoformat(stored["start"]),
            currency=stored["currency"],
            history=None
            if told is None
            else History(
                Window(datetime.fromisoformat(told["start"]), datetime.fromisoformat(told["end"])),
                told["hours"],
                told["days"],
                told["kind"],
            ),
            fan={
                int(percent): array("q", accumulate(line))
                for percent, line in stored["fan"].items()
            },
            silent=stored["silent"],
        )


def _steps(line: Sequence[int]) -> list[int]:
    return [after - before for before, after in pairwise((0, *line))]
