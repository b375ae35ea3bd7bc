"""Entries: what an operator states or asks, each judged in the transaction that writes it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from spendguard.app.benches import Benches
from spendguard.config.configuration import Configuration
from spendguard.core.accounts import Account, Card
from spendguard.core.alerts import Alert, acknowledge
from spendguard.core.errors import SpendguardError
from spendguard.core.facts import AccountFacts
from spendguard.core.ledger import Kind
from spendguard.core.money import Money
from spendguard.core.spikes import by_the_hour
from spendguard.pipeline import record
from spendguard.pipeline.evaluate import evaluate_family
from spendguard.store import alerts, cards, due, readings, silences, spenders
from spendguard.store.connect import Store, Tx
from spendguard.store.ledger import Recorded, Stated
from spendguard.store.silences import Silence


@dataclass(frozen=True, slots=True)
class ChargeAdded:
    """A charge that was entered, and what is known of its account with it."""

    id: str
    new: bool
    facts: AccountFacts


def _accept(tx: Tx, alert: Alert, account: str, now: datetime) -> None:
    """Take what an acknowledged alert was about as known, so that it does not fire again."""
    row = due.load(tx, account)
    if alert.rule == "config-drift":
        readings.accept_settings(tx, row.id)
    elif alert.rule == "recharge-unexpected":
        due.update(tx, row.id, credit_accepted_at=now)
    elif alert.rule == "key-unknown":
        kind, _, identity = alert.subject.removeprefix(f"{account}/").partition(":")
        spenders.accept(tx, row.id, "api_key" if kind == "key" else kind, identity, now)
    elif alert.rule == "spend-spike":
        nanos = by_the_hour(alert.values)
        due.update(tx, row.id, spike_accepted_at=now, spike_accepted_nanos=nanos)


class Entries:
    """The part of the program that writes what a person says; it sends nothing."""

    configuration: Configuration
    clock: Callable[[], datetime]
    store: Store
    benches: Benches

    def account(self, name: str) -> Account:
        """Return a configured account.

        Raises:
            SpendguardError: when there is none of that name.
        """
        for account in self.configuration.accounts:
            if account.name == name:
                return account
        known = ", ".join(sorted(account.name for account in self.configuration.accounts))
        raise SpendguardError(f"unknown account '{name}'", f"known: {known}")

    @contextmanager
    def _writing(self, name: str) -> Iterator[tuple[Tx, datetime]]:
        """Yield a transaction that judges the account again before it commits."""
        account, now = self.account(name), self.clock()
        with self.store.begin() as tx:
            yield tx, now
            evaluate_family(tx, self.benches.family_of(account), now)

    def set_balance(self, account: str, stated: Stated) -> record.Checkpointed:
        """Write a checkpoint, judge the account again, enqueue what is owed; send nothing."""
        with self._writing(account) as (tx, now):
            return record.set_balance(tx, account, stated, now)

    def add_credit(self, account: str, stated: Stated) -> Recorded:
        """Write a deposit, a grant or a refund, and judge the account again."""
        with self._writing(account) as (tx, now):
            return record.add_credit(tx, account, stated, now)

    def void(self, entry_id: str, kinds: frozenset[Kind]) -> record.Voided:
        """Take an entry out of every calculation, and judge its account again."""
        now = self.clock()
        with self.store.begin() as tx:
            voided = record.void(tx, entry_id, kinds, now)
            known = {account.name: account for account in self.configuration.accounts}
            if voided.account in known:
                evaluate_family(tx, self.benches.family_of(known[voided.account]), now)
            return voided

    def add_charge(self, account: str, stated: Stated) -> ChargeAdded:
        """Write an attempt to charge the card; a succeeded one is a deposit. Judge again."""
        found, now = self.account(account), self.clock()
        with self.store.begin() as tx:
            done = record.add_credit(tx, account, stated, now)
            judged = evaluate_family(tx, self.benches.family_of(found), now)[account]
        return ChargeAdded(done.id, done.new, cast("AccountFacts", judged.facts))

    def card(self, name: str) -> Card:
        """Return a configured card.

        Raises:
            SpendguardError: when there is none of that name.
        """
        if name in self.benches.cards:
            return self.benches.cards[name]
        known = ", ".join(sorted(self.benches.cards))
        hint = f"known: {known}" if known else "none is configured: add a [[cards]] section"
        raise SpendguardError(f"unknown card '{name}'", hint)

    def set_card(self, name: str, amount: Money, at: datetime) -> str:
        """Note what a card holds, judge it and its accounts again; return the statement's id."""
        self.card(name)
        now = self.clock()
        with self.store.begin() as tx:
            key = cards.state(tx, name, amount, at, now)
            evaluate_family(tx, self.benches.family_of_card(name), now)
            return key

    def void_card(self, statement_id: str) -> record.CardVoided:
        """Take back what was stated of a card, and judge it and its accounts again."""
        now = self.clock()
        with self.store.begin() as tx:
            voided = record.void_card(tx, statement_id, now)
            if voided.card in self.benches.cards:
                evaluate_family(tx, self.benches.family_of_card(voided.card), now)
            return voided

    def acknowledge(self, alert_id: str) -> str:
        """Note that a person has an alert; return 'acknowledged' or 'closed'.

        Raises:
            SpendguardError: when no open alert has that id.
        """
        now = self.clock()
        with self.store.begin() as tx:
            stored = alerts.find(tx, alert_id)
            if stored is None:
                raise SpendguardError(
                    f"no open alert has the id '{alert_id}'", "`spendguard alerts` lists them"
                )
            alert = acknowledge(stored.alert)
            alerts.log(tx, stored, "acknowledged", stored.summary, now)
            if alert is not None:
                alerts.save(tx, stored, alert, stored.summary)
                return "acknowledged"
            alerts.end(tx, stored, stored.summary, now)
            if stored.account is not None:
                _accept(tx, stored.alert, stored.account, now)
            return "closed"

    def silence(
        self, rules: frozenset[str], accounts: frozenset[str], ends_at: datetime
    ) -> Silence:
        """Say nothing about what matches until an instant; a rise is told all the same."""
        now = self.clock()
        for name in accounts:
            self.account(name)
        with self.store.begin() as tx:
            silence = silences.add(tx, rules, accounts, now, ends_at)
            for stored in alerts.every_open(tx):
                if silence.matches(stored.alert.rule, stored.account):
                    alerts.mute(tx, stored)
            return silence

    def unsilence(self, silence_id: str) -> None:
        """End a silence now; what it withheld is said at the next evaluation.

        Raises:
            SpendguardError: when no silence in force has that id.
        """
        with self.store.begin() as tx:
            if not silences.finish(tx, silence_id, self.clock()):
                raise SpendguardError(
                    f"no silence in force has the id '{silence_id}'",
                    "`spendguard alerts` lists them",
                )
