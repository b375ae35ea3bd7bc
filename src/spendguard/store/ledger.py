"""The ledger in the database: everything can be voided, nothing is deleted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from spendguard.core.charges import Charge, Outcome
from spendguard.core.errors import SpendguardError
from spendguard.core.ledger import Kind
from spendguard.core.money import Money
from spendguard.core.reconcile import Statement, reconcile
from spendguard.store.schema import accounts, entries
from spendguard.store.types import row_id


@dataclass(frozen=True, slots=True)
class Stated:
    """An entry as somebody stated it; `*_stated` tell what was typed and what is a default.

    `amount` is None for inferred credit and for a failed charge without a figure; then `currency`
    says of which currency nothing is known.
    """

    kind: Kind
    amount: Money | None
    at: datetime
    at_stated: bool = False
    expires_at: datetime | None = None
    expires_stated: bool = False
    source: str = "manual"
    external_id: str | None = None
    outcome: Outcome | None = None
    card: str | None = None
    reason: str = ""
    origin: str = ""
    currency: str = ""

    @property
    def columns(self) -> dict[str, object]:
        """What its row holds."""
        return {
            "kind": self.kind.value,
            "nanos": None if self.amount is None else self.amount.nanos,
            "currency": self.currency if self.amount is None else self.amount.currency,
            "at": self.at,
            "at_stated": self.at_stated,
            "expires_at": self.expires_at,
            "expires_stated": self.expires_stated,
            "source": self.source,
            "external_id": self.external_id,
            "outcome": None if self.outcome is None else self.outcome.value,
            "card": self.card,
            "reason": self.reason,
            "origin": self.origin,
        }

    @property
    def content(self) -> tuple[object, ...]:
        """What makes it another entry under the same external id."""
        columns = self.columns
        return tuple(columns[name] for name in ("kind", "outcome", "nanos", "currency"))


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
    values = {"account_id": account_id, "recorded_at": now, **stated.columns}
    key = tx.execute(sa.insert(entries).values(values)).inserted_primary_key
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
    content = (held.kind, held.outcome, held.nanos, held.currency)
    same = held.account_id == account_id and content == stated.content
    if same and not at_differs and not expires_differs:
        return
    amount = "an unknown amount" if held.nanos is None else Money(held.nanos, held.currency)
    raise SpendguardError(
        f"id '{stated.external_id}' already stands for another entry: {held.kind} {held.id} of "
        f"{amount} on account {held.name} at {held.at.isoformat()}",
        "give this entry an id of its own, or void the other one first",
    )


def live(tx: sa.Connection, account_id: int) -> list[Statement]:
    """Return what was stated of an account and not voided, in time order."""
    return _statements(tx, entries.c.account_id == account_id)


def card_charges(tx: sa.Connection, card: str) -> list[Charge]:
    """Return every charge tried on a card, of any account, each once however many saw it."""
    by_account: dict[str, list[Statement]] = {}
    for one in _statements(tx, entries.c.card == card):
        by_account.setdefault(one.account, []).append(one)
    return [charge for held in by_account.values() for charge in reconcile(held).charges]


def _statements(tx: sa.Connection, which: sa.ColumnElement[bool]) -> list[Statement]:
    rows = tx.execute(
        sa.select(entries, accounts.c.name)
        .join(accounts, accounts.c.id == entries.c.account_id)
        .where(which, entries.c.voided_at.is_(None))
        .order_by(entries.c.at, entries.c.id)
    )
    return [
        Statement(
            id=str(row.id),
            kind=Kind(row.kind),
            amount=None if row.nanos is None else Money(row.nanos, row.currency),
            at=row.at,
            account=row.name,
            outcome=None if row.outcome is None else Outcome(row.outcome),
            expires_at=row.expires_at,
            source=row.source,
            origin=row.origin,
            external_id=row.external_id,
            card=row.card,
            reason=row.reason,
            recorded_at=row.recorded_at,
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


def move(tx: sa.Connection, entry_id: str, amount: Money, now: datetime) -> None:
    """Let a checkpoint of an API say what the API says now; `balances` keeps what it said before."""
    tx.execute(
        sa.update(entries)
        .where(entries.c.id == row_id(entry_id))
        .values(nanos=amount.nanos, at=now, recorded_at=now)
    )


def mark(tx: sa.Connection, account_id: int) -> str:
    """Return a mark that changes with every entry and every void of an account."""
    table = entries.c
    newest, voided = tx.execute(
        sa.select(sa.func.max(table.id), sa.func.count(table.voided_at)).where(
            table.account_id == account_id
        )
    ).one()
    return f"{newest or 0}:{voided}"


def marks(tx: sa.Connection) -> dict[str, str]:
    """Return the mark of every account that has entries, by its name."""
    table = entries.c
    rows = tx.execute(
        sa.select(accounts.c.name, sa.func.max(table.id), sa.func.count(table.voided_at))
        .join(accounts, accounts.c.id == table.account_id)
        .group_by(accounts.c.name)
    )
    return {row[0]: f"{row[1] or 0}:{row[2]}" for row in rows}


def card_mark(tx: sa.Connection, card: str) -> str:
    """Return a mark that changes with every charge on a card, and every void of one."""
    table = entries.c
    newest, voided = tx.execute(
        sa.select(sa.func.max(table.id), sa.func.count(table.voided_at)).where(table.card == card)
    ).one()
    return f"/{newest or 0}:{voided}"
