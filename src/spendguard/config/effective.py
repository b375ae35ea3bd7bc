"""Effective: the configuration as it is stored for the commands that read. No secret is in it."""

from __future__ import annotations

from dataclasses import fields
from datetime import timedelta
from typing import Any

from spendguard.config.configuration import Configuration, ConfiguredRule
from spendguard.core.accounts import Account, Mailbox, Recharge
from spendguard.core.durations import format_duration
from spendguard.core.money import Amount, Money
from spendguard.core.prices import StatedPrice
from spendguard.core.rates import Rate
from spendguard.core.routing import Channel
from spendguard.rules.balance_low import USUAL, BalanceLow


def render_effective(configuration: Configuration) -> dict[str, Any]:
    """Return the configuration as JSON data, without keys, passwords, URLs and proxies."""
    return {
        "timezone": configuration.zone.key,
        "language": configuration.language,
        "accounts": [_account(account) for account in configuration.accounts],
        "cards": [_fields(card) for card in configuration.cards],
        "budgets": [_fields(budget) for budget in configuration.budgets],
        "channels": [_channel(channel) for channel in configuration.channels],
        "mailboxes": [_mailbox(mailbox) for mailbox in configuration.mailboxes],
        "prices": [_price(one) for one in configuration.prices.entries],
        "rules": {
            account.name: {
                one.rule.name: _rule(one, account.recharge)
                for one in configuration.account_rules[account.name]
            }
            for account in configuration.accounts
        },
        "card_rules": {one.rule.name: _rule(one) for one in configuration.card_rules},
        "guard_rules": {one.rule.name: _rule(one) for one in configuration.guard_rules},
    }


def _account(account: Account) -> dict[str, Any]:
    return {
        "name": account.name,
        "provider": account.provider,
        "currency": account.currency,
        "card": account.card,
        "organization": account.organization,
        "poll_interval": int(account.poll_interval.total_seconds()),
        "recharge": None if account.recharge is None else _fields(account.recharge),
        "topup_min": _plain(account.topup_min),
        "topup_max": _plain(account.topup_max),
    }


def _channel(channel: Channel) -> dict[str, Any]:
    return {
        "name": channel.name,
        "severities": [severity.label for severity in sorted(channel.severities)],
        "accounts": None if channel.accounts is None else sorted(channel.accounts),
        "rules": None if channel.rules is None else sorted(channel.rules),
        "language": channel.language,
        "pictures": channel.pictures,
    }


def _mailbox(mailbox: Mailbox) -> dict[str, Any]:
    return {
        "name": mailbox.name,
        "folder": mailbox.folder,
        "interval": int(mailbox.interval.total_seconds()),
        "trust": mailbox.trust.value,
        "accounts": None if mailbox.accounts is None else sorted(mailbox.accounts),
        "patterns": [pattern.name for pattern in mailbox.patterns],
    }


def _price(stated: StatedPrice) -> dict[str, Any]:
    return {
        "model": stated.model,
        "provider": stated.provider,
        "tier": stated.tier,
        "from": None if stated.since is None else stated.since.isoformat(),
        **{name: _plain(amount) for name, amount in stated.prices.items()},
    }


def _rule(configured: ConfiguredRule, recharge: Recharge | None = None) -> dict[str, Any]:
    rendered = {**_fields(configured.policy), **_fields(configured.rule)}
    del rendered["calm"]
    if isinstance(configured.rule, BalanceLow) and configured.rule.trigger is None:
        usual = USUAL if recharge is None else Amount(recharge.trigger.nanos)
        rendered["trigger"] = _plain(usual)
    return rendered


def _fields(value: Any) -> dict[str, Any]:
    return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}


def _plain(value: Any) -> Any:
    """Return a value as the file writes it."""
    if isinstance(value, Money):
        return value.exact()
    if isinstance(value, Amount):
        return value.of("XXX").exact()
    if isinstance(value, timedelta):
        return format_duration(value)
    if isinstance(value, tuple):
        return [_plain(part) for part in value]
    if isinstance(value, Rate):
        return _fields(value)
    return value
