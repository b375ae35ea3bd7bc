"""Board: what the service manager shows of a daemon in one line."""

from __future__ import annotations

import threading
from collections.abc import Collection
from zoneinfo import ZoneInfo

from spendguard.core.facts import AccountFacts
from spendguard.core.recharge import Coming


class Board:
    """The accounts that are read, the alerts that fire, and the next charge."""

    def __init__(self, accounts: Collection[str], zone: ZoneInfo) -> None:
        self._accounts = accounts
        self._zone = zone
        self._lock = threading.Lock()
        self._read: set[str] = set()
        self._coming: dict[str, Coming] = {}
        self.firing = 0
        self.refused = ""  # why the last reload changed nothing

    def put(self, account: str, facts: AccountFacts | None, *, read: bool) -> bool:
        """Note how the last poll of an account went and which charge comes next.

        Tell whether the account is read now and was not before.
        """
        with self._lock:
            fresh = read and account not in self._read
            (self._read.add if read else self._read.discard)(account)
            coming = None if facts is None else facts.next_charge
            if coming is None:
                self._coming.pop(account, None)
            else:
                self._coming[account] = coming
            return fresh

    @property
    def line(self) -> str:
        """The one line."""
        with self._lock:
            read = len(self._read)
            coming = min(self._coming.values(), key=lambda one: one.at, default=None)
        parts = [f"{read} of {_count(len(self._accounts), 'account')} read"]
        parts.append(f"{_count(self.firing, 'alert')} firing")
        if coming is not None:
            local = coming.at.astimezone(self._zone)
            parts.append(f"next charge {coming.amount.ceiled()} on {local:%Y-%m-%d}")
        told = ", ".join(parts)
        return (
            f"configuration refused ({self.refused}); as before: {told}" if self.refused else told
        )


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
