"""Claims: who reads an account or a mailbox that is due, for the length of a lease.

A claim pushes the due time forward by a lease and leaves a token, by compare-and-swap on the due
time that was seen: of several claimers one wins. Whoever dies leaves a lease that runs out.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from spendguard.core.pace import FARTHEST
from spendguard.store.schema import accounts, mailboxes


@dataclass(frozen=True, slots=True)
class Line:
    """Rows that wait until they are due: accounts, or mailboxes."""

    table: sa.Table
    due: sa.Column[Any]


POLLS = Line(accounts, accounts.c.next_poll_at)
READS = Line(mailboxes, mailboxes.c.next_read_at)


def claim(
    tx: sa.Connection,
    line: Line,
    known: Collection[str],
    token: str,
    now: datetime,
    lease_end: datetime,
    *,
    most: int,
    failing: int,
) -> dict[str, bool]:
    """Claim what has been due the longest: at most `most` of the known names.

    Return which were claimed, and whether each failed the last time; of those there are at most
    `failing`, so that what hangs leaves room for what does not.
    """
    table, won = line.table.c, dict[str, bool]()
    query = (
        sa.select(table.name, table.failures, line.due.label("due"))
        .where(_due(line, now))
        .order_by(line.due)
    )
    for row in tx.execute(query).all():
        failed = row.failures > 0
        if len(won) >= most:
            break
        if row.name not in known or (failed and sum(won.values()) >= failing):
            continue
        if _take(tx, line, row, token, lease_end):
            won[row.name] = failed
    return won


def _take(tx: sa.Connection, line: Line, row: Any, token: str, lease_end: datetime) -> bool:
    """Tell whether the row was still as it was seen, and is ours now."""
    done = tx.execute(
        sa.update(line.table)
        .where(line.table.c.name == row.name, line.due == row.due)
        .values({line.due: lease_end, line.table.c.claim: token})
    )
    return done.rowcount == 1


def soonest(tx: sa.Connection, line: Line, now: datetime) -> datetime | None:
    """Return when the next one will be due that is not due yet."""
    query = sa.select(sa.func.min(line.due)).where(line.due > now)
    found: datetime | None = tx.execute(query).scalar_one()
    return found


def release(
    line: Line, token: str | None, due_at: datetime
) -> dict[sa.Column[Any], sa.ColumnElement[Any]]:
    """Return the columns that end a claim; they change nothing where somebody else has it."""
    held = line.table.c.claim
    mine = sa.or_(held.is_(None), held == token)
    return {
        line.due: sa.case((mine, sa.literal(due_at, line.due.type)), else_=line.due),
        held: sa.case((mine, sa.null()), else_=held),
    }


def free(
    tx: sa.Connection, line: Line, known: Collection[str], kept: Collection[str], now: datetime
) -> None:
    """Make what is known due now and in nobody's hands, but what is `kept`; the rest waits for ever."""
    table = line.table.c
    for row in tx.execute(sa.select(table.name, line.due.label("due"), table.claim)).all():
        due_at = now if row.name in known else None
        if row.name not in kept and (row.due, row.claim) != (due_at, None):
            tx.execute(
                sa.update(line.table)
                .where(table.name == row.name)
                .values({line.due: due_at, table.claim: None})
            )


def _due(line: Line, now: datetime) -> sa.ColumnElement[bool]:
    return sa.or_(line.due <= now, line.due > now + FARTHEST)
