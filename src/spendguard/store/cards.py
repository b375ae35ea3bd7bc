"""Cards in the database: what each held, as somebody stated it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from spendguard.core.cards import Statement
from spendguard.core.money import Money
from spendguard.store.schema import card_statements
from spendguard.store.types import row_id


def state(tx: sa.Connection, card: str, amount: Money, at: datetime, now: datetime) -> str:
    """Write what a card holds at an instant, and return the statement's id."""
    key = tx.execute(
        sa.insert(card_statements).values(
            card=card, nanos=amount.nanos, currency=amount.currency, at=at, recorded_at=now
        )
    ).inserted_primary_key
    assert key is not None  # noqa: S101  an insert of one row always has one
    return str(key[0])


def statements(tx: sa.Connection, card: str) -> list[Statement]:
    """Return what was stated of a card and not voided."""
    table = card_statements.c
    rows = tx.execute(
        sa.select(card_statements)
        .where(table.card == card, table.voided_at.is_(None))
        .order_by(table.at, table.id)
    )
    return [
        Statement(str(row.id), row.card, Money(row.nanos, row.currency), row.at) for row in rows
    ]


def find(tx: sa.Connection, statement_id: str) -> sa.Row[Any] | None:
    """Return the row of a statement."""
    query = sa.select(card_statements).where(card_statements.c.id == row_id(statement_id))
    return tx.execute(query).one_or_none()


def void(tx: sa.Connection, statement_id: int, now: datetime) -> None:
    """Take a statement out of every calculation; its row stays."""
    table = card_statements.c
    tx.execute(sa.update(card_statements).where(table.id == statement_id).values(voided_at=now))


def mark(tx: sa.Connection, card: str) -> str:
    """Return a mark that changes with every statement and every void of a card."""
    table = card_statements.c
    newest, voided = tx.execute(
        sa.select(sa.func.max(table.id), sa.func.count(table.voided_at)).where(table.card == card)
    ).one()
    return f"{newest or 0}:{voided}"
