"""Silences in the database: say nothing about what matches until an instant."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from spendguard.store.schema import silences
from spendguard.store.types import row_id


@dataclass(frozen=True, slots=True)
class Silence:
    """A matcher and an end. Rules and accounts must both match where both are given."""

    id: str
    rules: frozenset[str]
    accounts: frozenset[str]
    ends_at: datetime

    def matches(self, rule: str, account: str | None) -> bool:
        """Tell whether an alert of this rule and account is to be silent."""
        return (not self.rules or rule in self.rules) and (
            not self.accounts or account in self.accounts
        )


def active(tx: sa.Connection, now: datetime) -> list[Silence]:
    """Return the silences in force."""
    rows = tx.execute(sa.select(silences).where(silences.c.ends_at > now))
    return [
        Silence(
            str(row.id),
            frozenset(json.loads(row.rules)),
            frozenset(json.loads(row.accounts)),
            row.ends_at,
        )
        for row in rows
    ]


def add(
    tx: sa.Connection, rules: frozenset[str], accounts: frozenset[str], now: datetime, end: datetime
) -> Silence:
    """Write a silence that begins now."""
    key = tx.execute(
        sa.insert(silences).values(
            rules=json.dumps(sorted(rules)),
            accounts=json.dumps(sorted(accounts)),
            created_at=now,
            ends_at=end,
        )
    ).inserted_primary_key
    assert key is not None  # noqa: S101  an insert of one row always has one
    return Silence(str(key[0]), rules, accounts, end)


def finish(tx: sa.Connection, silence_id: str, now: datetime) -> bool:
    """End a silence now; tell whether it was in force."""
    done = tx.execute(
        sa.update(silences)
        .where(silences.c.id == row_id(silence_id), silences.c.ends_at > now)
        .values(ends_at=now)
    )
    return done.rowcount == 1
