"""Accounts that were never real: hourly spend of many habits, as a function of a seed.

A day's noise follows the day before it a little; an hour's is its own. Amounts are in billionths.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt

from spendguard.core.forecasts import HOURS, Spent
from spendguard.core.windows import DAY, HOUR, Window, utc_day

Floats = npt.NDArray[np.float64]
Chance = np.random.Generator
BEGIN = datetime(2026, 1, 5, tzinfo=UTC)  # a Monday
DAYS = 84 + 14
LENGTH = DAYS * 24
T = np.arange(LENGTH)
HOUR_OF_DAY = T % 24
STATIONARY = ("steady", "office hours", "weekly", "weekend silence", "batch jobs")


@dataclass(frozen=True, slots=True)
class Case:
    """A moment in an account's life: what was spent before it, and what came after."""

    habit: str
    at: datetime
    before: Floats  # by the hour
    after: Floats  # the next 14 days

    def spent(self, *, by_day: bool) -> list[Spent]:
        """Return what is known then, by the hour or, as costs come, by UTC day so far."""
        begin = self.at - HOUR * len(self.before)
        hours = [Window(begin + HOUR * n, begin + HOUR * (n + 1)) for n in range(len(self.before))]
        nanos = np.rint(self.before).astype(np.int64).tolist()
        if not by_day:
            return [Spent(one, many) for one, many in zip(hours, nanos, strict=True)]
        sums: dict[datetime, int] = {}
        for one, many in zip(hours, nanos, strict=True):
            day = utc_day(one.start).start
            sums[day] = sums.get(day, 0) + many
        return [Spent(Window(day, min(day + DAY, self.at)), many) for day, many in sums.items()]


def _noise(chance: Chance, of_day: float, of_hour: float) -> Floats:
    spread, kept = float(np.sqrt(np.log1p(of_day**2))), 0.3
    shocks = chance.normal(size=DAYS)
    for day in range(1, DAYS):
        shocks[day] = kept * shocks[day - 1] + np.sqrt(1 - kept**2) * shocks[day]
    shape = 1 / of_hour**2
    days = np.repeat(np.exp(spread * shocks - spread**2 / 2), 24)
    return np.asarray(days * chance.gamma(shape, 1 / shape, size=LENGTH))


def _usual(chance: Chance, base: Floats, calmest: float = 0.05, wildest: float = 0.4) -> Floats:
    of_day, of_hour = float(chance.uniform(calmest, wildest)), float(chance.uniform(0.1, 1.0))
    return base * _noise(chance, of_day, of_hour)


def _wave(height: float) -> Floats:
    return np.asarray(1 + height * np.sin((HOUR_OF_DAY - 8) / 24 * 2 * np.pi))


def _weekday(chance: Chance) -> npt.NDArray[np.int64]:
    return (T // 24 + int(chance.integers(7))) % 7


def _steady(chance: Chance) -> Floats:
    return _usual(chance, np.ones(LENGTH), 0.02, 0.25)


def _office(chance: Chance) -> Floats:
    weekday, rest = _weekday(chance), float(chance.uniform(0.02, 0.3))
    busy = (HOUR_OF_DAY >= 8) & (HOUR_OF_DAY < 18) & (weekday < 5)
    return _usual(chance, np.where(busy, 1.0, rest))


def _weekly(chance: Chance) -> Floats:
    weekday = _weekday(chance)
    return _usual(chance, chance.uniform(0.3, 1.5, 7)[weekday] * _wave(0.6))


def _weekend(chance: Chance) -> Floats:
    weekday = _weekday(chance)
    day = np.where((HOUR_OF_DAY >= 7) & (HOUR_OF_DAY < 20), 1.0, 0.1)
    return _usual(chance, np.where(weekday < 5, day, 0.0))


def _batch(chance: Chance) -> Floats:
    weekday, at = _weekday(chance), int(chance.integers(24))
    days = chance.choice(7, int(chance.integers(1, 8)), replace=False)
    runs = (at <= HOUR_OF_DAY) & (at + 3 > HOUR_OF_DAY) & np.isin(weekday, days)
    return _usual(chance, np.where(runs, 10.0, 0.02))


def _growth(chance: Chance) -> Floats:
    rate = float(chance.uniform(-0.03, 0.06))
    return _usual(chance, np.exp(rate * (T / 24 - DAYS)) * _wave(0.5))


def _launch(chance: Chance) -> Floats:
    day, times = int(chance.integers(40, 80)), float(chance.uniform(2, 6))
    week = np.where(_weekday(chance) < 5, 1.0, 0.6)
    return _usual(chance, np.where(day * 24 <= T, times, 1.0) * _wave(0.5) * week)


def _shift(chance: Chance) -> Floats:
    base = _wave(0.4)
    for day in chance.choice(np.arange(20, 95), int(chance.integers(1, 4)), replace=False):
        base[day * 24 :] *= float(np.exp(chance.normal(0, 0.8)))
    return _usual(chance, base)


def _bursts(chance: Chance) -> Floats:
    spend = 0.5 * _usual(chance, np.ones(LENGTH))
    for at in np.flatnonzero(chance.random(LENGTH) < float(chance.uniform(0.003, 0.02))):
        spend[at : at + int(chance.integers(1, 10))] += float(chance.gamma(1.5, 6))
    return spend


def _jobs(chance: Chance) -> Floats:
    spend = np.zeros(LENGTH)
    for day in np.flatnonzero(chance.random(DAYS) < float(chance.uniform(0.15, 0.6))):
        at = day * 24 + int(chance.integers(8, 20))
        spend[at : at + int(chance.integers(1, 6))] += float(chance.gamma(2, 2))
    return spend


HABITS: dict[str, Callable[[Chance], Floats]] = {
    "steady": _steady,
    "office hours": _office,
    "weekly": _weekly,
    "weekend silence": _weekend,
    "batch jobs": _batch,
    "growth": _growth,
    "launch": _launch,
    "level shift": _shift,
    "bursts": _bursts,
    "sporadic jobs": _jobs,
}


def _calls(chance: Chance) -> Floats:
    """Requests by chance, each of a cost of its own."""
    rate = np.exp(chance.uniform(np.log(0.5), np.log(40))) * _wave(float(chance.uniform(0, 0.9)))
    return np.asarray(chance.gamma(np.maximum(chance.poisson(rate), 1e-9) / 1.5))


def _holidays(chance: Chance) -> Floats:
    """Weeks of work, some days of which nobody comes."""
    weekday, rest = _weekday(chance), float(chance.uniform(0, 0.1))
    away = np.repeat(chance.random(DAYS) < float(chance.uniform(0.01, 0.06)), 24)
    busy = (HOUR_OF_DAY >= 9) & (HOUR_OF_DAY < 19) & (weekday < 5) & ~away
    lunch = np.where(HOUR_OF_DAY == 13, 0.5, 1.0)
    return np.asarray(np.where(busy, lunch, rest) * chance.gamma(2, 0.5, size=LENGTH))


def _month(chance: Chance) -> Floats:
    """A small base, and large jobs on some days of the month."""
    of_month = (T // 24 + int(chance.integers(30))) % 30
    days = chance.choice(30, int(chance.integers(1, 5)), replace=False)
    runs = np.isin(of_month, days) & (HOUR_OF_DAY >= 2) & (HOUR_OF_DAY < 8)
    size = float(chance.uniform(2, 20))
    return np.asarray(np.where(runs, size, 1.0) * chance.gamma(4, 0.25, size=LENGTH))


def _wandering(chance: Chance) -> Floats:
    """Hours that follow the hour before them."""
    kept, spread = float(chance.uniform(0.8, 0.995)), float(chance.uniform(0.1, 0.6))
    steps, state = chance.normal(size=LENGTH), np.zeros(LENGTH)
    for hour in range(1, LENGTH):
        state[hour] = kept * state[hour - 1] + np.sqrt(1 - kept**2) * steps[hour]
    return np.asarray(np.exp(spread * state) * _wave(0.3))


def _rising(chance: Chance) -> Floats:
    """The same growth day after day."""
    rate = float(chance.uniform(0.005, 0.04))
    return np.asarray(chance.poisson(np.exp(rate * T / 24) * 20 * _wave(0.4)) / 20.0)


def _steps(chance: Chance) -> Floats:
    """Another level now and then, at once."""
    level = np.ones(LENGTH)
    for at in np.flatnonzero(chance.random(DAYS) < float(chance.uniform(0.01, 0.05))):
        level[at * 24 :] *= float(chance.choice([0.5, 0.67, 1.5, 2.0]))
    return np.asarray(level * chance.gamma(3, 1 / 3, size=LENGTH) * _wave(0.2))


def _on_and_off(chance: Chance) -> Floats:
    """Days of work and days of nothing, each as long as chance wills."""
    on, state = np.zeros(LENGTH), True
    stays = float(chance.uniform(0.6, 0.9))
    for day in range(DAYS):
        state = state if chance.random() < stays else not state
        on[day * 24 : day * 24 + 24] = state
    return np.asarray((0.02 + on) * _wave(0.7) * chance.gamma(2, 0.5, size=LENGTH))


UNTUNED: dict[str, Callable[[Chance], Floats]] = {
    "calls": _calls,
    "holidays": _holidays,
    "days of the month": _month,
    "wandering": _wandering,
    "rising": _rising,
    "steps": _steps,
    "on and off": _on_and_off,
}
"""Habits of other makes: what was chosen by the above must hold here too."""
YOUNG = ("steady", "office hours", "weekly", "batch jobs", "bursts")


def cases(accounts: int, seed: int, *, untuned: bool = False) -> Iterator[Case]:
    """Yield four moments of each of `accounts` accounts of every habit, the young ones included."""
    for habit in UNTUNED if untuned else (*HABITS, "young"):
        for number in range(accounts):
            chance = np.random.default_rng([seed, number, *habit.encode()])
            kind = str(chance.choice(YOUNG)) if habit == "young" else habit
            spend = {**HABITS, **UNTUNED}[kind](chance) * float(np.exp(chance.normal(0, 1.5))) * 1e8
            first = int(chance.integers(3, 68)) * 24 + int(chance.integers(24))
            for _ in range(4):
                at, begin = _moment(chance, habit, first)
                now = BEGIN + HOUR * at
                yield Case(habit, now, spend[begin:at], spend[at : at + HOURS])


def _moment(chance: Chance, habit: str, first: int) -> tuple[int, int]:
    """Return the hour of a forecast, and that from which the account is known."""
    if habit == "young":
        at = int(chance.integers(30 * 24, 84 * 24))
        return at, at - int(chance.integers(25, 72))
    if habit in {"level shift", "launch"}:
        at, first = int(chance.integers(42 * 24, 84 * 24)), 0
    else:
        at = int(chance.integers(first + 8 * 24, 84 * 24))
    return at, max(first, at - 56 * 24)
