"""Claims: who reads an account or a mailbox that is due, for the length of a lease.

A claim pushes the due time forward by a lease and leaves a token, by compare-and-swap on the due
time that was seen: of several claimers one wins. Whoever dies leaves a lease that runs out.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from typing import Any

import sqlalchemy as sa

from spendguard.core.pace import FARTHEST
from spendguard.store.schema import accounts, mailboxes

PAGE = 50


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
    _settle(tx, line, now)
    well = line.table.c.failures == 0
    rows = [
        *_due(tx, line, well, known, most, now),
        *_due(tx, line, ~well, known, min(failing, most), now),
    ]
    first = sorted(rows, key=lambda row: row.due)[:most]
    return {row.name: row.failures > 0 for row in first if _take(tx, line, row, token, lease_end)}


def _settle(tx: sa.Connection, line: Line, now: datetime) -> None:
    """Make due what a clock that was ahead put off."""
    tx.execute(sa.update(line.table).where(line.due > now + FARTHEST).values({line.due: now}))


def _due(
    tx: sa.Connection,
    line: Line,
    which: sa.ColumnElement[bool],
    known: Collection[str],
    most: int,
    now: datetime,
) -> list[Any]:
    """Return what is known and has been due the longest, a page after the other."""
    table, found = line.table.c, list[Any]()
    query = (
        sa.select(table.name, table.failures, line.due.label("due"))
        .where(which, line.due <= now)
        .order_by(line.due, table.name)
        .limit(PAGE)
    )
    for place in count(0, PAGE):
        rows = tx.execute(query.offset(place)).all() if len(found) < most else ()
        found += [row for row in rows if row.name in known]
        if len(rows) < PAGE:
            break
    return found[: max(most, 0)]


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
    rows = tx.execute(sa.select(table.name)).all()
    changed = [
        {"row": row.name, "at": now if row.name in known else None}
        for row in rows
        if row.name not in kept
    ]
    if changed:
        tx.execute(
            sa.update(line.table)
            .where(table.name == sa.bindparam("row"))
            .values({line.due: sa.bindparam("at", type_=line.due.type), table.claim: None}),
            changed,
        )
