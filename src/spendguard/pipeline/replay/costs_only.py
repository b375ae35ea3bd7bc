"""Costs only: the view where no usage is known, and nobody is told apart."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from spendguard.core.accounts import Budget
from spendguard.core.facts import NewSpender
from spendguard.core.ledger import DaySpend, Entry, Split
from spendguard.core.windows import Window
from spendguard.store.usage import Used


class CostsOnly:
    """What a view tells beside costs: nothing."""

    __slots__ = ()

    def beyond(self, day: Window, now: datetime) -> tuple[int, tuple[int, ...]]:
        """Return what usage tells of a UTC day above what is booked, and how its hours went."""
        return 0, ()

    def used(self, now: datetime) -> list[Used] | None:
        """Return the hours of the last days in which something was used, None where none is read."""
        return None

    def splits(self, entries: Iterable[Entry], now: datetime) -> Mapping[datetime, Split]:
        """Return how checkpoints divide their own UTC days."""
        return {}

    def newcomers(self, now: datetime) -> tuple[NewSpender, ...]:
        """Return the api keys and models that are new."""
        return ()

    def unpriced(self, since: datetime, now: datetime) -> int:
        """Return how many requests since an instant have no price."""
        return 0

    def part(self, budget: Budget, window: Window, now: datetime) -> list[DaySpend] | None:
        """Return the UTC days of a window, of what a budget is about; None where nobody knows."""
        return None
