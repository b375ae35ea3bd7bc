from __future__ import annotations

import pkgutil
from dataclasses import fields, is_dataclass

import pytest

import spendguard.rules
from spendguard.rules import ACCOUNT_RULES, CARD_RULES, GUARD_RULES, RULES

PRODUCT_TABLE = [
    "balance-low",
    "runway-short",
    "recharge-due",
    "card-short",
    "charge-failed",
    "recharge-missing",
    "recharge-unexpected",
    "recharge-frequent",
    "deposit-cap",
    "budget",
    "spend-spike",
    "key-unknown",
    "credit-expiring",
    "limit-near",
    "checkpoint-stale",
    "blind",
    "unpriced",
    "own-key-expiring",
    "config-drift",
    "channel-failing",
    "guard",
]


def test_every_module_is_registered() -> None:
    modules = {module.name for module in pkgutil.iter_modules(spendguard.rules.__path__)}
    registered = {rule.__module__.rpartition(".")[2] for rule in RULES.values()}
    assert modules - {"base"} == registered


def test_the_rules_stand_in_the_order_of_the_product() -> None:
    assert set(PRODUCT_TABLE) == RULES.keys()
    for names in ([*ACCOUNT_RULES], [*CARD_RULES], [*GUARD_RULES]):
        assert names == sorted(names, key=PRODUCT_TABLE.index)


def test_rules_of_accounts_of_cards_and_of_the_guard_together_are_all() -> None:
    assert list(RULES) == [*ACCOUNT_RULES, *CARD_RULES, *GUARD_RULES]


@pytest.mark.parametrize("name", RULES)
def test_a_rule_knows_its_name_and_needs_no_parameter(name: str) -> None:
    rule = RULES[name]
    assert rule.name == name
    assert is_dataclass(rule)
    assert rule() == rule()


@pytest.mark.parametrize("name", RULES)
def test_parameters_are_of_types_the_configuration_can_read(name: str) -> None:
    rule = RULES[name]
    assert is_dataclass(rule)
    allowed = {
        "Amount",
        "Amount | None",
        "timedelta",
        "int",
        "tuple[int, ...]",
        "tuple[timedelta, ...]",
    }
    assert {str(field.type) for field in fields(rule)} <= allowed
