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

from spendguard.app.clock import utc_now
from spendguard.app.ends import Ends
from spendguard.app.hold import delivering
from spendguard.config.configuration import Configuration, ConfiguredRule
from spendguard.config.effective import render_effective
from spendguard.config.load import load
from spendguard.config.locate import find_config
from spendguard.core.accounts import Account
from spendguard.core.alerts import acknowledge
from spendguard.core.errors import Problem, ProviderError, SpendguardError
from spendguard.core.findings import Finding, Severity
from spendguard.core.ledger import Kind
from spendguard.core.routing import Channel
from spendguard.messages import summary
from spendguard.notify.results import Delivered, Refused
from spendguard.pipeline import record
from spendguard.pipeline.deliver import DeliveryOutcome, DeliveryState, deliver, give_up_removed
from spendguard.pipeline.evaluate import (
    Judged,
    Scope,
    evaluate_account,
    evaluate_guard,
    introduce,
    judge,
)
from spendguard.pipeline.gather import Plan
from spendguard.pipeline.poll import PollOutcome, Progress, poll, refuse
from spendguard.pipeline.retain import RetainOutcome, retain
from spendguard.providers import PROVIDERS
from spendguard.rules.base import AccountRule, GuardRule
from spendguard.store import alerts, due, migrate, outbox, readings, scopes, silences
from spendguard.store.connect import Store, Tx
from spendguard.store.ledger import Recorded, Stated
from spendguard.store.silences import Silence

WORKERS = 8


@dataclass(frozen=True, slots=True)
class AccountChecked:
    """How the poll of an account went, and what its evaluation found."""

    poll: PollOutcome
    judged: Judged


@dataclass(frozen=True, slots=True)
class Checked:
    """Everything `check` did, and whether something stands that a person must act on."""

    accounts: tuple[AccountChecked, ...]
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
    return load(find_config(explicit, env), env, PROVIDERS.keys())


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
        return poll(self.store, account, provider, now, progress or (lambda _read, _all: None))

    def poll_all(self) -> list[PollOutcome]:
        """Read every account now, several at once: one that hangs delays no other."""
        with ThreadPoolExecutor(WORKERS) as pool:
            return list(pool.map(self.poll, self.configuration.accounts))

    # evaluate

    def evaluate(self, account: Account) -> Judged:
        """Judge one account and enqueue what is owed."""
        with self.store.begin() as tx:
            return self._evaluate(tx, account, self.clock())

    def _evaluate(self, tx: Tx, account: Account, now: datetime) -> Judged:
        rules = self.configuration.account_rules[account.name]
        budgets = (one for one in self.configuration.budgets if one.account == account.name)
        plan = Plan(
            account,
            tuple(budgets),
            self.configuration.zone,
            PROVIDERS[account.provider].states_balance,
        )
        scope = self._scope(scopes.account_scope(account.name), account.name, rules)
        enabled = [cast("AccountRule", one.rule) for one in rules if one.policy.enabled]
        return evaluate_account(tx, plan, enabled, scope, now)

    def evaluate_guard(self) -> Judged:
        """Judge the guard itself and its channels, and introduce it where that is owed."""
        rules = self.configuration.guard_rules
        scope = self._scope(scopes.GUARD, None, rules)
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
        """End the alerts of accounts that the configuration no longer has."""
        kept = {scopes.account_scope(account.name) for account in self.configuration.accounts}
        now = self.clock()
        with self.store.begin() as tx:
            gone = {
                stored.scope: stored.account
                for stored in alerts.every_open(tx)
                if stored.scope not in kept | {scopes.GUARD}
            }
            for name, account in gone.items():
                scope = self._scope(name, account, ())
                judge(tx, scope, alerts.open_in(tx, name), (), now)

    def _scope(self, name: str, account: str | None, rules: Sequence[ConfiguredRule]) -> Scope:
        policies = {one.rule.name: one.policy for one in rules}
        return Scope(name, account, policies, self.configuration.channels, self._summarize)

    def _summarize(self, finding: Finding) -> str:
        return summary(
            finding.rule,
            finding.status,
            finding.severity,
            finding.step,
            finding.values,
            language=self.configuration.language,
            zone=self.configuration.zone,
        )

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

    def check(self) -> Checked:
        """Read, judge and tell everything once: what `spendguard check` does."""
        with delivering(cast("Path", self.store.path), self._take_back):
            self.retire()
            polls = self.poll_all()
            judged = [self.evaluate(account) for account in self.configuration.accounts]
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
            return Checked(tuple(accounts), guard, (*deliveries, *suppressed), self.firing())

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
            self._evaluate(tx, account, now)

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
                self._evaluate(tx, known[voided.account], now)
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
            if stored.alert.rule == "config-drift" and stored.account is not None:
                readings.accept_settings(tx, due.load(tx, stored.account).id)
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
