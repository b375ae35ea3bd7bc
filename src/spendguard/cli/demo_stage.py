"""Stage: the program, the simulated provider before it and the receiver behind it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime, timedelta
from pathlib import Path

from spendguard.app.program import App, configure
from spendguard.cli.demo_receiver import Received, Receiver
from spendguard.core.charges import Outcome
from spendguard.core.ledger import Kind
from spendguard.core.money import Money
from spendguard.core.windows import utc_day
from spendguard.core.world import Charged
from spendguard.simulator import Fault, Simulator, World
from spendguard.store.alerts import every_open
from spendguard.store.ledger import Stated

ACCOUNT = "openai-main"
CARD = "visa-1881"
TRIGGER, AMOUNT = Money.parse("5.00", "USD"), Money.parse("10.00", "USD")
KEY = "sk-admin-of-the-demo-0001"


class Stage:
    """What the story moves: a clock that the program and the world share, and both of them."""

    def __init__(
        self, world: World, simulator: Simulator, receiver: Receiver, config: Path, now: datetime
    ) -> None:
        self.world = world
        self.config = config
        self.now = now
        self.floor: Money | None = None
        self.before: Money | None = None  # the floor at the look before the last
        self.on_card: Money | None = None  # as far as spendguard knows
        self._simulator = simulator
        self._receiver = receiver
        self.app = self._program()

    def _program(self) -> App:
        return App(configure(str(self.config), {}), {}, lambda: self.now)

    def close(self) -> None:
        """Close the program."""
        self.app.close()

    def move(self, now: datetime) -> None:
        """Set the clock."""
        self.now = self.world.now = now

    def look(self) -> list[Received]:
        """Poll, evaluate and deliver, and once a day the rest; return what arrived."""
        account = self.app.account(ACCOUNT)
        self.app.poll(account)
        judged = self.app.evaluate(account)
        if judged.facts is not None and judged.facts.position is not None:
            self.before, self.floor = self.floor, judged.facts.position.floor
        for finding in judged.findings:
            balance = finding.values.get("balance")
            if finding.rule == "card-short" and isinstance(balance, Money):
                self.on_card = balance
        if self.now == utc_day(self.now).start:
            self.app.evaluate_guard()
            self.app.retain()
        self.app.deliver()
        return self._receiver.take()

    def state_balance(self, amount: Money) -> None:
        """State the balance, as the billing page shows it."""
        self.app.set_balance(ACCOUNT, Stated(Kind.CHECKPOINT, amount, self.now))

    def tell_recharge(self) -> None:
        """Write the recharge and its card into the configuration, and start the program anew."""
        self.app.close()
        text = self.config.read_text(encoding="utf-8").replace(_CHANNELS, _RECHARGE + _CHANNELS)
        self.config.write_text(text, encoding="utf-8")
        self.app = self._program()
        self.app.prepare()

    def state_card(self) -> Money:
        """State what the card holds, as its bank shows it."""
        held = self.card_at(self.now)
        self.app.set_card(CARD, held, self.now)
        return held

    def card_at(self, instant: datetime) -> Money:
        """Return what the card truly holds, which no API tells either."""
        assert self.world.card is not None  # noqa: S101  the story gave it one
        return self.world.card.balance_at(instant)

    def enter(self, charge: Charged, reason: str) -> None:
        """Enter a charge that the provider's mail tells of."""
        outcome = Outcome.SUCCEEDED if charge.succeeded else Outcome.FAILED
        stated = Stated(
            Kind.CHARGE, charge.amount, self.now, outcome=outcome, card=CARD, reason=reason
        )
        self.app.add_charge(ACCOUNT, stated)

    def acknowledge(self, rule: str) -> str:
        """Acknowledge the open alert of a rule, and return its id."""
        with self.app.store.begin() as tx:
            (found,) = (str(one.id) for one in every_open(tx) if one.alert.rule == rule)
        self.app.acknowledge(found)
        return found

    def fail(self, length: timedelta) -> None:
        """Let the provider answer nothing but errors for a while."""
        self._simulator.fault(Fault.OVERLOADED, lasting=length)


@contextmanager
def stage(world: World, directory: Path, now: datetime) -> Iterator[Stage]:
    """Yield a stage whose configuration and database are files in a directory, and stay there."""
    with Simulator(world, KEY) as simulator, Receiver() as receiver:
        config = _write(directory, simulator.url, receiver.url)
        with closing(Stage(world, simulator, receiver, config, now)) as made:
            made.move(world.began_at)
            made.app.prepare()
            yield made


def _write(directory: Path, base_url: str, channel: str) -> Path:
    references = {}
    for name, secret in (("key", KEY), ("channel", channel)):
        file = directory / f"{name}.secret"
        file.touch(mode=0o600)
        file.write_text(f"{secret}\n", encoding="utf-8")
        references[name] = json.dumps(f"file:{file}", ensure_ascii=False)
    config = directory / "spendguard.toml"
    text = _FILE.format(account=ACCOUNT, base_url=base_url, **references)
    config.write_text(text, encoding="utf-8")
    return config


_CHANNELS = "\n[[channels]]"
_RECHARGE = f"""\
card = "{CARD}"

[accounts.recharge]
enabled = true
trigger = "{TRIGGER.exact()}"
amount = "{AMOUNT.exact()}"

[[cards]]
name = "{CARD}"
"""
_FILE = """\
# Written by `spendguard demo`. The provider it reads was simulated, and is gone.

[database]
url = "sqlite:///spendguard.db"

[[accounts]]
name = "{account}"
provider = "openai"
key = {key}
base_url = "{base_url}"
poll_interval = "1h"

[[channels]]
name = "demo"
url = {channel}

# A model that no public list knows: what it costs is stated.
[[prices]]
model = "gpt-6-astra-mini"
input = "2.00"
output = "10.00"
"""
