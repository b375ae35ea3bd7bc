"""Benches: who judges what, and who hears of it, out of the configuration."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import timedelta
from typing import cast

from spendguard.config.configuration import Configuration, ConfiguredRule
from spendguard.core.accounts import Account, Card
from spendguard.core.findings import Finding
from spendguard.messages import summary
from spendguard.pipeline.evaluate import Bench, Family, Paying
from spendguard.pipeline.judge import Scope
from spendguard.pipeline.known import Plan
from spendguard.providers import PROVIDERS
from spendguard.rules.base import AccountRule, CardRule
from spendguard.rules.recharge_missing import RechargeMissing
from spendguard.store import scopes

HEALTHY_FOR = timedelta(hours=1)
"""A mailbox that was read so long ago, or three times its interval, proves nothing any more."""


class Benches:
    """What of a configuration an evaluation needs."""

    def __init__(self, configuration: Configuration) -> None:
        self.configuration = configuration
        self.cards = {card.name: card for card in configuration.cards}

    def families(self) -> Iterator[Family]:
        """Yield every card with its accounts, and every account without a card."""
        paid: dict[str, list[Account]] = {name: [] for name in sorted(self.cards)}
        alone: list[Account] = []
        for account in self.configuration.accounts:
            paid.get(account.card or "", alone).append(account)
        for name, accounts in paid.items():
            yield self._family(accounts, self.cards[name])
        for account in alone:
            yield self._family([account])

    def touched(self, scopes_named: Collection[str]) -> Iterator[Family]:
        """Yield the families of which a scope is named, each once."""
        paid = {name for name in self.cards if scopes.card_scope(name) in scopes_named}
        for account in self.configuration.accounts:
            if scopes.account_scope(account.name) not in scopes_named:
                continue
            if account.card is None:
                yield self._family([account])
            else:
                paid.add(account.card)
        for name in sorted(paid):
            yield self.family_of_card(name)

    def family_of(self, account: Account) -> Family:
        """Return the account with its card, and with the card's other accounts."""
        return self.family_of_card(account.card) if account.card else self._family([account])

    def family_of_card(self, name: str) -> Family:
        """Return a card with its accounts."""
        accounts = [one for one in self.configuration.accounts if one.card == name]
        return self._family(accounts, self.cards[name])

    def scope(self, name: str, accounts: Sequence[str], rules: Sequence[ConfiguredRule]) -> Scope:
        """Return a scope with the policies of its rules, and the channels it speaks to."""
        policies = {one.rule.name: one.policy for one in rules}
        channels = self.configuration.channels
        return Scope(name, tuple(accounts), policies, channels, self._summarize)

    def _family(self, accounts: Sequence[Account], card: Card | None = None) -> Family:
        ordered = sorted(accounts, key=lambda account: account.name)
        names = [account.name for account in ordered]
        return Family(
            plans=tuple(self._plan(account) for account in ordered),
            accounts={account.name: self._bench(account) for account in ordered},
            paying=None if card is None else Paying(card, self._card_bench(card, names)),
        )

    def _bench(self, account: Account) -> Bench[AccountRule]:
        rules = self.configuration.account_rules[account.name]
        enabled = tuple(cast("AccountRule", one.rule) for one in rules if one.policy.enabled)
        return Bench(self.scope(scopes.account_scope(account.name), [account.name], rules), enabled)

    def _card_bench(self, card: Card, accounts: Sequence[str]) -> Bench[CardRule]:
        rules = self.configuration.card_rules
        enabled = tuple(cast("CardRule", one.rule) for one in rules if one.policy.enabled)
        return Bench(self.scope(scopes.card_scope(card.name), accounts, rules), enabled)

    def _plan(self, account: Account) -> Plan:
        return Plan(
            account,
            tuple(one for one in self.configuration.budgets if one.account == account.name),
            self.configuration.zone,
            PROVIDERS[account.provider].states_balance,
            {
                box.name: max(3 * box.interval, HEALTHY_FOR)
                for box in self.configuration.mailboxes
                if box.accounts is None or account.name in box.accounts
            },
            self._grace(account),
        )

    def _grace(self, account: Account) -> timedelta:
        rules = (one.rule for one in self.configuration.account_rules[account.name])
        return next(rule.grace for rule in rules if isinstance(rule, RechargeMissing))

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
