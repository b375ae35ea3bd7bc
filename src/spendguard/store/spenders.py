"""Spenders in the database: which api keys and models were ever seen to spend, and who is known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from spendguard.store.schema import spenders

LATE = timedelta(days=1)
"""Who spent so shortly before the first reading was looked for in it: one it did not show is new."""
Seen = tuple[str, str]  # kind (api_key or model) and the provider's id


@dataclass(frozen=True, slots=True)
class Newcomer:
    """An api key or a model that nobody has accepted, and when it was first seen."""

    kind: str
    id: str
    first_seen_at: datetime


def note(
    tx: sa.Connection,
    account_id: int,
    seen: Mapping[Seen, datetime],
    first_ok_at: datetime | None,
    now: datetime,
) -> None:
    """Remember who was seen to spend; `seen` is when the first of it was over, for each.

    Whom the first reading showed is known, and so is who spent long before it: history never alerts.
    """
    known_until = None if first_ok_at is None else first_ok_at - LATE
    table = spenders.c
    held = {
        (row.kind, row.provider_id)
        for row in tx.execute(
            sa.select(table.kind, table.provider_id).where(table.account_id == account_id)
        )
    }
    rows = [
        {
            "account_id": account_id,
            "kind": kind,
            "provider_id": identity,
            "first_seen_at": now,
            "accepted_at": now if known_until is None or until <= known_until else None,
        }
        for (kind, identity), until in seen.items()
        if identity and (kind, identity) not in held
    ]
    if rows:
        tx.execute(sa.insert(spenders), rows)


def unaccepted(tx: sa.Connection, account_id: int, since: datetime) -> list[Newcomer]:
    """Return who was first seen since an instant and not accepted, the oldest first."""
    table = spenders.c
    rows = tx.execute(
        sa.select(table.kind, table.provider_id, table.first_seen_at)
        .where(table.account_id == account_id, table.accepted_at.is_(None))
        .where(table.first_seen_at > since)
        .order_by(table.first_seen_at, table.kind, table.provider_id)
    )
    return [Newcomer(*row) for row in rows]


def accept(tx: sa.Connection, account_id: int, kind: str, identity: str, now: datetime) -> None:
    """Take an api key or a model as known."""
    table = spenders.c
    tx.execute(
        sa.update(spenders)
        .where(table.account_id == account_id, table.kind == kind, table.provider_id == identity)
        .values(accepted_at=now)
    )
