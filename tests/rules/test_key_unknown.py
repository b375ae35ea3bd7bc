from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from spendguard.core.facts import AccountFacts, NewSpender
from spendguard.core.findings import Severity
from spendguard.core.money import Amount, Money
from spendguard.rules.key_unknown import KeyUnknown

DAY = timedelta(days=1)


def newcomer(
    now: datetime, amount: str, *, age: timedelta = DAY, kind: str = "api_key"
) -> NewSpender:
    return NewSpender(kind, "x9", "", now - age, now - DAY, Money.parse(amount, "USD"))


@pytest.mark.parametrize(
    ("amount", "age", "fires"),
    [
        ("1.00", DAY, False),
        ("1.01", DAY, True),
        ("9", DAY * 7 - timedelta(seconds=1), True),
        ("9", DAY * 7, False),
    ],
)
def test_who_is_new_speaks_above_a_dollar_a_day_for_a_week(
    facts: Callable[..., AccountFacts], now: datetime, amount: str, age: timedelta, *, fires: bool
) -> None:
    found = KeyUnknown().evaluate(facts(newcomers=(newcomer(now, amount, age=age),)))
    assert bool(found) is fires


@pytest.mark.parametrize(
    ("kind", "subject"), [("api_key", "main/key:x9"), ("model", "main/model:x9")]
)
def test_each_key_and_model_is_an_alert_of_its_own(
    facts: Callable[..., AccountFacts], now: datetime, kind: str, subject: str
) -> None:
    [finding] = KeyUnknown().evaluate(facts(newcomers=(newcomer(now, "3", kind=kind),)))
    assert (finding.subject, finding.severity) == (subject, Severity.WARNING)
    assert finding.values[kind] == "x9"


def test_the_minimum_counts(facts: Callable[..., AccountFacts], now: datetime) -> None:
    rule = KeyUnknown(minimum=Amount.parse("5.00"))
    assert rule.evaluate(facts(newcomers=(newcomer(now, "5"),))) == []
