"""Balances: what an API states becomes a checkpoint, deposits and spend, in one transaction.

The checkpoint is one row that moves along from poll to poll, so that a ledger does not grow with
every fall; credit, or anything an operator enters, leaves it where it stands and begins another.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from spendguard.core.accounts import Account
from spendguard.core.ledger import Kind, purchase_expiry
from spendguard.core.money import Money
from spendguard.core.readings import Balance, Spend, SpendRead
from spendguard.core.windows import DAY, Window, share, utc_day
from spendguard.store import balances, ledger, readings
from spendguard.store.connect import Tx
from spendguard.store.ledger import Stated
from spendguard.store.readings import Written


def keep_balance(tx: Tx, row: Any, account: Account, stated: Balance, now: datetime) -> Written:
    """Keep what was stated, and what it tells of the time since the last poll."""
    held = balances.latest(tx, row.id)
    spent, since = Money.zero(account.currency), now
    if held is not None:
        before, same_since = held
        moved = stated.since(before)
        _credit(tx, row, account, moved.credit, now)
        spent, since = moved.spent, max(same_since, row.last_ok_at or same_since)
    if held is None or held[0] != stated:
        balances.put(tx, row.id, stated, now)
    _check_point(tx, row, stated.left, now)
    return _spend(tx, row, account, spent, Window(min(since, now), now))


def _credit(tx: Tx, row: Any, account: Account, credit: Money, now: datetime) -> None:
    """Enter credit that came as a deposit, and what was taken back of it as a refund."""
    if credit.nanos > 0:
        expires_at = purchase_expiry(account.provider, now)
        came = Stated(Kind.DEPOSIT, credit, now, expires_at=expires_at, source="api")
        ledger.record(tx, row.id, came, now)
    elif credit.nanos < 0:
        ledger.record(tx, row.id, Stated(Kind.REFUND, -credit, now, source="api"), now)


def _check_point(tx: Tx, row: Any, left: Money, now: datetime) -> None:
    """State the balance as of now; where nothing happened since it was last stated, move that.

    What follows an entry of somebody else stays: credit of unknown origin may begin there.
    """
    last = ledger.live(tx, row.id)[-2:]
    if last and last[-1].kind is Kind.CHECKPOINT and last[-1].source == "api":
        if last[-1].amount == left and last[-1].at <= now:
            return
        if [one.source for one in last] == ["api", "api"]:
            ledger.move(tx, last[-1].id, left, now)
            return
    ledger.record(tx, row.id, Stated(Kind.CHECKPOINT, left, now, source="api"), now)


def _spend(tx: Tx, row: Any, account: Account, spent: Money, over: Window) -> Written:
    """Book what the balance fell by evenly over the time it fell in, beside what is booked."""
    whole = Window(utc_day(over.start).start, utc_day(over.end).end)
    known, _ = readings.day_spend(tx, row.id, account.currency, whole.start)
    booked = {one.day: one.amount.nanos for one in known}
    rows, start = [], whole.start
    while start < whole.end:
        day = Window(start, start + DAY)
        nanos = booked.get(day, 0) + _part(spent.nanos, over, day)
        rows.append(Spend(day, Money(nanos, account.currency)))
        start += DAY
    return readings.put_spend(tx, row.id, account.currency, SpendRead(whole, tuple(rows)), over.end)


def _part(nanos: int, over: Window, day: Window) -> int:
    """Return what falls into a day; where the clock stood still or ran back, all of it is today's."""
    if over.start == over.end:
        return nanos if over.end in day else 0
    return share(nanos, over, day)
