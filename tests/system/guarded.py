"""Accounts that share a card, watched by the real program while their worlds go on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from spendguard.app.program import App, Checked, configure
from spendguard.core.charges import Outcome
from spendguard.core.ledger import Kind
from spendguard.core.money import Money
from spendguard.core.windows import DAY, HOUR, utc_day
from spendguard.simulator import Simulator, World
from spendguard.store.ledger import Stated
from tests.system.program import KEY, Program, account, channel
from tests.system.webhook import Message, Webhook

RECHARGE = """
[accounts.recharge]
enabled = true
trigger = "5.00"
amount = "10.00"
"""
CARD = """
[[cards]]
name = "visa-1881"
margin = "2.00"
"""


def usd(text: str) -> Money:
    return Money.parse(text, "USD")


@dataclass
class Guarded:
    """The program, its worlds by account, and everything that was said, with its instant."""

    app: App
    program: Program
    worlds: dict[str, World]
    hook: Webhook
    now: datetime
    said: list[tuple[datetime, Message]] = field(default_factory=list)

    def check(self) -> Checked:
        """Read, judge and tell everything once, now."""
        for world in self.worlds.values():
            world.now = self.now
        checked = self.app.check()
        self.said += [(self.now, message) for message in self.hook.messages]
        self.hook.messages.clear()
        return checked

    def until(self, end: datetime, every: timedelta = HOUR * 3) -> Iterator[datetime]:
        """Check again and again until `end`; yield before each check."""
        while self.now < end:
            yield self.now
            self.check()
            self.now += every

    def titles(self, since: datetime | None = None) -> list[str]:
        """Return what was said, without greetings."""
        return [
            message.title
            for at, message in self.said
            if (since is None or at >= since) and not message.title.startswith("spendguard ")
        ]

    def spend(self, name: str, per_day: str, since: datetime, until: datetime) -> None:
        """Let an account spend evenly, an hour at a time."""
        amount = usd(per_day).part(1, 24)
        while since < until:
            self.worlds[name].spend(since, amount, line_item="gpt-6-astra, input_tokens")
            since += HOUR

    def balance(self, name: str, amount: str, at: datetime | None = None) -> None:
        self.app.set_balance(name, Stated(Kind.CHECKPOINT, usd(amount), at or self.now))

    def deposit(self, name: str, amount: str) -> str:
        return self.app.add_credit(name, Stated(Kind.DEPOSIT, usd(amount), self.now)).id

    def charge(self, name: str, amount: str, outcome: Outcome, reason: str = "") -> str:
        card = self.app.account(name).card
        stated = Stated(
            Kind.CHARGE, usd(amount), self.now, outcome=outcome, card=card, reason=reason
        )
        return self.app.add_charge(name, stated).id


@contextmanager
def guarded(directory: Path, now: datetime, tables: dict[str, str], rest: str) -> Iterator[Guarded]:
    """Yield the program with one simulated account for each name in `tables`."""
    with ExitStack() as ends:
        hook = ends.enter_context(Webhook())
        worlds = {name: World(utc_day(now).start - DAY * 40) for name in tables}
        simulators = {
            name: ends.enter_context(Simulator(world, KEY)) for name, world in worlds.items()
        }
        for world in worlds.values():
            world.purchase(utc_day(now).start - DAY * 39, "100000.00")
            world.now = now
        accounts = "".join(
            account(simulators[name].url, name=name) + table for name, table in tables.items()
        )
        program = Program(directory, accounts + rest + channel("ops", hook.url))
        configuration = configure(str(program.config), program.env)
        here: list[Guarded] = []
        app = ends.enter_context(App(configuration, program.env, lambda: here[0].now))
        here.append(Guarded(app, program, worlds, hook, now))
        app.prepare()
        yield here[0]
