"""A guard that is killed again and again, beside one that never is, in a world that goes on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import datetime
from math import inf
from pathlib import Path
from time import perf_counter

from spendguard.app.clock import utc_now
from spendguard.app.program import App, configure
from spendguard.core.ledger import Kind
from spendguard.core.money import Money
from spendguard.core.windows import DAY, utc_day
from spendguard.simulator import Fault, Simulator, World
from spendguard.simulator.dice import dice
from spendguard.store.ledger import Stated
from tests.system import books
from tests.system.program import KEY, Program, account, channel
from tests.system.webhook import Webhook

LONGEST = 60.0  # seconds
ITEMS = ("gpt-6-astra, input_tokens", "gpt-6-astra, output_tokens", "web search")
FAULTS = (Fault.OVERLOADED, Fault.REVOKED, Fault.TRUNCATED)
LOUD = 'severities = ["critical"]'


class Life:
    """An account whose guard is killed again and again, beside one whose guard never is."""

    def __init__(self, seed: int, directory: Path, ends: ExitStack, settings: str = "") -> None:
        self.chance = dice("kill", seed)
        self.began_at = utc_now()
        self.stated_at = utc_day(self.began_at).start - DAY * 10
        self.world = World(self.began_at, clock=utc_now)
        self.world.purchase(self.stated_at - DAY * 20, "100000.00")
        for day in range(12):
            self.spend(self.began_at - DAY * day, 2_000_000_000)
        self.simulator = ends.enter_context(Simulator(self.world, KEY))
        self.hooks = {name: ends.enter_context(Webhook()) for name in ("all", "loud")}
        other = ends.enter_context(Webhook())
        table = account(self.simulator.url) + settings
        told = channel("all", self.hooks["all"].url) + channel("loud", self.hooks["loud"].url, LOUD)
        self.run = Program(directory / "killed", table + told)
        self.calmly = Program(directory / "calm", table + channel("all", other.url))
        self.calm = ends.enter_context(self.open(self.calmly))
        self.calm.prepare()
        self.known = dict.fromkeys(self.hooks, (0, 0))  # arrived, recorded as delivered
        self.counts: Counter[str] = Counter()
        self.lasts, self.events = 1.0, 12
        self.credit = Money.parse("12.00", "USD")

    def open(self, program: Program) -> App:
        return App(configure(str(program.config), program.env), program.env)

    # the world goes on

    def spend(self, at: datetime, most: int) -> None:
        amount = Money(self.chance.randrange(1, most), "USD")
        item, number = self.chance.choice(ITEMS), self.chance.randrange(3)
        self.world.spend(
            at, amount, project=f"proj_{number}", api_key=f"key_{number}", line_item=item
        )

    def happen(self) -> None:
        """Let the world go on: more spend, corrections, faults, dead channels, credit."""
        self.spend(utc_now(), 5_000_000_000)
        if self.chance.random() < 0.5:
            self.restate()
        self.simulator.clear()
        if self.chance.random() < 0.25:
            self.simulator.fault(self.chance.choice(FAULTS))
        for hook in self.hooks.values():
            hook.down = self.chance.random() < 0.2
        if self.floor.nanos < 0:
            self.deposit(f"{self.chance.randrange(600, 1200) / 100:.2f}")

    def restate(self) -> None:
        now = utc_now()
        day = utc_day(now).start - DAY * self.chance.randrange(1, 7)
        rows = sorted(self.world.booked(day).items())
        if not rows:
            return
        cell, nanos = self.chance.choice(rows)
        if self.chance.random() < 0.2:
            self.world.erase(now, day, line_item=cell.line_item)
            return
        part = nanos * self.chance.randint(-50, 60) // 100
        self.world.restate(
            now,
            day,
            Money(part, "USD"),
            project=cell.project,
            api_key=cell.api_key,
            line_item=cell.line_item,
        )

    @property
    def floor(self) -> Money:
        """What is left by the books of the world."""
        return self.credit - sum(
            (self.world.booked_in(utc_day(day)) for day in self.days(self.stated_at)),
            Money(0, "USD"),
        )

    def days(self, since: datetime) -> Iterator[datetime]:
        day = utc_day(since).start
        while day <= utc_now():
            yield day
            day += DAY

    def spend_down_to(self, floor: Money) -> None:
        item = ITEMS[0]
        self.world.spend(utc_now(), self.floor - floor, project="proj_0", line_item=item)

    # what a person states, to both guards

    def deposit(self, amount: str) -> None:
        """State the same deposit to both guards."""
        credit = Money.parse(amount, "USD")
        self.credit += credit
        stated = Stated(Kind.DEPOSIT, credit, utc_now())
        self.calm.add_credit("openai-main", stated)
        with self.open(self.run) as app:
            app.add_credit("openai-main", stated)

    def state_balance(self) -> None:
        stated = Stated(Kind.CHECKPOINT, self.credit, self.stated_at)
        self.calm.set_balance("openai-main", stated)
        with self.open(self.run) as app:
            app.set_balance("openai-main", stated)

    # what can be seen from outside

    def wait(
        self,
        over: Callable[[float], bool],
        seconds: float = LONGEST,
        until: float = inf,
        taken: float = inf,
    ) -> None:
        """Wait for a time, or so many requests or messages in all, or the end.

        `over` waits for a moment and tells whether the process has ended.
        """
        begun = perf_counter()
        while perf_counter() - begun < seconds and self.seen < until and self.taken < taken:
            if over(0.001):
                return

    @property
    def taken(self) -> int:
        """How many messages were brought so far."""
        return sum(hook.requests for hook in self.hooks.values())

    @property
    def seen(self) -> int:
        """How much of the guard could be seen from outside so far."""
        return len(self.simulator.requests) + self.taken

    def account_for(self, *, killed: bool) -> None:
        """Compare what arrived with what the database says was delivered, message by message."""
        for hook in self.hooks.values():
            hook.settle()
        if not books.made(self.run.database):
            return
        assert books.whole(self.run.database)
        rows = books.outbox(self.run.database)
        for name, hook in self.hooks.items():
            mine = [row for row in rows if row["channel"] == name]
            recorded = sum(row["state"] == "delivered" for row in mine)
            claimed = sum(row["state"] == "owed" and row["claim"] is not None for row in mine)
            was_arrived, was_recorded = self.known[name]
            arrived = len(hook.messages) - was_arrived
            doubtful = arrived - (recorded - was_recorded)
            assert claimed <= int(killed)
            assert 0 <= doubtful <= claimed  # one that arrived unrecorded is what may be repeated
            self.counts["repeats"] += doubtful
            self.counts["claims left behind"] += claimed
            self.known[name] = len(hook.messages), recorded

    # what must be so in the end

    def same_books(self) -> None:
        """Find the same spend in both databases and in the world, to the nano, and both sound."""
        world = books.booked(self.world, self.days(self.stated_at - DAY * 2))
        both = self.run.database, self.calmly.database
        assert books.spend(both[0]) == books.spend(both[1]) == world
        for each in both:
            assert books.whole(each)
            assert books.rolled_up(each)
            assert books.trail_fits(each)

    def balance(self, program: Program) -> tuple[str, str]:
        (one,) = program("status", "--json").json["accounts"]
        return one["balance"]["floor"], one["balance"]["billed"]

    def nothing_is_owed(self) -> None:
        """Find each message delivered or told with another, and everything said resolved or true."""
        database = self.run.database
        states = Counter(row["state"] for row in books.outbox(database))
        assert set(states) <= {"delivered", "folded"}
        for name, hook in self.hooks.items():
            delivered = [row for row in books.outbox(database) if row["channel"] == name]
            count = sum(row["state"] == "delivered" for row in delivered)
            assert len(hook.messages) - count <= self.counts["kills"]
            assert not books.unresolved(database, name) & books.ended(database)
        assert books.said(database) <= books.told(database, "all")
        self.counts["messages"] = states["delivered"]
