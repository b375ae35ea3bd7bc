"""The program: a configuration, a database and the four verbs, wired together."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, partial
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING, cast

from spendguard.app.artist import Artist
from spendguard.app.benches import Benches
from spendguard.app.clock import utc_now
from spendguard.app.ends import Ends
from spendguard.app.entries import Entries
from spendguard.app.hold import delivering
from spendguard.config.configuration import Configuration
from spendguard.config.effective import render_effective
from spendguard.config.load import load
from spendguard.config.locate import find_config
from spendguard.core.accounts import Account, Mailbox
from spendguard.core.errors import Problem, ProviderError
from spendguard.core.facts import Health
from spendguard.core.findings import Severity
from spendguard.core.routing import Channel
from spendguard.notify.results import Delivered, Refused
from spendguard.pipeline.deliver import (
    DeliveryOutcome,
    DeliveryState,
    Draw,
    deliver,
    give_up_removed,
)
from spendguard.pipeline.evaluate import evaluate_family, evaluate_guard, introduce
from spendguard.pipeline.judge import Docket, Judged, judge
from spendguard.pipeline.poll import PollOutcome, poll, refuse
from spendguard.pipeline.receipts import MailOutcome, Payers, read_receipts
from spendguard.pipeline.retain import RetainOutcome, retain
from spendguard.pipeline.usage import Progress
from spendguard.providers import PROVIDERS
from spendguard.rules.base import GuardRule
from spendguard.store import alerts, cards, due, ledger, migrate, outbox, scopes
from spendguard.store.connect import Store, Tx

if TYPE_CHECKING:
    from spendguard.notify.channel import Channel as Sender

WORKERS = 8
WELL = Health()
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


def configure(explicit: str | None, env: Mapping[str, str]) -> Configuration:
    """Return the configuration the search order finds.

    Raises:
        ConfigError: with every problem at once.
    """
    return load(Path(find_config(explicit, env)), env, PROVIDERS.keys())


class App(Entries):
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
        self.artist = Artist(configuration.path, self.store.path, env)

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

    # poll

    def poll(
        self, account: Account, progress: Progress | None = None, claim: str | None = None
    ) -> PollOutcome:
        """Read one account now; a refusal is an outcome."""
        now = self.clock()
        try:
            provider = self.ends.provider(account)
        except ProviderError as error:
            return refuse(self.store, account, error, now, claim)
        told = progress or (lambda _read, _wanted, _what: None)
        prices = self.configuration.prices
        return poll(self.store, account, provider, now, told, prices, claim)

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
            return list(pool.map(self.read_mailbox, boxes))

    def read_mailbox(self, mailbox: Mailbox, claim: str | None = None) -> MailOutcome:
        """Read what is new in one mailbox, and enter what it proves."""
        payers = Payers(self.told_by(mailbox), self.benches.cards)
        read = partial(self.ends.receipts, mailbox)
        return read_receipts(self.store, mailbox, read, payers, self.clock(), claim)

    def told_by(self, mailbox: Mailbox) -> tuple[Account, ...]:
        """Return the accounts that a mailbox may tell of."""
        return tuple(
            account
            for account in self.configuration.accounts
            if mailbox.accounts is None or account.name in mailbox.accounts
        )

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

    def evaluate_open(self) -> None:
        """Judge again what stands open, and what somebody entered without judging it."""
        with self.store.begin() as tx:
            named = {stored.scope for stored in alerts.every_open(tx)} | self._changed(tx)
        for family in self.benches.touched(named):
            with self.store.begin() as tx:
                evaluate_family(tx, family, self.clock())

    def _changed(self, tx: Tx) -> set[str]:
        """Return the scopes whose ledger is not what it was when they were judged."""
        judged, entered = scopes.marks(tx), ledger.marks(tx)
        now = {scopes.account_scope(name): mark for name, mark in entered.items()}
        for name in self.benches.cards:
            now[scopes.card_scope(name)] = cards.mark(tx, name) + ledger.card_mark(tx, name)
        return {name for name, mark in now.items() if judged.get(name, mark) != mark}

    def evaluate_guard(self, health: Health = WELL) -> Judged:
        """Judge the guard itself and its channels, and introduce it where that is owed."""
        rules = self.configuration.guard_rules
        scope = self.benches.scope(scopes.GUARD, (), rules)
        enabled = [cast("GuardRule", one.rule) for one in rules if one.policy.enabled]
        now = self.clock()
        with self.store.begin() as tx:
            judged = evaluate_guard(
                tx, self._channel_errors(), enabled, scope, now, self.disk_free, health
            )
            names = {account.name for account in self.configuration.accounts}
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

    @property
    def disk_free(self) -> int | None:
        """The free bytes beside the database."""
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
        known = {one.outbox_id for one in tried}

        def work(channel: Channel) -> list[DeliveryOutcome]:
            return list(self.deliver_to(channel, early=early, tried=known))

        with ThreadPoolExecutor(WORKERS) as pool:
            return [outcome for outcomes in pool.map(work, channels) for outcome in outcomes]

    def deliver_to(
        self, channel: Channel, *, early: bool = False, tried: Collection[int] = ()
    ) -> Iterator[DeliveryOutcome]:
        """Try what is owed to a channel, each message once, as long as somebody asks for more."""
        known = set(tried)
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
                tried=known,
                draw=self._draw(channel, sender),
            )
            if outcome is None:
                return
            known.add(outcome.outbox_id)
            yield outcome

    def _draw(self, channel: Channel, sender: Sender | str) -> Draw | None:
        carried = not isinstance(sender, str) and sender.carries_pictures
        return self.artist.draw if channel.pictures and carried else None

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
        with delivering(cast("Path", self.store.path), self.take_back):
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

    def take_back(self) -> None:
        """Make due what a process claimed that is no more."""
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

    def retain(self, *, dry_run: bool = False) -> RetainOutcome:
        """Drop what has done its duty, or count it."""
        return retain(self.store, self.clock(), dry_run=dry_run)

    @cached_property
    def warnings(self) -> tuple[Problem, ...]:
        """What the configuration is better without, as pairs of lines."""
        return tuple(Problem(one.message, one.hint) for one in self.configuration.warnings)
