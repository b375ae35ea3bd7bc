"""Deliver: claim an owed message, render it, send it, and write down what became of it.

Delivery is at least once: claim, send, clear. A repeated message after a crash is a nuisance, a
missing one is money.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol
from zoneinfo import ZoneInfo

from spendguard.core.backoff import GIVE_UP, delivery_delay
from spendguard.core.findings import Severity
from spendguard.core.notifications import Notification
from spendguard.core.routing import Channel
from spendguard.messages import render
from spendguard.notify.results import Delivered, Refused
from spendguard.store import outbox
from spendguard.store.connect import Store, Tx
from spendguard.store.outbox import Owed

LEASE = timedelta(minutes=2)


class DeliveryState(StrEnum):
    """What became of a message in this attempt."""

    DELIVERED = "delivered"
    RETRYING = "retrying"
    GIVEN_UP = "given_up"
    SUPPRESSED = "suppressed"


@dataclass(frozen=True, slots=True)
class DeliveryOutcome:
    """The attempt to send one message to one channel; `why` is in our words."""

    channel: str
    outbox_id: int
    state: DeliveryState
    why: str = ""


class Sender(Protocol):
    """Something that can take a message to its channel."""

    def send(self, title: str, body: str, severity: Severity | None) -> Delivered | Refused:
        """Send one message and tell how it went."""
        ...


def deliver(
    store: Store,
    channel: Channel,
    sender: Sender | str,
    zone: ZoneInfo,
    now: datetime,
    token: str,
    *,
    early: bool = False,
    tried: Collection[int] = (),
) -> DeliveryOutcome | None:
    """Try the next message owed to a channel; None when nothing is due.

    `sender` is a text where the channel has no usable URL: why. `early` ignores the backoff, and
    `tried` are messages not to be tried again.
    """
    with store.begin() as tx:
        owed = outbox.claim(tx, channel.name, token, now, now + LEASE, early=early, tried=tried)
    if owed is None:
        return None
    result = _send(sender, owed.notification, channel.language, zone, now)
    return _record(store, channel.name, owed, result, now)


def _send(
    sender: Sender | str, notification: Notification, language: str, zone: ZoneInfo, now: datetime
) -> Delivered | Refused:
    if isinstance(sender, str):
        return Refused(permanent=True, why=sender)
    message = render(notification, language=language, now=now, zone=zone)
    worst = max((item.severity for item in notification.items if not item.ended_at), default=None)
    return sender.send(message.title, message.body, worst)


def _record(
    store: Store, channel: str, owed: Owed, result: Delivered | Refused, now: datetime
) -> DeliveryOutcome:
    """Write what the far end answered, and the outcome unless the claim fell to somebody else."""
    wait = None if isinstance(result, Delivered) else result.retry_after
    with store.begin() as tx:
        done = _settle(tx, channel, owed, result, now)
        outbox.note_attempt(
            tx, owed.id, now, done.state.value, done.why, status=result.status, wait=wait
        )
    return done


def _settle(
    tx: Tx, channel: str, owed: Owed, result: Delivered | Refused, now: datetime
) -> DeliveryOutcome:
    if isinstance(result, Delivered):
        if outbox.finish(tx, owed, "delivered", now):
            outbox.note_channel(
                tx, channel, delivered_at=now, refused_at=None, lost_at=None, error=""
            )
        return DeliveryOutcome(channel, owed.id, DeliveryState.DELIVERED)
    refused = {"refused_at": now} if result.permanent else {}
    lost = {"lost_at": now} if now - owed.created_at >= GIVE_UP else {}
    noted = {"error": result.why, **refused, **lost}
    if now - owed.news_at >= GIVE_UP:
        if outbox.finish(tx, owed, "given_up", now, error=result.why):
            outbox.note_channel(tx, channel, **noted)
        return DeliveryOutcome(channel, owed.id, DeliveryState.GIVEN_UP, result.why)
    due_at = now + delivery_delay(owed.attempts, result.retry_after)
    since = owed.news_at if lost else None  # what came later has not had its seven days
    if outbox.finish(tx, owed, "owed", now, due_at=due_at, error=result.why, since=since):
        outbox.note_channel(tx, channel, **noted)
    return DeliveryOutcome(channel, owed.id, DeliveryState.RETRYING, result.why)


def give_up_removed(store: Store, configured: Collection[str], now: datetime) -> int:
    """Give up what is owed to channels that the configuration no longer has."""
    with store.begin() as tx:
        return outbox.give_up_channels(tx, configured, now)
