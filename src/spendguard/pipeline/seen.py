"""Seen: whether the guard sees every account, or has said of which it does not."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from spendguard.core.accounts import Account
from spendguard.store import alerts, due
from spendguard.store.connect import Tx

LATE = timedelta(minutes=2)


def every_account_seen(tx: Tx, accounts: Sequence[Account], now: datetime) -> bool:
    """Tell whether each account was read at its time, or is known to be out of sight.

    One that failed and is not yet called blind is neither.
    """
    blind = {
        stored.account
        for stored in alerts.every_open(tx)
        if stored.alert.rule == "blind" and not stored.alert.pending
    }
    rows = due.every(tx)
    return all(one.name in blind or _read(one, rows.get(one.name), now) for one in accounts)


def _read(account: Account, row: Any, now: datetime) -> bool:
    if row is None or row.failures or row.last_ok_at is None:
        return False
    return bool(abs(now - row.last_ok_at) <= 2 * account.poll_interval + LATE)
