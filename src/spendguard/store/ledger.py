"""The ledger in the database: everything can be voided, nothing is deleted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from spendguard.core.errors import SpendguardError
from spendguard.core.ledger import Entry, Kind
from spendguard.core.money import Money
from spendguard.store.schema import accounts, entries
from spendguard.store.types import row_id


@dataclass(frozen=True, slots=True)
class Stated:
    """An entry as somebody stated it; `*_stated` tell what was typed and what is a default."""

    kind: Kind
    amount: Money
    at: datetime
    at_stated: bool = False
    expires_at: datetime | None = None
    expires_stated: bool = False
    source: str = "manual"
    external_id: str | None = None


@dataclass(frozen=True, slots=True)
class Recorded:
    """The id of an entry, and whether it is new: the same external id again changes nothing."""

    id: str
    new: bool


def record(tx: sa.Connection, account_id: int, stated: Stated, now: datetime) -> Recorded:
    """Write an entry, unless its external id says that it is there already.

    Raises:
        SpendguardError: when the external id stands for an entry of other content.
    """
    if stated.external_id is not None:
        held = _by_external_id(tx, account_id, stated.external_id)
        if held is not None:
            _same_content(held, account_id, stated)
            return Recorded(str(held.id), new=False)
    key = tx.execute(
        sa.insert(entries).values(
            account_id=account_id,
            kind=stated.kind.value,
            nanos=stated.amount.nanos,
            currency=stated.amount.currency,
            at=stated.at,
            at_stated=stated.at_stated,
            expires_at=stated.expires_at,
            expires_stated=stated.expires_stated,
            source=stated.source,
            external_id=stated.external_id,
            recorded_at=now,
        )
    ).inserted_primary_key
    assert key is not None  # noqa: S101  an insert of one row always has one
    return Recorded(str(key[0]), new=True)


def _by_external_id(tx: sa.Connection, account_id: int, external_id: str) -> sa.Row[Any] | None:
    return tx.execute(
        sa.select(entries, accounts.c.name)
        .join(accounts, accounts.c.id == entries.c.account_id)
        .where(entries.c.external_id == external_id, entries.c.voided_at.is_(None))
        .order_by(entries.c.account_id != account_id)
        .limit(1)
    ).one_or_none()


def _same_content(held: sa.Row[Any], account_id: int, stated: Stated) -> None:
    at_differs = held.at_stated and stated.at_stated and held.at != stated.at
    expires_differs = (
        held.expires_stated and stated.expires_stated and held.expires_at != stated.expires_at
    )
    same = (held.account_id, held.kind, held.nanos, held.currency) == (
        account_id,
        stated.kind.value,
        stated.amount.nanos,
        stated.amount.currency,
    )
    if same and not at_differs and not expires_differs:
        return
    amount = Money(held.nanos, held.currency)
    raise SpendguardError(
        f"id '{stated.external_id}' already stands for another entry: {held.kind} {held.id} of "
        f"{amount} on account {held.name} at {held.at.isoformat()}",
        "give this entry an id of its own, or void the other one first",
    )


def live(tx: sa.Connection, account_id: int) -> list[Entry]:
    """Return the entries of an account that were not voided, in time order."""
    rows = tx.execute(
        sa.select(entries)
        .where(entries.c.account_id == account_id, entries.c.voided_at.is_(None))
        .order_by(entries.c.at, entries.c.id)
    )
    return [
        Entry(
            id=str(row.id),
            kind=Kind(row.kind),
            amount=Money(row.nanos, row.currency),
            at=row.at,
            expires_at=row.expires_at,
            source=row.source,
            external_id=row.external_id,
        )
        for row in rows
    ]


def find(tx: sa.Connection, entry_id: str) -> sa.Row[Any] | None:
    """Return the row of an entry, with the name of its account."""
    return tx.execute(
        sa.select(entries, accounts.c.name)
        .join(accounts, accounts.c.id == entries.c.account_id)
        .where(entries.c.id == row_id(entry_id))
    ).one_or_none()


def void(tx: sa.Connection, entry_id: int, now: datetime) -> None:
    """Take an entry out of every calculation; its row stays."""
    tx.execute(sa.update(entries).where(entries.c.id == entry_id).values(voided_at=now))


def mark(tx: sa.Connection, account_id: int) -> str:
    """Return a mark that changes with every entry and every void of an account."""
    table = entries.c
    newest, voided = tx.execute(
        sa.select(sa.func.max(table.id), sa.func.count(table.voided_at)).where(
            table.account_id == account_id
        )
    ).one()
    return f"{newest or 0}:{voided}"
