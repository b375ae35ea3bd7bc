"""Floor: how far the derived balance is from the true one, over a year of random traffic.

`python -m benchmarks.floor` plays the year in spans of ten days through the real poll, against the
simulator over HTTP. Each span has its own lags of costs and of usage, its own spenders, and days that
are restated; the balance is stated at random instants, and looked at after each poll. What is printed
is how far both ends of the derived balance were from the truth, and that the floor was above it by no
more than what could not be known then.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import repeat
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import TypeAlias
from zoneinfo import ZoneInfo

import httpx

from spendguard.core.accounts import Account
from spendguard.core.ledger import Kind
from spendguard.core.money import Money
from spendguard.core.windows import DAY, HOUR, Window, utc_day
from spendguard.core.world import Spending
from spendguard.pipeline.known import Plan, infer, know
from spendguard.pipeline.poll import poll
from spendguard.providers.base import Clients, Deadline
from spendguard.providers.openai import OpenAI
from spendguard.simulator import Simulator, Stream, World, feed, restate_at_random
from spendguard.simulator.dice import dice
from spendguard.store import due, ledger
from spendguard.store.connect import Store
from spendguard.store.ledger import Stated
from spendguard.store.migrate import upgrade

BEGIN = datetime(2026, 9, 1, tzinfo=UTC)
SPAN = 10  # days
BEFORE = DAY * 4
PERCENT = 30
KEY = "sk-admin-benchmark-0123456789"
ACCOUNT = Account("main", "openai", "env:KEY", "USD", timedelta(minutes=5))
MODELS = ("gpt-6-astra", "gpt-6-luna", "gpt-4o", "gpt-4o-mini")
LAGS = tuple(HOUR * hours for hours in (1, 3, 6, 12, 20, 26, 40))
USAGE_LAGS = tuple(timedelta(minutes=minutes) for minutes in (0, 2, 5, 10, 25, 60))
CORRECTABLE = timedelta(hours=48)
QUANTILES = (0, 1, 5, 25, 50, 75, 95, 99, 100)
STATED_IN = 0.03  # of the polls: every fourth day
PROCESSES = 2
WIDTH = 40
PLAN = Plan(ACCOUNT, (), ZoneInfo("UTC"))

Group: TypeAlias = tuple[datetime, str, str]  # UTC day, api key, model


@dataclass(frozen=True, slots=True)
class Look:
    """What was derived at an instant, and what was true, in nanos.

    `unseen` is what was used and usage did not show yet. Of corrections that came after the balance was
    stated, `hidden` are those that costs which are still missing hide, `old` those of days that
    had ended more than 48 hours before.
    """

    at: datetime
    floor: int
    billed: int
    truth: int
    unseen: int
    hidden: int
    old: int

    @property
    def above(self) -> int:
        """How far the floor is above the truth, beyond what usage had not shown."""
        return self.floor - self.truth - self.unseen

    @property
    def unexplained(self) -> int:
        """How far it is above it beyond what nobody could know."""
        return self.above - self.hidden - self.old


class Truth:
    """What truly happened in a world, once all of it is scripted."""

    def __init__(self, world: World, lag: timedelta, usage_lag: timedelta) -> None:
        self._world, self._lag, self._usage_lag = world, lag, usage_lag
        told = list(world.billing.spent())
        self._used = [(one, nanos) for one, nanos in told if not one.corrects]
        self._corrections = [(one, nanos) for one, nanos in told if one.corrects]

    def unseen(self, now: datetime) -> int:
        """Return what was used and is not shown by usage yet."""
        return sum(n for one, n in self._used if one.at <= now < one.at + self._usage_lag)

    def hidden(self, stated_at: datetime, now: datetime) -> int:
        """Return what costs that seem to be missing hide of corrections since a checkpoint.

        Who sees only what is booked in all cannot tell a correction from a part of what is missing.
        """
        since: dict[Group, int] = defaultdict(int)
        before: dict[Group, int] = defaultdict(int)
        for one, nanos in self._corrections:
            if one.at <= now:
                (since if one.at > stated_at else before)[_group(one)] += nanos
        return sum(
            max(min(nanos, self._missing(group, now) - before[group]), 0)
            for group, nanos in since.items()
        )

    def _missing(self, group: Group, now: datetime) -> int:
        """Return what of a key and model's day is used and not booked."""
        return sum(n for one, n in self._used if _group(one) == group and one.at + self._lag > now)

    def old(self, stated_at: datetime, now: datetime) -> int:
        """Return what was added since a checkpoint to days that had ended long before it."""
        return sum(
            max(nanos, 0)
            for one, nanos in self._corrections
            if stated_at < one.at <= now and _group(one)[0] + DAY < stated_at - CORRECTABLE
        )


def _group(one: Spending) -> Group:
    model = one.model or one.line_item.partition(",")[0]
    return utc_day(one.booked_for).start, one.api_key, model


@dataclass(frozen=True, slots=True)
class Span:
    """Some days of one account: how late costs and usage are, and who spends."""

    begin: datetime
    lag: timedelta
    usage_lag: timedelta
    streams: tuple[Stream, ...]

    @classmethod
    def drawn(cls, chance: Random, begin: datetime) -> Span:
        """Return a span as chance has it."""
        models = chance.sample(MODELS, chance.randint(1, 3))
        streams = (
            Stream("proj_a", f"key_{n}", model, _dollars(chance), bursts=chance.choice((1, 4, 20)))
            for n, model in enumerate(models)
        )
        at = begin + timedelta(seconds=chance.randrange(86_400))
        return cls(at, chance.choice(LAGS), chance.choice(USAGE_LAGS), tuple(streams))

    def world(self, days: int, seed: int, percent: int) -> World:
        """Return the world of the span with all that happens in it."""
        world = World(self.begin, lag=self.lag, usage_lag=self.usage_lag)
        world.purchase(self.begin - DAY * 99, "9000.00")
        window = Window(self.begin - BEFORE, self.begin + DAY * days)
        feed(world, self.streams, window, seed=seed)
        restate_at_random(world, window, seed=seed, percent=percent)
        return world


def _dollars(chance: Random) -> Money:
    return Money.parse(str(chance.randint(1, 30)), "USD")


def play(seed: int, days: int = SPAN, percent: int = PERCENT) -> list[Look]:
    """Play a span; return what was derived after each poll from the first checkpoint on."""
    chance = dice(seed)
    span = Span.drawn(chance, BEGIN + DAY * SPAN * seed)
    world = span.world(days, seed, percent)
    with TemporaryDirectory() as folder, Simulator(world, KEY) as simulator:
        store = Store(f"sqlite:///{Path(folder)}/floor.db")
        clients = Clients()
        try:
            upgrade(store)
            with store.begin() as tx:
                due.register(tx, [ACCOUNT])
            watch = Watch(store, world, simulator.url, clients.get(None))
            return [*watch.looks(Truth(world, span.lag, span.usage_lag), chance, span.begin, days)]
        finally:
            clients.close()
            store.close()


@dataclass(frozen=True, slots=True)
class Watch:
    """The account of a world, polled and asked for its balance."""

    store: Store
    world: World
    url: str
    http: httpx.Client

    def looks(self, truth: Truth, chance: Random, begin: datetime, days: int) -> Iterator[Look]:
        """Yield a look after each poll; the balance is stated at random instants between polls."""
        now, stated_at = begin, None
        self._poll(now)
        while now < begin + DAY * days:
            before, now = now, now + timedelta(seconds=chance.randrange(600, 18_000))
            if stated_at is None or chance.random() < STATED_IN:
                stated_at = before + (now - before) * chance.random()
                self._state(stated_at, now)
            self._poll(now)
            yield self._look(truth, stated_at, now)

    def _poll(self, now: datetime) -> None:
        self.world.now = now
        deadline = Deadline(time.monotonic, timedelta(seconds=60))
        openai = OpenAI(self.http, KEY, base_url=self.url, currency="USD", deadline=deadline)
        outcome = poll(self.store, ACCOUNT, openai, now)
        if outcome.error is not None:
            raise RuntimeError(f"the poll failed: {outcome.message}")

    def _state(self, at: datetime, now: datetime) -> None:
        stated = Stated(Kind.CHECKPOINT, self.world.balance_at(at), at)
        with self.store.begin() as tx:
            ledger.record(tx, due.load(tx, ACCOUNT.name).id, stated, now)

    def _look(self, truth: Truth, stated_at: datetime, now: datetime) -> Look:
        with self.store.begin() as tx:
            position = infer(tx, know(tx, PLAN, now), now).position
        if position is None:
            raise RuntimeError("the balance is not known")
        return Look(
            now,
            position.floor.nanos,
            position.billed.nanos,
            self.world.balance_at(now).nanos,
            truth.unseen(now),
            truth.hidden(stated_at, now),
            truth.old(stated_at, now),
        )


MEASURES: dict[str, Callable[[Look], int]] = {
    "floor - truth": lambda look: look.floor - look.truth,
    "billed - truth": lambda look: look.billed - look.truth,
    "floor - (truth + unseen)": lambda look: look.above,
    "... less hidden and old corrections": lambda look: look.unexplained,
}


def report(looks: Sequence[Look]) -> Iterator[str]:
    """Yield the table: quantiles in dollars of what the derived balance was off."""
    heads = (f"p{one}".rjust(9) for one in QUANTILES)
    yield f"{len(looks)} looks".ljust(WIDTH) + "".join(heads)
    for name, measure in MEASURES.items():
        found = sorted(measure(look) for look in looks)
        told = (found[(len(found) - 1) * one // 100] / 1e9 for one in QUANTILES)
        yield name.ljust(WIDTH) + "".join(f"{one:9.3f}" for one in told)
    above = [look for look in looks if look.above > 0]
    yield (
        f"above truth + unseen: {len(above)} looks. A correction was hidden in "
        f"{sum(look.hidden > 0 for look in above)} of them, too old in "
        f"{sum(look.old > 0 for look in above)}, neither explains "
        f"{sum(look.unexplained > 0 for look in above)}"
    )


def main(argv: list[str] | None = None) -> int:
    """Play the year and print the table; return 1 where the floor was higher than it may be."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.floor", description=__doc__)
    parser.add_argument("--spans", type=int, default=37, help="of ten days each; default: a year")
    parser.add_argument("--first", type=int, default=0, help="the number of the first; default: 0")
    parser.add_argument("--restated", type=int, default=PERCENT, help="percent of days restated")
    options = parser.parse_args(argv)
    seeds = range(options.first, options.first + options.spans)
    looks: list[Look] = []
    with ProcessPoolExecutor(PROCESSES) as pool:
        for found in pool.map(play, seeds, repeat(SPAN), repeat(options.restated)):
            looks += found
    sys.stdout.writelines(line + "\n" for line in report(looks))
    return int(any(look.unexplained > 0 for look in looks))


if __name__ == "__main__":
    sys.exit(main())
