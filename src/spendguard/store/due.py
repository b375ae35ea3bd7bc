"""Accounts in the database: how their reading goes, and when it is due again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from spendguard.core.accounts import Account
from spendguard.core.backoff import poll_delay
from spendguard.core.errors import ErrorKind, ProviderError, StoreError
from spendguard.core.facts import Polls
from spendguard.core.pace import following
from spendguard.store import claims
from spendguard.store.schema import accounts

Row = sa.Row[Any]


def register(tx: sa.Connection, configured: Sequence[Account]) -> None:
    """Make sure every configured account has a row.

    Raises:
        StoreError: when the currency of an account is not the one its history is in.
    """
    held = {row.name: row for row in tx.execute(sa.select(accounts))}
    for account in configured:
        row = held.get(account.name)
        if row is None:
            tx.execute(
                sa.insert(accounts).values(
                    name=account.name, provider=account.provider, currency=account.currency
                )
            )
        elif (row.currency, row.provider) != (account.currency, account.provider):
            raise StoreError(
                f"the history of account '{account.name}' is in {row.currency} at {row.provider}, "
                f"the configuration says {account.currency} at {account.provider}",
                "give the account another name, or set its currency and provider back",
            )


def load(tx: sa.Connection, name: str) -> Row:
    """Return the row of a registered account."""
    return tx.execute(_LOAD, {"name": name}).one()


_LOAD = sa.select(accounts).where(accounts.c.name == sa.bindparam("name"))  # eight times a poll


def every(tx: sa.Connection) -> dict[str, Row]:
    """Return the rows of all accounts by name."""
    return {row.name: row for row in tx.execute(sa.select(accounts))}


def unintroduced(tx: sa.Connection) -> list[Row]:
    """Return the accounts that were read and whose introduction, or its reminder, is owed."""
    table = accounts.c
    query = sa.select(accounts).where(table.first_ok_at.is_not(None), table.reminded_at.is_(None))
    return list(tx.execute(query.order_by(table.name)))


def polls(row: Row) -> Polls:
    """Return how the reading of an account goes."""
    return Polls(
        failures=row.failures,
        failing_since=row.failing_since,
        error=None if row.error_kind is None else ErrorKind(row.error_kind),
        first_ok_at=row.first_ok_at,
        last_ok_at=row.last_ok_at,
    )


def succeeded(
    tx: sa.Connection,
    row: Row,
    now: datetime,
    interval: timedelta,
    claim: str | None = None,
    **changed: object,
) -> None:
    """Record a good poll, and end the claim it was made under."""
    tx.execute(
        sa.update(accounts)
        .where(accounts.c.id == row.id)
        .values(
            first_ok_at=row.first_ok_at or now,
            last_ok_at=now,
            last_poll_at=now,
            failures=0,
            failing_since=None,
            error_kind=None,
            error_text=None,
            **changed,
        )
        .values(claims.release(claims.POLLS, claim, following(row.name, interval, now, interval)))
    )


def failed(
    tx: sa.Connection,
    row: Row,
    now: datetime,
    interval: timedelta,
    error: ProviderError,
    claim: str | None = None,
) -> None:
    """Record a poll that did not give the costs; what was known stays known."""
    pause = poll_delay(error.kind, interval, error.retry_after, row.failures + 1)
    due_at = following(row.name, interval, now, pause)
    tx.execute(
        sa.update(accounts)
        .where(accounts.c.id == row.id)
        .values(
            last_poll_at=now,
            failures=accounts.c.failures + 1,
            failing_since=row.failing_since or now,
            error_kind=error.kind.value,
            error_text=error.message,
        )
        .values(claims.release(claims.POLLS, claim, due_at))
    )


def update(tx: sa.Connection, account_id: int, **changed: object) -> None:
    """Change columns of an account."""
    tx.execute(sa.update(accounts).where(accounts.c.id == account_id).values(**changed))
