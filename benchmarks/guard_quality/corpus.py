"""The corpus: how accounts spend, hour by hour, as a function of a kind and a seed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import exp
from random import Random

from spendguard.core.money import NANOS
from spendguard.core.windows import DAY, HOUR
from spendguard.core.world_run import Trace
from spendguard.simulator.dice import dice

BEGIN = datetime(2025, 1, 1, tzinfo=UTC)
YEAR = 365
SMALL = 6  # accounts on one card
Shares = list[float]


@dataclass(frozen=True, slots=True)
class Story:
    """What the accounts of one card spend; `leaks` are when a stolen key began to spend."""

    kind: str
    seed: int
    traces: Mapping[str, Trace]
    leaks: tuple[datetime, ...] = ()
    lag: timedelta = timedelta(hours=2)
    hidden: float = 0.0  # of a day's cost, until the day is corrected

    @property
    def end(self) -> datetime:
        """The last instant of spend."""
        return max(trace.at[-1] for trace in self.traces.values())

    @property
    def begin(self) -> datetime:
        """The first hour of spend."""
        first = min(trace.at[0] for trace in self.traces.values())
        return first.replace(minute=0, second=0, microsecond=0)


def _noise(chance: Random, spread: float) -> float:
    return exp(chance.gauss(-spread * spread / 2, spread))


def _steady(chance: Random, hours: int) -> Shares:
    return [_noise(chance, 0.3) for _ in range(hours)]


def _office(chance: Random, hours: int) -> Shares:
    begin, end = chance.choice([(7, 17), (8, 18), (14, 23)])
    quiet = chance.uniform(0.02, 0.15)
    return [
        _noise(chance, 0.4) * (1.0 if begin <= hour % 24 < end and (hour // 24) % 7 < 5 else quiet)
        for hour in range(hours)
    ]


def _weekly(chance: Random, hours: int) -> Shares:
    days = [_noise(chance, 0.8) for _ in range(7)]
    level = 1.0
    shares = []
    for hour in range(hours):
        if hour % 24 == 0:
            level *= _noise(chance, 0.05)
            level += (1.0 - level) * 0.03
        shares.append(level * days[hour // 24 % 7] * _noise(chance, 0.3))
    return shares


def _launch(chance: Random, hours: int) -> Shares:
    """A launch at some day: spend leaps, goes on growing, and then stays."""
    at = chance.randint(hours // 6, hours // 2)
    leap, growth = chance.uniform(2, 6), chance.uniform(0.005, 0.03) / 24
    grown = [
        leap * exp(growth * min(hour - at, 24 * 45)) if hour >= at else 1.0 for hour in range(hours)
    ]
    return [one * rest for one, rest in zip(grown, _weekly(chance, hours), strict=True)]


def _batch(chance: Random, hours: int) -> Shares:
    """Jobs every few days that cost several days' worth in some hours."""
    shares = [0.3 * _noise(chance, 0.3) for _ in range(hours)]
    every = chance.uniform(48, 170)
    at = chance.uniform(0, every)
    while at < hours:
        length = chance.randint(2, 8)
        for hour in range(int(at), min(int(at) + length, hours)):
            shares[hour] += 24 * chance.uniform(0.5, 1.5) * (every / 24) * 0.7 / length / 24
        at += every * chance.uniform(0.7, 1.3)
    return shares


def _dying(chance: Random, hours: int) -> Shares:
    """Use that fades, and stops for weeks at a time."""
    half = hours * chance.uniform(0.1, 0.3)
    stop = chance.randint(24 * 120, max(24 * 300, 24 * 120 + 1))
    return [
        share * 0.5 ** (hour / half) * (1.0 if (hour % stop) < stop * 0.8 else 0.0)
        for hour, share in enumerate(_weekly(chance, hours))
    ]


def _holidays(chance: Random, hours: int) -> Shares:
    """Office hours, with two long holidays and a few days off."""
    shares = _office(chance, hours)
    off: set[int] = set()
    for _ in range(2):
        first = chance.randint(20, YEAR - 30)
        off.update(range(first, first + chance.randint(9, 16)))
    off.update(chance.randrange(YEAR) for _ in range(8))
    return [0.05 * one if hour // 24 in off else one for hour, one in enumerate(shares)]


SHAPES: dict[str, Callable[[Random, int], Shares]] = {
    "steady": _steady,
    "office": _office,
    "weekly": _weekly,
    "launch": _launch,
    "batch": _batch,
    "leaked": _weekly,
    "dying": _dying,
    "many": _weekly,
    "restated": _office,
    "holidays": _holidays,
}
STATIONARY = ("steady", "office", "weekly")


def story(kind: str, seed: int, days: int = YEAR) -> Story:
    """Return one story of a kind."""
    chance = dice("guard quality", kind, seed)
    names = [f"a{n}" for n in range(SMALL if kind == "many" else 1)]
    leaks = tuple(_leaks(chance, days)) if kind == "leaked" else ()
    late = kind == "restated"
    return Story(
        kind,
        seed,
        {name: _trace(kind, chance, days, leaks) for name in names},
        leaks,
        lag=timedelta(hours=chance.choice([5, 8, 12])) if late else timedelta(hours=2),
        hidden=chance.uniform(0.03, 0.12) if late else 0.0,
    )


def _leaks(chance: Random, days: int) -> list[datetime]:
    """Return when a key leaks: a few times, weeks apart."""
    starts = range(40, days - 20, 90)
    return [
        BEGIN + DAY * (day + chance.randrange(30)) + HOUR * chance.randrange(24) for day in starts
    ]


def _trace(kind: str, chance: Random, days: int, leaks: Sequence[datetime]) -> Trace:
    small = kind == "many"
    per_day = exp(chance.uniform(*((-1.5, 0.8) if small else (-0.5, 3.4))))
    shares = SHAPES[kind](chance, days * 24)
    scale = per_day / (sum(shares) / days)
    spent = [share * scale for share in shares]
    for leak in leaks:
        first = (leak - BEGIN) // HOUR
        stolen = per_day / 24 * chance.uniform(8, 30)
        for hour in range(first, min(first + chance.randint(20, 60), len(spent))):
            spent[hour] += stolen * _noise(chance, 0.2)
    return Trace.of(
        (BEGIN + HOUR * hour + timedelta(seconds=chance.randrange(3600)), round(one * NANOS))
        for hour, one in enumerate(spent)
    )
