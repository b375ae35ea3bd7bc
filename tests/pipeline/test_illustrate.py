"""Illustrate: the picture that explains a message, and none for what is over."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from spendguard.core.alerts import NotifyReason
from spendguard.core.findings import Severity, Value
from spendguard.core.notifications import Item, Notification, Topic
from spendguard.pipeline.illustrate import Wanted, wanted

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def item(
    rule: str,
    subject: str,
    severity: Severity = Severity.WARNING,
    over: datetime | None = None,
    **values: Value,
) -> Item:
    return Item("1", rule, subject, severity, "", NotifyReason.FIRED, NOW, values, ended_at=over)


@pytest.mark.parametrize(
    ("told", "picture"),
    [
        (item("balance-low", "main"), Wanted("balance", "main")),
        (item("card-short", "card:visa", first_account="main"), Wanted("balance", "main")),
        (item("budget", "budget:monthly", account="main"), Wanted("spend", "main", "model")),
        (item("spend-spike", "main/key:key_a"), Wanted("spend", "main", "key")),
    ],
)
def test_a_message_wants_the_picture_that_explains_it(told: Item, picture: Wanted) -> None:
    assert wanted(Notification(Topic.ALERTS, (told,))) == (picture,)


@pytest.mark.parametrize(
    "told",
    [
        item("blind", "main"),
        item("guard", "guard"),
        item("channel-failing", "channel:ops"),
        item("card-short", "card:visa"),
        item("balance-low", "main", over=NOW),
    ],
)
def test_what_no_picture_explains_has_none(told: Item) -> None:
    assert wanted(Notification(Topic.ALERTS, (told,))) == ()


def test_a_group_has_two_at_most_the_worst_first_and_none_twice() -> None:
    group = (
        item("recharge-due", "b", Severity.INFO),
        item("budget", "budget:monthly", Severity.WARNING, account="a"),
        item("charge-failed", "a", Severity.CRITICAL),
        item("balance-low", "a", Severity.WARNING),
    )
    found = wanted(Notification(Topic.ALERTS, group))
    assert found == (Wanted("balance", "a"), Wanted("spend", "a", "model"))


def test_a_greeting_has_none() -> None:
    assert wanted(Notification(Topic.WELCOME, accounts=("main",))) == ()
