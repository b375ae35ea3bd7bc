"""Trial: the present configuration, cut to what a replay plays, or with other thresholds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from spendguard.config.configuration import Configuration, ConfiguredRule
from spendguard.config.locate import read_toml
from spendguard.config.places import Variable
from spendguard.config.rulebook import (
    POLICY,
    read_rules,
    rules_of_account,
    rules_of_cards,
    rules_of_guard,
)
from spendguard.core.accounts import Account, Card, Recharge
from spendguard.core.errors import SpendguardError, UsageError
from spendguard.core.money import Amount
from spendguard.rules import GUARD_RULES

NAME = "trace"
CARD = "card"
TRIGGER, AMOUNT, OVERDRAFT = Amount.parse("5.00"), Amount.parse("10.00"), Amount.parse("2.00")
MARGIN = Amount.parse("2.00")
TO_BAN = 2


def default_configuration() -> Configuration:
    """Return what a trace is played through where nothing is configured.

    It is the rule of thumb that providers print: below $5, $10 is charged to the card.
    """
    usd = "USD"
    recharge = Recharge(
        enabled=True,
        trigger=TRIGGER.of(usd),
        amount=AMOUNT.of(usd),
        restore_to=None,
        monthly_limit=None,
        overdraft=OVERDRAFT.of(usd),
    )
    account = Account(NAME, "openai", "", usd, timedelta(minutes=5), recharge=recharge)
    return Configuration(
        path=Path(),
        zone=ZoneInfo("UTC"),
        language="en",
        database_url="",
        accounts=(account,),
        cards=(),
        budgets=(),
        channels=(),
        account_rules={NAME: rules_of_account({}, {})},
        card_rules=rules_of_cards({}),
        guard_rules=rules_of_guard({}),
    )


def with_an_account(configuration: Configuration) -> Configuration:
    """Return the configuration; one that names no account is given the usual one."""
    if configuration.accounts:
        return configuration
    everywhere = read_rules(
        ("rules",), read_toml(configuration.path).get("rules"), of_account=False
    )
    usual = default_configuration()
    rules = {NAME: rules_of_account(everywhere.rules, {})}
    return replace(configuration, accounts=usual.accounts, account_rules=rules)


def alone(configuration: Configuration, account: Account) -> Configuration:
    """Return the configuration of one account and its card; one without a card is given one."""
    cards = [card for card in configuration.cards if card.name == account.card]
    if not cards:
        nothing = Amount(0).of(account.currency)
        margin = MARGIN.of(account.currency)
        cards = [Card(CARD, account.currency, "0", nothing, margin, TO_BAN)]
        account = replace(account, card=CARD)
    return replace(
        configuration,
        accounts=(account,),
        cards=tuple(cards),
        budgets=tuple(one for one in configuration.budgets if one.account == account.name),
        mailboxes=(),
    )


def varied(configuration: Configuration, candidate: str) -> Configuration:
    """Return the configuration with other parameters: `rules.NAME.KEY=VALUE`, several by spaces.

    Raises:
        UsageError: when it is not of that form.
        SpendguardError: when there is no such rule or parameter, or the value is not one.
    """
    given: dict[str, dict[str, Any]] = {}
    for assignment in candidate.split():
        name, key, value = _assigned(assignment)
        if name in GUARD_RULES:
            raise SpendguardError(
                f"the rule '{name}' is not replayed", "`spendguard rules` prints every rule"
            )
        given.setdefault(name, {})[key] = value
    if not given:
        raise UsageError("--set is empty", "write it as rules.recharge-due.lead=48h")
    book = read_rules(("rules",), given, of_account=False)
    if book.problems:
        worst = book.problems[0]
        where = ".".join(map(str, worst.where))
        raise SpendguardError(f"{worst.message} at {where}", worst.hint)
    return replace(
        configuration,
        account_rules={
            name: _changed(rules, book.rules) for name, rules in configuration.account_rules.items()
        },
        card_rules=_changed(configuration.card_rules, book.rules),
    )


def _assigned(assignment: str) -> tuple[str, str, Any]:
    place, equals, value = assignment.partition("=")
    parts = place.split(".")
    if len(parts) != 3 or parts[0] != "rules" or not equals or not value:
        raise UsageError(
            f"'{assignment}' is not a parameter", "write it as rules.recharge-due.lead=48h"
        )
    return parts[1], parts[2], _value(value)


def _value(text: str) -> Any:
    """Return a value as rules read it: a text that may mean a number, or an array of such."""
    if not text.startswith("[") or not text.endswith("]"):
        return Variable(text)
    return [Variable(part.strip(" \"'")) for part in text[1:-1].split(",")]


def _changed(
    rules: Iterable[ConfiguredRule], given: Mapping[str, Mapping[str, object]]
) -> tuple[ConfiguredRule, ...]:
    return tuple(_with(one, given.get(one.rule.name, {})) for one in rules)


def _with(one: ConfiguredRule, given: Mapping[str, object]) -> ConfiguredRule:
    policy = {key: value for key, value in given.items() if key in POLICY}
    own: dict[str, Any] = {key: value for key, value in given.items() if key not in POLICY}
    rule: Any = one.rule
    return ConfiguredRule(replace(rule, **own), replace(one.policy, **policy))  # type: ignore[arg-type]
