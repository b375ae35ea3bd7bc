"""Mailboxes in the database: how far each was read, and the mails that became no entry."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from spendguard.core.errors import ErrorKind
from spendguard.core.evidence import Evidence
from spendguard.core.windows import DAY
from spendguard.store import claims
from spendguard.store.schema import accounts, mailboxes, mails


def load(tx: sa.Connection, name: str) -> sa.Row[Any]:
    """Return the row of a mailbox, made where there is none."""
    query = sa.select(mailboxes).where(mailboxes.c.name == name)
    row = tx.execute(query).one_or_none()
    if row is None:
        tx.execute(sa.insert(mailboxes).values(name=name))
        row = tx.execute(query).one()
    return row


def succeeded(tx: sa.Connection, name: str, uidvalidity: int, last_uid: int, now: datetime) -> None:
    """Record how far a mailbox was read."""
    _update(
        tx,
        name,
        uidvalidity=uidvalidity,
        last_uid=last_uid,
        last_ok_at=now,
        failures=0,
        failing_since=None,
        error_kind=None,
        error_text=None,
    )


def failed(tx: sa.Connection, name: str, kind: ErrorKind, text: str, now: datetime) -> None:
    """Record that a mailbox could not be read; what was known stays known."""
    row = load(tx, name)
    _update(
        tx,
        name,
        failures=row.failures + 1,
        failing_since=row.failing_since or now,
        error_kind=kind.value,
        error_text=text,
    )


def rest(tx: sa.Connection, name: str, claim: str | None, due_at: datetime) -> None:
    """End the claim under which a mailbox was read, if any, and say when it is due again."""
    tx.execute(
        sa.update(mailboxes)
        .where(mailboxes.c.name == name)
        .values(claims.release(claims.READS, claim, due_at))
    )


def _update(tx: sa.Connection, name: str, **changed: object) -> None:
    tx.execute(sa.update(mailboxes).where(mailboxes.c.name == name).values(**changed))


def known(tx: sa.Connection, external_id: str) -> bool:
    """Tell whether a mail was put aside before."""
    query = sa.select(mails.c.id).where(mails.c.external_id == external_id)
    return tx.execute(query).first() is not None


def put_aside(
    tx: sa.Connection,
    mailbox: str,
    evidence: Evidence,
    account_id: int | None,
    state: str,
    why: str,
    now: datetime,
) -> None:
    """Keep a mail that changes nothing; `state` is forged, unassigned, unclear or conflict."""
    if known(tx, evidence.external_id):
        return
    amount = evidence.amount
    tx.execute(
        sa.insert(mails).values(
            mailbox=mailbox,
            external_id=evidence.external_id,
            account_id=account_id,
            state=state,
            origin=evidence.origin,
            claim=evidence.claim.value,
            nanos=None if amount is None else amount.nanos,
            currency=None if amount is None else amount.currency,
            at=evidence.at,
            why=why,
            recorded_at=now,
        )
    )


def forged(tx: sa.Connection, account: str, now: datetime) -> list[sa.Row[Any]]:
    """Return the forged mails about an account of the last week."""
    return list(
        tx.execute(
            sa.select(mails)
            .join(accounts, accounts.c.id == mails.c.account_id)
            .where(
                accounts.c.name == account,
                mails.c.state == "forged",
                mails.c.recorded_at > now - DAY * 7,
            )
            .order_by(mails.c.recorded_at, mails.c.id)
        )
    )
