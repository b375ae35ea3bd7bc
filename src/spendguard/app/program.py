"""The program: a configuration, a database and the four verbs, wired together."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, partial
from pathlib import Path
from secrets import token_hex
from typing import cast

from spendguard.app.benches import Benches
from spendguard.app.clock import utc_now
from spendguard.app.ends import Ends
from spendguard.app.hold import delivering
from spendguard.config.configuration import Configuration
from spendguard.config.effective import render_effective
from spendguard.config.load import load
from spendguard.config.locate import find_config
from spendguard.core.accounts import Account, Card, Mailbox
from spendguard.core.alerts import Alert, acknowledge
from spendguard.core.errors import Problem, ProviderError, SpendguardError
from spendguard.core.facts import AccountFacts
from spendguard.core.findings import Severity
from spendguard.core.ledger import Kind
from spendguard.core.money import Money
from spendguard.core.routing import Channel
from spendguard.notify.results import Delivered, Refused
from spendguard.pipeline import record
from spendguard.pipeline.deliver import DeliveryOutcome, DeliveryState, deliver, give_up_removed
from spendguard.pipeline.evaluate import evaluate_family, evaluate_guard, introduce
from spendguard.pipeline.judge import Docket, Judged, judge
from spendguard.pipeline.poll import PollOutcome, poll, refuse
from spendguard.pipeline.receipts import MailOutcome, Payers, read_receipts
from spendguard.pipeline.retain import RetainOutcome, retain
from spendguard.pipeline.usage import Progress
from spendguard.providers import PROVIDERS
from spendguard.rules.base import GuardRule
from spendguard.store import (
    alerts,
    cards,
    due,
    migrate,
    outbox,
    readings,
    scopes,
    silences,
    spenders,
)
from spendguard.store.connect import Store, Tx
from spendguard.store.ledger import Recorded, Stated
from spendguard.store.silences import Silence

WORKERS = 8
Told = Callable[[str, int, int, str], None]  # an account, days read, days wanted, of what


@dataclass(frozen=True, slots=True)
class AccountChecked:
    """How the poll of an account went, and what its evaluation found."""

    poll: PollOutcome
    judged: Judged


@dataclass(frozen=True, slots=True)
class Checked:
    """Everything `check` did, and whether something stands that a person must act on."""

    accounts: tuple[AccountChecked, ...]
    mailboxes: tuple[MailOutcome, ...]
    guard: Judged
    deliveries: tuple[DeliveryOutcome, ...]
    firing: bool

    @property
    def exit_code(self) -> int:
        """The first that applies: a delivery failed and nothing fires, firing, unread, fine."""
        failed = any(
            one.state in (DeliveryState.RETRYING, DeliveryState.GIVEN_UP) for one in self.deliveries
        )
        if self.firing:
            return 2
        if failed:
            return 1
        return 69 if any(one.poll.error is not None for one in self.accounts) else 0


@dataclass(frozen=True, slots=True)
class ChargeAdded:
    """A charge that was entered, and what is known of its account with it."""

    id: str
    new: bool
    facts: AccountFacts


def configure(explicit: str | None, env: Mapping[str, str]) -> Configuration:
    """Return the configuration the search order finds.

    Raises:
        ConfigError: with every problem at once.
    """
    return load(Path(find_config(explicit, env)), env, PROVIDERS.keys())


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
        spent = alert.values.get("spent")
        nanos = spent.nanos if isinstance(spent, Money) else 0
        due.update(tx, row.id, spike_accepted_at=now, spike_accepted_nanos=nanos)


class App:
    """The program as a whole. Whoever makes one closes it."""

    def __init__(
        self,
        configuration: Configuration,
        env: Mapping[str, str],
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self.configuration = configuration
        self.clock = clock
        self.store = Store(configuration.database_url)
        self.benches = Benches(configuration)
        self.ends = Ends(configuration, env)

    def __enter__(self) -> App:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close what was opened, in reverse."""
        self.ends.close()
        self.store.close()

    def prepare(self) -> bool:
        """Create or upgrade the database and note the configuration; tell whether it was changed.

        Raises:
            StoreError: when the database is newer than this program or cannot be written.
        """
        upgraded = migrate.upgrade(self.store)
        with self.store.begin() as tx:
            due.register(tx, self.configuration.accounts)
            scopes.store_configuration(tx, render_effective(self.configuration), self.clock())
        return upgraded

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

    # poll

    def poll(self, account: Account, progress: Progress | None = None) -> PollOutcome:
        """Read one account now; a refusal is an outcome."""
        now = self.clock()
        try:
            provider = self.ends.provider(account)
        except ProviderError as error:
            return refuse(self.store, account, error, now)
        told = progress or (lambda _read, _wanted, _what: None)
        return poll(self.store, account, provider, now, told, self.configuration.prices)

    def poll_all(self, progress: Told | None = None) -> list[PollOutcome]:
        """Read every account now, several at once: one that hangs delays no other."""
        accounts = self.configuration.accounts
        told = [None if progress is None else partial(progress, one.name) for one in accounts]
        with ThreadPoolExecutor(WORKERS) as pool:
            return list(pool.map(self.poll, accounts, told))

    def read_receipts(self) -> list[MailOutcome]:
        """Read what is new in every mailbox, several at once, and enter what it proves."""
        boxes = self.configuration.mailboxes
        if not boxes:
            return []
        with ThreadPoolExecutor(WORKERS) as pool:
            return list(pool.map(self._read_receipts, boxes))

    def _read_receipts(self, mailbox: Mailbox) -> MailOutcome:
        payers = Payers(
            tuple(
                account
                for account in self.configuration.accounts
                if mailbox.accounts is None or account.name in mailbox.accounts
            ),
            self.benches.cards,
        )
        read = partial(self.ends.receipts, mailbox)
        return read_receipts(self.store, mailbox, read, payers, self.clock())

    # evaluate

    def evaluate(self, account: Account) -> Judged:
        """Judge an account, with its card and the card's other accounts; enqueue what is owed."""
        with self.store.begin() as tx:
            family = self.benches.family_of(account)
            return evaluate_family(tx, family, self.clock())[account.name]

    def evaluate_all(self) -> dict[str, Judged]:
        """Judge every card and every account, each family in a transaction of its own."""
        judged: dict[str, Judged] = {}
        for family in self.benches.families():
            with self.store.begin() as tx:
                judged |= evaluate_family(tx, family, self.clock())
        return judged

    def evaluate_guard(self) -> Judged:
        """Judge the guard itself and its channels, and introduce it where that is owed."""
        rules = self.configuration.guard_rules
        scope = self.benches.scope(scopes.GUARD, (), rules)
        enabled = [cast("GuardRule", one.rule) for one in rules if one.policy.enabled]
        now = self.clock()
        with self.store.begin() as tx:
            judged = evaluate_guard(
                tx, self._channel_errors(), enabled, scope, now, self._disk_free()
            )
            names = [account.name for account in self.configuration.accounts]
            introduce(tx, names, self.configuration.channels, now)
        return judged

    def retire(self) -> None:
        """End the alerts of accounts and cards that the configuration no longer has."""
        kept = {scopes.account_scope(account.name) for account in self.configuration.accounts}
        kept |= {scopes.card_scope(card.name) for card in self.configuration.cards}
        now = self.clock()
        with self.store.begin() as tx:
            gone = {
                stored.scope: stored.account
                for stored in alerts.every_open(tx)
                if stored.scope not in kept | {scopes.GUARD}
            }
            for name, account in gone.items():
                scope = self.benches.scope(name, (account,) if account else (), ())
                judge(tx, [Docket(scope, alerts.open_in(tx, name), ())], now)

    def _channel_errors(self) -> dict[str, str]:
        senders = {one.name: self.ends.sender(one.name) for one in self.configuration.channels}
        return {name: sender if isinstance(sender, str) else "" for name, sender in senders.items()}

    def _disk_free(self) -> int | None:
        path = self.store.path
        return None if path is None else shutil.disk_usage(path.parent).free

    # deliver

    def deliver(
        self, *, early: bool = False, tried: Sequence[DeliveryOutcome] = ()
    ) -> list[DeliveryOutcome]:
        """Try what is owed, each message once, each channel beside the others."""
        give_up_removed(self.store, [one.name for one in self.configuration.channels], self.clock())
        with self.store.begin() as tx:
            owing = set(outbox.owing_channels(tx))
        channels = [one for one in self.configuration.channels if one.name in owing]
        if not channels:
            return []
        work = partial(self._deliver_to, early=early, tried={one.outbox_id for one in tried})
        with ThreadPoolExecutor(WORKERS) as pool:
            return [outcome for outcomes in pool.map(work, channels) for outcome in outcomes]

    def _deliver_to(
        self, channel: Channel, *, early: bool, tried: set[int]
    ) -> list[DeliveryOutcome]:
        outcomes: list[DeliveryOutcome] = []
        sender = self.ends.sender(channel.name)
        while True:
            outcome = deliver(
                self.store,
                channel,
                sender,
                self.configuration.zone,
                self.clock(),
                token_hex(8),
                early=early,
                tried=tried | {one.outbox_id for one in outcomes},
            )
            if outcome is None:
                return outcomes
            outcomes.append(outcome)

    def send_test(self, channel: Channel) -> Delivered | Refused:
        """Send a test message to a channel, past the outbox."""
        from spendguard.core.notifications import Notification, Topic
        from spendguard.messages import render

        sender = self.ends.sender(channel.name)
        if isinstance(sender, str):
            return Refused(permanent=True, why=sender)
        told = Notification(Topic.TEST, channel=channel.name)
        message = render(
            told, language=channel.language, now=self.clock(), zone=self.configuration.zone
        )
        return sender.send(message.title, message.body, Severity.INFO)

    # everything at once

    def check(self, progress: Told | None = None) -> Checked:
        """Read, judge and tell everything once: what `spendguard check` does."""
        with delivering(cast("Path", self.store.path), self._take_back):
            self.retire()
            mailboxes = self.read_receipts()
            polls = self.poll_all(progress)
            found = self.evaluate_all()
            judged = [found[account.name] for account in self.configuration.accounts]
            self.evaluate_guard()
            deliveries = self.deliver(early=True)
            guard = self.evaluate_guard()
            deliveries += self.deliver(early=True, tried=deliveries)
            self.retain()
            suppressed = [
                DeliveryOutcome(name, 0, DeliveryState.SUPPRESSED)
                for one in (*judged, guard)
                for name in one.suppressed
            ]
            accounts = [AccountChecked(*pair) for pair in zip(polls, judged, strict=True)]
            return Checked(
                tuple(accounts),
                tuple(mailboxes),
                guard,
                (*deliveries, *suppressed),
                self.firing(),
            )

    def _take_back(self) -> None:
        with self.store.begin() as tx:
            outbox.take_back(tx, self.clock())

    def firing(self) -> bool:
        """Tell whether something but blindness fires at warning or above, and is not silenced."""
        with self.store.begin() as tx:
            standing = [stored.alert for stored in alerts.every_open(tx)]
        return any(
            not alert.pending
            and not alert.silenced
            and alert.rule != "blind"
            and alert.severity >= Severity.WARNING
            for alert in standing
        )

    def retain(self) -> RetainOutcome:
        """Drop what has done its duty."""
        return retain(self.store, self.clock())

    # what the operator states

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
        known = ", ".join(sorted(self.benches.cards)) or "there is none: add a [[cards]] section"
        raise SpendguardError(f"unknown card '{name}'", f"known: {known}")

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

    @cached_property
    def warnings(self) -> tuple[Problem, ...]:
        """What the configuration is better without, as pairs of lines."""
        return tuple(Problem(one.message, one.hint) for one in self.configuration.warnings)
