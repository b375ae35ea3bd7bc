"""Scopes in the database: what is locked, and what the last evaluation of each found."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from spendguard.store.schema import configuration, scopes

GUARD = "guard"


def account_scope(name: str) -> str:
    """Return the name of an account's scope."""
    return f"account:{name}"


def card_scope(name: str) -> str:
    """Return the name of a card's scope."""
    return f"card:{name}"


def lock(tx: sa.Connection, name: str) -> sa.Row[Any]:
    """Return the row of a scope, locked until the transaction ends."""
    query = sa.select(scopes).where(scopes.c.name == name).with_for_update()
    row = tx.execute(query).one_or_none()
    if row is None:
        tx.execute(sa.insert(scopes).values(name=name))
        row = tx.execute(query).one()
    return row


def store(
    tx: sa.Connection, name: str, evaluation: Mapping[str, Any], mark: str, now: datetime
) -> None:
    """Keep an evaluation for the commands that read."""
    tx.execute(
        sa.update(scopes)
        .where(scopes.c.name == name)
        .values(evaluated_at=now, evaluation=json.dumps(evaluation), ledger_mark=mark)
    )


def latest(tx: sa.Connection) -> datetime | None:
    """Return the instant of the latest evaluation of any scope."""
    found: datetime | None = tx.execute(
        sa.select(scopes.c.evaluated_at)
        .order_by(scopes.c.evaluated_at.desc().nulls_last())
        .limit(1)
    ).scalar_one_or_none()
    return found


def marks(tx: sa.Connection) -> dict[str, str]:
    """Return the mark of the ledger at the last evaluation of each scope."""
    query = sa.select(scopes.c.name, scopes.c.ledger_mark).where(scopes.c.evaluated_at.is_not(None))
    return {row.name: row.ledger_mark for row in tx.execute(query)}


def settle(tx: sa.Connection, now: datetime) -> None:
    """Let no evaluation be of an instant to come: the clock was ahead when it was made."""
    tx.execute(sa.update(scopes).where(scopes.c.evaluated_at > now).values(evaluated_at=now))


def store_configuration(tx: sa.Connection, effective: Mapping[str, Any], now: datetime) -> None:
    """Keep the effective configuration, without secrets, for the commands that read."""
    text = json.dumps(effective, sort_keys=True)
    held = tx.execute(sa.select(configuration.c.effective)).scalar_one_or_none()
    if held is None:
        tx.execute(sa.insert(configuration).values(id=1, loaded_at=now, effective=text))
    elif held != text:
        tx.execute(sa.update(configuration).values(loaded_at=now, effective=text))
