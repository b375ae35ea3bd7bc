"""The outbox: what is owed to each channel, as values, until it is delivered or given up.

A claim pushes `due_at` forward by a lease and leaves a token; the outcome is written only while
that token stands. A process that dies leaves a lease that runs out, never a lost message.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from spendguard.core.alerts import NotifyReason
from spendguard.core.notifications import Item, Notification
from spendguard.core.pace import FARTHEST, due
from spendguard.store.encoding import decode, encode
from spendguard.store.schema import channels, deliveries, outbox, outbox_alerts

_Told = tuple[sa.Row[Any], set[str]]  # a row, and the alerts it is about


@dataclass(frozen=True, slots=True)
class Owed:
    """A message owed to a channel, claimed by the token until the lease runs out.

    `news_at` is when the newest of the messages folded into it was created.
    """

    id: int
    claim: str
    attempts: int
    created_at: datetime
    news_at: datetime
    notification: Notification


def enqueue(tx: sa.Connection, notification: Notification, now: datetime) -> int:
    """Owe a message to its channel, due at once."""
    key = tx.execute(
        sa.insert(outbox).values(
            channel=notification.channel,
            topic=notification.topic.value,
            state="owed",
            created_at=now,
            due_at=now,
            items=encode(notification),
        )
    ).inserted_primary_key
    assert key is not None  # noqa: S101  an insert of one row always has one
    ids = sorted({int(item.alert_id) for item in notification.items})
    if ids:
        tx.execute(
            sa.insert(outbox_alerts), [{"outbox_id": key[0], "alert_id": alert} for alert in ids]
        )
    return int(key[0])


def heard(tx: sa.Connection, alert_id: int) -> set[str]:
    """Return the channels to which a message about the alert went, or is owed."""
    rows = tx.execute(
        sa.select(outbox.c.channel)
        .join(outbox_alerts, outbox_alerts.c.outbox_id == outbox.c.id)
        .where(
            outbox_alerts.c.alert_id == alert_id,
            outbox.c.state.in_(("owed", "delivered")),
        )
    ).scalars()
    return set(rows)


def owing_channels(tx: sa.Connection) -> list[str]:
    """Return the channels to which something is owed."""
    return sorted(
        tx.execute(sa.select(outbox.c.channel).where(outbox.c.state == "owed").distinct()).scalars()
    )


def claim(
    tx: sa.Connection,
    channel: str,
    token: str,
    now: datetime,
    lease_end: datetime,
    *,
    early: bool = False,
    tried: Collection[int] = (),
) -> Owed | None:
    """Claim the next message of a channel and fold older news of the same alerts into it.

    Order is kept per channel and alert: a message waits for an older one about the same alert,
    unless both can go as one. `early` ignores the backoff, never another's lease.
    """
    rows = tx.execute(
        sa.select(outbox)
        .where(outbox.c.channel == channel, outbox.c.state == "owed")
        .order_by(outbox.c.id)
    ).all()
    ready = _ready(rows, now, tried, early=early)
    return _take(tx, _related(ready), token, lease_end) if ready else None


def _alerts(row: sa.Row[Any]) -> set[str]:
    return {item["alert"] for item in json.loads(row.items)["items"]}


def _ready(
    rows: Sequence[sa.Row[Any]], now: datetime, tried: Collection[int], *, early: bool
) -> list[_Told]:
    """Return the rows that may go now: due, in nobody's hands, behind no other of their alerts."""
    blocked: set[str] = set()
    ready: list[_Told] = []
    for row in rows:
        mine = _alerts(row)
        ready_now = due(row.due_at, now) or (early and row.claim is None)
        if not ready_now or row.id in tried or mine & blocked:
            blocked |= mine
        else:
            ready.append((row, mine))
    return ready


def _related(ready: Sequence[_Told]) -> list[sa.Row[Any]]:
    """Return the first row and all that share alerts with it, directly or through one another."""
    first, alerts = ready[0]
    chosen: set[int] = set()
    kin = {first.id}
    while kin:
        chosen |= kin
        alerts = alerts.union(*(mine for row, mine in ready if row.id in kin))
        kin = {row.id for row, mine in ready if row.id not in chosen and mine & alerts}
    return [row for row, _ in ready if row.id in chosen]


def _take(tx: sa.Connection, rows: Sequence[sa.Row[Any]], token: str, lease_end: datetime) -> Owed:
    """Claim the first row; the newer ones are folded into it."""
    first, *newer = rows
    notification = decode(first)
    for row in newer:
        notification = _fold(notification, decode(row))
        tx.execute(
            sa.update(outbox).where(outbox.c.id == row.id).values(state="folded", claim=None)
        )
    notification = _untold(tx, notification)
    news_at = max(row.news_at or row.created_at for row in rows)
    tx.execute(
        sa.update(outbox)
        .where(outbox.c.id == first.id)
        .values(
            claim=token,
            due_at=lease_end,
            attempts=first.attempts + 1,
            news_at=news_at,
            items=encode(notification),
        )
    )
    _index(tx, first.id, notification.items)
    return Owed(first.id, token, first.attempts + 1, first.created_at, news_at, notification)


def _index(tx: sa.Connection, outbox_id: int, items: Iterable[Item]) -> None:
    table = outbox_alerts.c
    held = set(tx.execute(sa.select(table.alert_id).where(table.outbox_id == outbox_id)).scalars())
    missing = sorted({int(item.alert_id) for item in items} - held)
    if missing:
        tx.execute(
            sa.insert(outbox_alerts),
            [{"outbox_id": outbox_id, "alert_id": alert} for alert in missing],
        )


def _fold(older: Notification, newer: Notification) -> Notification:
    """Return one message with the latest news of each alert, and the first reason to tell it."""
    items = {item.alert_id: item for item in older.items}
    for item in newer.items:
        before = items.get(item.alert_id)
        items[item.alert_id] = item if before is None else _later(before, item)
    return replace(older, items=tuple(items.values()))


def _later(before: Item, after: Item) -> Item:
    if after.reason is NotifyReason.STANDING:
        return replace(after, reason=before.reason)
    if after.reason is NotifyReason.RESOLVED:
        return after
    news = before.reason in (NotifyReason.FIRED, NotifyReason.ESCALATED)
    return replace(after, reason=before.reason if news else after.reason)


def _untold(tx: sa.Connection, notification: Notification) -> Notification:
    """Mark what ended before any word of it got through to the channel."""
    items = tuple(
        replace(item, untold=not _delivered(tx, notification.channel, item))
        if item.reason is NotifyReason.RESOLVED
        else item
        for item in notification.items
    )
    return replace(notification, items=items)


def _delivered(tx: sa.Connection, channel: str, item: Item) -> bool:
    found = tx.execute(
        sa.select(outbox.c.id)
        .join(outbox_alerts, outbox_alerts.c.outbox_id == outbox.c.id)
        .where(
            outbox_alerts.c.alert_id == int(item.alert_id),
            outbox.c.channel == channel,
            outbox.c.state == "delivered",
        )
        .limit(1)
    ).one_or_none()
    return found is not None


def finish(
    tx: sa.Connection,
    owed: Owed,
    state: str,
    now: datetime,
    *,
    due_at: datetime | None = None,
    error: str | None = None,
    since: datetime | None = None,
) -> bool:
    """Write the outcome of a claim: delivered, given_up, or owed again at `due_at`.

    `since` is set when only what was folded into it since then is still owed.
    Tells whether the claim still stood; if not, somebody else has the message by now.
    """
    values: dict[str, object] = {"state": state, "claim": None, "error": error}
    if due_at is not None:
        values["due_at"] = due_at
    if since is not None:
        values["created_at"] = since
    if state != "owed":
        values["done_at"] = now
    done = tx.execute(
        sa.update(outbox)
        .where(outbox.c.id == owed.id, outbox.c.claim == owed.claim)
        .values(**values)
    )
    return done.rowcount == 1


def due_channels(tx: sa.Connection, now: datetime) -> list[str]:
    """Return the channels to which something is owed that may be tried now."""
    late = sa.or_(outbox.c.due_at <= now, outbox.c.due_at > now + FARTHEST)
    query = sa.select(outbox.c.channel).where(outbox.c.state == "owed", late).distinct()
    return sorted(tx.execute(query).scalars())


def soonest(tx: sa.Connection, now: datetime) -> datetime | None:
    """Return when the next message will be due that is not due yet."""
    found: datetime | None = tx.execute(
        sa.select(sa.func.min(outbox.c.due_at)).where(
            outbox.c.state == "owed", outbox.c.due_at > now
        )
    ).scalar_one()
    return found


def hasten(tx: sa.Connection, now: datetime) -> int:
    """Make every owed message due that is in nobody's hands, whatever its backoff."""
    done = tx.execute(
        sa.update(outbox)
        .where(outbox.c.state == "owed", outbox.c.claim.is_(None))
        .values(due_at=now)
    )
    return done.rowcount


def note_attempt(
    tx: sa.Connection,
    outbox_id: int,
    now: datetime,
    state: str,
    why: str,
    *,
    status: int | None = None,
    wait: timedelta | None = None,
) -> None:
    """Remember what became of an attempt, whoever holds the message by now."""
    tx.execute(
        sa.insert(deliveries).values(
            outbox_id=outbox_id,
            at=now,
            state=state,
            status=status,
            wait_seconds=None if wait is None else int(wait.total_seconds()),
            why=why,
        )
    )


def take_back(tx: sa.Connection, now: datetime) -> int:
    """Make every owed message due: the claims are those of a process that is no more."""
    done = tx.execute(
        sa.update(outbox)
        .where(outbox.c.state == "owed", outbox.c.claim.is_not(None))
        .values(claim=None, due_at=now)
    )
    return done.rowcount


def note_channel(tx: sa.Connection, name: str, **changed: object) -> None:
    """Remember how a channel did."""
    known = tx.execute(sa.select(channels.c.name).where(channels.c.name == name)).one_or_none()
    if known is None:
        tx.execute(sa.insert(channels).values(name=name, **changed))
    else:
        tx.execute(sa.update(channels).where(channels.c.name == name).values(**changed))


def owed_since(tx: sa.Connection) -> dict[str, datetime]:
    """Return since when each channel owes its oldest message, of those that were tried.

    What waits because nothing ran says nothing of the channel, nor does a first try under way.
    """
    tried = sa.or_(outbox.c.attempts > 1, sa.and_(outbox.c.attempts == 1, outbox.c.claim.is_(None)))
    rows = tx.execute(
        sa.select(outbox.c.channel, sa.func.min(outbox.c.created_at))
        .where(outbox.c.state == "owed", tried)
        .group_by(outbox.c.channel)
    )
    return {row[0]: row[1] for row in rows}


def channel_rows(tx: sa.Connection) -> dict[str, sa.Row[Any]]:
    """Return what is remembered of each channel."""
    return {row.name: row for row in tx.execute(sa.select(channels))}


def give_up_channels(tx: sa.Connection, configured: Collection[str], now: datetime) -> int:
    """Give up what is owed to channels that are not configured any more."""
    done = tx.execute(
        sa.update(outbox)
        .where(outbox.c.state == "owed", outbox.c.channel.not_in(sorted(configured)))
        .values(state="given_up", claim=None, done_at=now, error="the channel is not configured")
    )
    return done.rowcount
