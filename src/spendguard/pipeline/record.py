"""Record: write what the operator states into the ledger, and take it back.

Each function works inside the caller's transaction, which then evaluates the scope it touched.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from spendguard.core.errors import SpendguardError
from spendguard.core.ledger import Kind, Position, latest_checkpoint
from spendguard.core.money import Money
from spendguard.core.reconcile import reconcile
from spendguard.pipeline.known import position_at
from spendguard.store import cards, due, ledger
from spendguard.store.connect import Tx
from spendguard.store.ledger import Recorded, Stated


@dataclass(frozen=True, slots=True)
class Checkpointed:
    """A new checkpoint, and what was derived for its instant before it.

    `drift` is stated less `expected`, which is derived from what is booked and what usage shows; both
    are None for a first checkpoint. `superseded_by` is the instant of a later checkpoint, which goes
    on to count.
    """

    entry: Recorded
    derived: Position | None
    expected: Money | None
    drift: Money | None
    superseded_by: datetime | None


def set_balance(tx: Tx, account: str, stated: Stated, now: datetime) -> Checkpointed:
    """Write a checkpoint and tell how far the derived balance had drifted."""
    row = due.load(tx, account)
    before = reconcile(ledger.live(tx, row.id)).entries
    derived = position_at(tx, row, before, now, at=stated.at)
    latest = latest_checkpoint(before)
    entry = ledger.record(tx, row.id, stated, now)
    later = latest.at if latest is not None and latest.at > stated.at else None
    expected = drift = None
    if derived is not None:
        expected = derived.billed - (derived.unbooked or Money.zero(derived.billed.currency))
    if expected is not None and stated.amount is not None:
        drift = stated.amount - expected
    return Checkpointed(entry, derived, expected, drift, later)


def add_credit(tx: Tx, account: str, stated: Stated, now: datetime) -> Recorded:
    """Write a deposit, a grant or a refund; the same external id again changes nothing.

    Raises:
        SpendguardError: when the external id stands for another entry.
    """
    return ledger.record(tx, due.load(tx, account).id, stated, now)


@dataclass(frozen=True, slots=True)
class Voided:
    """An entry that was taken out of every calculation."""

    id: str
    account: str
    kind: Kind
    amount: Money | None
    at: datetime
    new: bool


@dataclass(frozen=True, slots=True)
class CardVoided:
    """What was stated of a card, and does not count any more."""

    id: str
    card: str
    amount: Money
    at: datetime
    new: bool


COMMANDS = {Kind.CHECKPOINT: "balance", Kind.CHARGE: "charge"}
"""Which command an entry is from; all else is from `deposit`."""


def void(tx: Tx, entry_id: str, kinds: frozenset[Kind], now: datetime) -> Voided:
    """Take an entry out of every calculation; voiding it again changes nothing.

    Raises:
        SpendguardError: when there is no such entry, or it is of another kind.
    """
    row = ledger.find(tx, entry_id)
    command = COMMANDS.get(next(iter(kinds)), "deposit")
    if row is None:
        raise SpendguardError(
            f"there is no entry '{entry_id}'", f"`spendguard {command} list` shows the ids"
        )
    kind = Kind(row.kind)
    if kind not in kinds:
        other = COMMANDS.get(kind, "deposit")
        raise SpendguardError(
            f"entry '{entry_id}' is a {kind.value}, not a {command}",
            f"use `spendguard {other} void {entry_id}`",
        )
    if row.voided_at is None:
        ledger.void(tx, row.id, now)
    amount = None if row.nanos is None else Money(row.nanos, row.currency)
    return Voided(entry_id, row.name, kind, amount, row.at, new=row.voided_at is None)


def void_card(tx: Tx, statement_id: str, now: datetime) -> CardVoided:
    """Take what was stated of a card out of every calculation; doing it again changes nothing.

    Raises:
        SpendguardError: when there is no such statement.
    """
    row = cards.find(tx, statement_id)
    if row is None:
        raise SpendguardError(
            f"there is no statement '{statement_id}' of a card",
            "`spendguard card list` shows the ids",
        )
    if row.voided_at is None:
        cards.void(tx, row.id, now)
    amount = Money(row.nanos, row.currency)
    return CardVoided(statement_id, row.card, amount, row.at, new=row.voided_at is None)
