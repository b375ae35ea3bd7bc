"""Retention: old rows go in small batches, each a transaction of its own.

With `dry_run` they are only counted.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from spendguard.core.windows import DAY
from spendguard.store.connect import Store
from spendguard.store.schema import (
    alert_events,
    balances,
    deliveries,
    outbox,
    outbox_alerts,
    raw_replies,
    restatements,
)
from spendguard.store.types import MICROSECOND

BATCH = 5000
_OF_MESSAGES = (outbox_alerts.c.outbox_id, deliveries.c.outbox_id)


def drop_replies(store: Store, before: datetime, *, dry_run: bool = False) -> int:
    """Drop raw replies older than an instant; return how many."""
    return _drop(store, raw_replies, raw_replies.c.at < before, dry_run=dry_run)


def drop_restatements(store: Store, before: datetime, *, dry_run: bool = False) -> int:
    """Drop the former values of figures corrected before an instant."""
    return _drop(store, restatements, restatements.c.observed_at < before, dry_run=dry_run)


def drop_events(store: Store, before: datetime, *, dry_run: bool = False) -> int:
    """Drop transitions of alerts from before an instant."""
    return _drop(store, alert_events, alert_events.c.at < before, dry_run=dry_run)


def drop_messages(store: Store, before: datetime, *, dry_run: bool = False) -> int:
    """Drop messages from before an instant that are owed to nobody any more."""
    old = sa.and_(outbox.c.state != "owed", outbox.c.created_at < before)
    return _drop(store, outbox, old, *_OF_MESSAGES, dry_run=dry_run)


def thin_balances(store: Store, before: datetime, *, dry_run: bool = False) -> int:
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
    return _drop(store, balances, sa.and_(table.c.at < before, outlived), dry_run=dry_run)


def _drop(
    store: Store,
    table: sa.Table,
    old: sa.ColumnElement[bool],
    *belonging: sa.Column[Any],
    dry_run: bool,
) -> int:
    """Drop what is old, and the rows of other tables that belong to it; or only count it."""
    if dry_run:
        with store.begin() as tx:
            query = sa.select(sa.func.count()).select_from(table).where(old)
            return int(tx.execute(query).scalar_one())
    dropped = 0
    while True:
        with store.begin() as tx:
            ids = sa.select(table.c.id).where(old).order_by(table.c.id).limit(BATCH)
            for column in belonging:
                tx.execute(sa.delete(column.table).where(column.in_(ids)))
            done = tx.execute(sa.delete(table).where(table.c.id.in_(ids))).rowcount
        dropped += done
        if done < BATCH:
            return dropped
