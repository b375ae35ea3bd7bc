"""A replay says what the live program says: the same story through the store, and in memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from spendguard.app.benches import Benches
from spendguard.app.trial import alone, default_configuration, varied
from spendguard.config.configuration import Configuration
from spendguard.core.alerts import NotifyReason
from spendguard.core.charges import Outcome
from spendguard.core.ledger import Kind, purchase_expiry
from spendguard.core.money import Money
from spendguard.core.readings import Spend, SpendRead
from spendguard.core.routing import Channel
from spendguard.core.windows import DAY, HOUR, Window, utc_day
from spendguard.core.world import Charged, Terms
from spendguard.core.world_run import Trace
from spendguard.pipeline.evaluate import Family, evaluate_family
from spendguard.pipeline.replay import Played, Scenario, play, read_cards, read_stored, recorded
from spendguard.simulator.cards import Card
from spendguard.simulator.dice import dice
from spendguard.simulator.world import World
from spendguard.store import cards, due, ledger, readings
from spendguard.store.connect import Store
from spendguard.store.encoding import decode
from spendguard.store.history import History
from spendguard.store.ledger import Stated
from spendguard.store.schema import outbox as outbox_table
from tests.databases import opened

BEGIN = datetime(2026, 3, 2, tzinfo=UTC)
LAG = timedelta(hours=2)
EVERY = timedelta(hours=4)
Said = tuple[datetime, str, str, str, str, str]


def usd(text: str) -> Money:
    return Money.parse(text, "USD")


def configuration() -> Configuration:
    whole = default_configuration()
    return replace(alone(whole, whole.accounts[0]), channels=(Channel("ops"),))


def rows(days: int, per_day: str, seed: str) -> list[tuple[datetime, int]]:
    """An amount each hour, by day three times that of the night."""
    chance = dice(seed)
    mean = usd(per_day).nanos // 24
    return [
        (
            BEGIN + HOUR * hour + timedelta(seconds=chance.randrange(3600)),
            mean * (15 if 7 <= hour % 24 < 19 else 5) * chance.randint(50, 150) // 1000,
        )
        for hour in range(24 * days)
    ]


def scenario(
    spent: list[tuple[datetime, int]], balance: str, card: str | None, every: timedelta = EVERY
) -> Scenario:
    return Scenario(
        BEGIN,
        spent[-1][0],
        {"trace": Trace.of(spent)},
        {"trace": usd(balance)},
        None if card is None else usd(card),
        LAG,
        every,
        hourly=False,
    )


class Live:
    """The same story through the simulator's world, the store and its evaluations."""

    def __init__(self, store: Store, family: Family, played: Scenario) -> None:
        self.store, self.family, self.story = store, family, played
        self.card = Card("card")
        account = family.plans[0].account
        overdraft = account.recharge.overdraft if account.recharge else usd("2")
        terms = Terms("USD", overdraft=overdraft)
        self.world = World(BEGIN, terms=terms, lag=LAG, card=self.card)
        self.world.purchase(BEGIN, played.balances["trace"], expires_at=BEGIN + DAY * 4000)
        self.card.hold(BEGIN, played.card or "1000000000")
        if account.recharge and account.recharge.enabled:
            self.world.recharge(BEGIN, trigger=account.recharge.trigger, amount="10.00")
        trace = played.traces["trace"]
        for place, at in enumerate(trace.at):
            nanos = trace.until(place + 1) - trace.until(place)
            self.world.spend(at, Money(nanos, "USD"), line_item="usage")
        with store.begin() as tx:
            due.register(tx, [account])
            row = due.load(tx, "trace")
            stated = Stated(Kind.CHECKPOINT, played.balances["trace"], BEGIN)
            ledger.record(tx, row.id, stated, BEGIN)
            if played.card is not None:
                cards.state(tx, "card", played.card, BEGIN, BEGIN)

    def said(self) -> list[Said]:
        """Look at every step and charge, and return what was owed."""
        end = self.story.end + EVERY
        steps = {BEGIN + EVERY * n for n in range((end - BEGIN) // EVERY + 1)}
        last = max(at for at in steps if at - EVERY < self.story.end)
        charges = {one.at: one for one in self.world.charges_until(self.story.end)}
        for at in sorted(steps | charges.keys()):
            if at <= last:
                self._look(at, charges.get(at))
        return [*self._owed()]

    def _look(self, now: datetime, charge: Charged | None) -> None:
        today = utc_day(now)
        window = Window(max(today.start - DAY * 7, BEGIN), today.end)
        spent = tuple(
            Spend(utc_day(day), Money(nanos, "USD"), line_item=cell.line_item)
            for day in (window.start + DAY * n for n in range(window.length // DAY))
            for cell, nanos in self.world.booked(day, now).items()
        )
        with self.store.begin() as tx:
            row = due.load(tx, "trace")
            readings.put_spend(tx, row.id, "USD", SpendRead(window, spent), now)
            reached = min(window.start, row.read_from or window.start)
            due.succeeded(tx, row, now, timedelta(minutes=5), read_from=reached)
            if charge is not None:
                ledger.record(tx, row.id, _stated(charge), now)
            evaluate_family(tx, self.family, now)

    def _owed(self) -> Iterator[Said]:
        with self.store.begin() as tx:
            found = tx.execute(sa.select(outbox_table).order_by(outbox_table.c.id)).all()
        for row in found:
            for item in decode(row).items:
                if item.reason is not NotifyReason.STANDING:
                    yield (
                        row.created_at,
                        item.rule,
                        item.subject,
                        item.severity.label,
                        item.step,
                        item.reason.value,
                    )


def _stated(charge: Charged) -> Stated:
    expires_at = purchase_expiry("openai", charge.at) if charge.succeeded else None
    return Stated(
        Kind.CHARGE,
        charge.amount,
        charge.at,
        expires_at=expires_at,
        source="receipt",
        external_id=charge.at.isoformat(),
        outcome=Outcome.SUCCEEDED if charge.succeeded else Outcome.FAILED,
        card="card",
    )


def said(played: Played) -> list[Said]:
    return [
        (one.at, one.rule, one.subject, one.severity.label, one.step, one.reason.value)
        for one in played.alerts
    ]


def changed(*candidates: str, recharge: bool = True) -> Configuration:
    made = configuration()
    for one in candidates:
        made = varied(made, one)
    if recharge:
        return made
    (account,) = made.accounts
    assert account.recharge is not None
    off = replace(account, recharge=replace(account.recharge, enabled=False))
    return replace(made, accounts=(off,))


STORIES: dict[str, tuple[Configuration, Scenario, set[str]]] = {
    "a card that is empty after two charges": (
        configuration(),
        scenario(rows(13, "3.00", "empty"), "9.00", "21.00"),
        {"card-short", "charge-failed"},
    ),
    "recharge off, and nobody buys": (
        changed(recharge=False),
        scenario(rows(9, "3.00", "off"), "18.00", None),
        {"balance-low", "deposit-cap"},
    ),
    "a card of which nothing is known, and other thresholds": (
        changed("rules.recharge-due.lead=48h", "rules.checkpoint-stale.after=3d"),
        scenario(rows(8, "4.00", "unknown"), "9.00", None),
        {"recharge-due"},
    ),
}


@pytest.mark.parametrize("story", STORIES)
def test_a_replay_says_what_the_live_program_says(story: str, tmp_path: Path) -> None:
    made, played, rules = STORIES[story]
    family = Benches(made).family_of(made.accounts[0])
    with opened(tmp_path / "spendguard.db") as store:
        expected = Live(store, family, played).said()
    with History(tmp_path / "spendguard.db") as history:
        stored, cards_said = read_stored(history, ["trace"]), read_cards(history)
    again = recorded(
        family,
        stored,
        cards_said.get("card", []),
        [BEGIN + EVERY * n for n in range(-((BEGIN - played.end) // EVERY) + 1)],
        LAG,
        forecasts=lambda _at: False,
    )

    assert sorted(said(play(family, played))) == sorted(expected)
    assert sorted(said(again)) == sorted(expected)
    assert rules <= {one[1] for one in expected}
    assert _charges(again) == _charges(play(family, played))


def _charges(played: Played) -> list[tuple[datetime, str, Money | None]]:
    return [(one.at, one.kind.value, one.amount) for one in played.events if one.amount]
