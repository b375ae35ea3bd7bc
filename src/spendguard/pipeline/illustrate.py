"""Illustrate: which pictures go with a message, where its channel can carry them."""

from __future__ import annotations

from dataclasses import dataclass

from spendguard.core.notifications import Item, Notification, Topic

BALANCE = frozenset(
    (
        *("balance-low", "runway-short", "recharge-due", "card-short", "charge-failed"),
        *("recharge-missing", "deposit-cap", "credit-expiring"),
    )
)
"""Rules that a picture of the balance explains."""

SPEND = frozenset(("spend-spike", "key-unknown", "budget", "limit-near", "recharge-frequent"))
"""Rules that a picture of spend explains."""

MOST = 2


@dataclass(frozen=True, slots=True)
class Wanted:
    """A picture to draw: 'balance' or 'spend', of an account, by 'key' where a key is named."""

    what: str
    account: str
    by: str | None = None


@dataclass(frozen=True, slots=True)
class Picture:
    """A drawn picture: a name that tells what it shows, and PNG."""

    name: str
    png: bytes


def wanted(notification: Notification) -> tuple[Wanted, ...]:
    """Return the pictures that explain a message: none for what is over, and two at most."""
    if notification.topic is not Topic.ALERTS:
        return ()
    standing = sorted(
        (item for item in notification.items if item.ended_at is None),
        key=lambda item: -item.severity,
    )
    found = (one for one in map(_of, standing) if one is not None)
    return tuple(dict.fromkeys(found))[:MOST]


def _of(item: Item) -> Wanted | None:
    account = _account(item)
    if account is None:
        return None
    if item.rule in BALANCE:
        return Wanted("balance", account)
    if item.rule in SPEND:
        return Wanted("spend", account, "key" if "/key:" in item.subject else "model")
    return None


def _account(item: Item) -> str | None:
    """Return the account a picture is of; of a card it is the one whose charge fails first."""
    named = item.values.get("first_account") or item.values.get("account")
    if isinstance(named, str):
        return named
    plain = item.subject.partition("/")[0]
    return None if ":" in plain or plain == "guard" else plain
