"""Traffic: what an account spends, hour by hour, as a function of a seed and of nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from spendguard.core.money import Money
from spendguard.core.windows import DAY, HOUR, Window, utc_day
from spendguard.core.world import Spending
from spendguard.simulator.books import Cell
from spendguard.simulator.dice import dice
from spendguard.simulator.sheet import metered, whole
from spendguard.simulator.world import World

BY_DAY = 120  # percent of the mean in working hours; the night has what is left
BY_NIGHT = 80
BURSTS_OF_A_LEAK = 60


@dataclass(frozen=True, slots=True)
class Stream:
    """A steady source of usage: an api key that uses a model, and what it costs in a mean day.

    An hour's usage comes in so many `bursts`, each an instant.
    """

    project: str
    api_key: str
    model: str
    per_day: Money
    tier: str = ""
    bursts: int = 1


def hour(stream: Stream, seed: int, start: datetime) -> Iterator[Spending]:
    """Yield what a stream spends in the hour from `start`: input tokens, then output tokens.

    Each amount pays for whole tokens, so that usage and money tell the same.
    """
    chance = dice(seed, stream.project, stream.api_key, stream.model, start.isoformat())
    share = (BY_DAY if 7 <= start.hour < 19 else BY_NIGHT) * chance.randint(60, 140)
    total = stream.per_day.part(share, 24 * 100 * 100 * stream.bursts)
    read = total.part(chance.randint(20, 50), 100)
    for _ in range(stream.bursts):
        at = start + timedelta(seconds=chance.randrange(3600))
        yield from _burst(stream, at, read, total - read)


def _burst(stream: Stream, at: datetime, read: Money, written: Money) -> Iterator[Spending]:
    for kind, amount in (("input_tokens", read), ("output_tokens", written)):
        item = ", ".join(filter(None, (stream.model, kind, stream.tier)))
        asked = Spending(at, amount, stream.project, stream.api_key, item, stream.model)
        what = metered(asked)
        yield replace(asked, amount=whole(amount, what)) if what else asked


def leaked(
    streams: Iterable[Stream], *, project: str, api_key: str, model: str, times: int = 10
) -> Stream:
    """Return what somebody spends who got hold of a key: so many times all streams together."""
    all_of_them = [stream.per_day for stream in streams]
    normal = sum(amount.nanos for amount in all_of_them)
    per_day = Money(normal * times, all_of_them[0].currency)
    return Stream(project, api_key, model, per_day, bursts=BURSTS_OF_A_LEAK)


def feed(world: World, streams: Iterable[Stream], window: Window, *, seed: int = 0) -> None:
    """Script the traffic of every whole hour that begins in a window."""
    hours = _hours(window)
    with world.lock:
        for stream in streams:
            for start in hours:
                for spending in hour(stream, seed, start):
                    world.billing.add(spending)


def restate_at_random(world: World, window: Window, *, seed: int = 0, percent: int = 30) -> None:
    """Restate about `percent` of a window's days, one to three days late, by up to a tenth.

    The days are taken as scripted so far: feed the traffic first.
    """
    for at, day, cell, nanos in list(_restatements(world, window, seed, percent)):
        world.restate(
            at,
            day,
            Money(nanos, world.billing.terms.currency),
            project=cell.project,
            api_key=cell.api_key,
            line_item=cell.line_item,
        )


def _restatements(
    world: World, window: Window, seed: int, percent: int
) -> Iterator[tuple[datetime, datetime, Cell, int]]:
    day = utc_day(window.start).start
    while day < window.end:
        chance = dice(seed, day.isoformat())
        at = day + DAY + timedelta(hours=chance.randint(6, 72))
        rows = sorted(world.booked(day, at).items())
        if rows and chance.randrange(100) < percent:
            cell, nanos = chance.choice(rows)
            yield at, day, cell, nanos * chance.randint(-100, 100) // 1000
        day += DAY


def _hours(window: Window) -> list[datetime]:
    first = window.start.replace(minute=0, second=0, microsecond=0)
    if first < window.start:
        first += HOUR
    return [first + HOUR * n for n in range(max(0, -((first - window.end) // HOUR)))]
