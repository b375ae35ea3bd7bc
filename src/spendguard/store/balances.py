"""Balances in the database: what an API stated, each time it said something else."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from spendguard.core.money import Money
from spendguard.core.readings import Balance
from spendguard.store.schema import balances


def latest(tx: sa.Connection, account_id: int) -> tuple[Balance, datetime] | None:
    """Return the balance that was stated last, and since when it is the same."""
    row: Any = tx.execute(
        sa.select(balances)
        .where(balances.c.account_id == account_id)
        .order_by(balances.c.id.desc())
        .limit(1)
    ).one_or_none()
    if row is None:
        return None
    credited = None if row.credited_nanos is None else Money(row.credited_nanos, row.currency)
    return Balance(Money(row.nanos, row.currency), credited), row.at


def put(tx: sa.Connection, account_id: int, stated: Balance, now: datetime) -> None:
    """Keep a balance that differs from the last one."""
    tx.execute(
        sa.insert(balances).values(
            account_id=account_id,
            at=now,
            nanos=stated.left.nanos,
            credited_nanos=None if stated.credited is None else stated.credited.nanos,
            currency=stated.left.currency,
        )
    )


def under_since(tx: sa.Connection, account_id: int, level: Money) -> datetime | None:
    """Return since when every balance stated is under a level; None where the last one is not."""
    table = balances.c
    not_under = (
        sa.select(sa.func.coalesce(sa.func.max(table.id), 0))
        .where(table.account_id == account_id, table.nanos >= level.nanos)
        .scalar_subquery()
    )
    query = (
        sa.select(table.at)
        .where(table.account_id == account_id, table.id > not_under)
        .order_by(table.id)
        .limit(1)
    )
    return tx.execute(query).scalar_one_or_none()
