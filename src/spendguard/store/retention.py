"""Retention: old rows go in small batches, each a transaction of its own."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from spendguard.core.windows import DAY
from spendguard.store.connect import Store
from spendguard.store.schema import (
    alert_events,
    balances,
    outbox,
    outbox_alerts,
    raw_replies,
    restatements,
)
from spendguard.store.types import MICROSECOND

BATCH = 5000


def drop_replies(store: Store, before: datetime) -> int:
    """Drop raw replies older than an instant; return how many."""
    return _drop(store, raw_replies, raw_replies.c.at < before)


def drop_restatements(store: Store, before: datetime) -> int:
    """Drop the former values of figures corrected before an instant."""
    return _drop(store, restatements, restatements.c.observed_at < before)


def drop_events(store: Store, before: datetime) -> int:
    """Drop transitions of alerts from before an instant."""
    return _drop(store, alert_events, alert_events.c.at < before)


def drop_messages(store: Store, before: datetime) -> int:
    """Drop messages from before an instant that are owed to nobody any more."""
    old = sa.and_(outbox.c.state != "owed", outbox.c.created_at < before)
    with store.begin() as tx:
        ids = sa.select(outbox.c.id).where(old)
        tx.execute(sa.delete(outbox_alerts).where(outbox_alerts.c.outbox_id.in_(ids)))
        return tx.execute(sa.delete(outbox).where(old)).rowcount


def thin_balances(store: Store, before: datetime) -> int:
    """Drop what an API stated before an instant, but for the last of each UTC day."""
    table, later = balances, balances.alias()
    day = int(DAY / MICROSECOND)
    next_day = (sa.type_coerce(table.c.at, sa.BigInteger) // day + 1) * day
    outlived = (
        sa.select(later.c.id)
        .where(
            later.c.account_id == table.c.account_id,
            later.c.id > table.c.id,
            sa.type_coerce(later.c.at, sa.BigInteger) < next_day,
        )
        .exists()
    )
    return _drop(store, balances, sa.and_(table.c.at < before, outlived))


def _drop(store: Store, table: sa.Table, old: sa.ColumnElement[bool]) -> int:
    dropped = 0
    while True:
        with store.begin() as tx:
            ids = sa.select(table.c.id).where(old).limit(BATCH)
            done = tx.execute(sa.delete(table).where(table.c.id.in_(ids))).rowcount
        dropped += done
        if done < BATCH:
            return dropped
