"""Supposing: the view on an account whose charges are played, beside its stored usage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from spendguard.core.accounts import Budget
from spendguard.core.facts import NewSpender, UsageFacts
from spendguard.core.forecasts import Spent
from spendguard.core.ledger import DaySpend
from spendguard.core.windows import Window
from spendguard.core.world_run import MICROSECOND, Run, Trace
from spendguard.pipeline.estimated import BEHIND
from spendguard.pipeline.replay.known_then import KnownThen
from spendguard.pipeline.replay.play import Show
from spendguard.pipeline.replay.sight import BY_HOUR, Lagging
from spendguard.pipeline.replay.stored import Stored
from spendguard.store.usage import Used


def supposing(stored: Mapping[str, Stored]) -> Show:
    """Return what makes the view on each account of a history whose charges are played."""

    def show(run: Run, account: str, lag: timedelta, begin: datetime, earlier: Trace) -> Supposing:
        return Supposing(run, account, lag, begin, earlier, then=KnownThen(stored[account], lag))

    return show


@dataclass(slots=True)
class Supposing(Lagging):
    """The view on an account of a run: where usage tells of it, a cost is seen when its hour is over."""

    then: KnownThen = field(kw_only=True)

    def _seen_until(self, now: datetime) -> datetime:
        usage, lagging = self.then.stored.usage, now - self.lag + MICROSECOND
        if usage is None or now < usage.window.start:
            return lagging
        told = min(now, usage.window.end + BEHIND).replace(minute=0, second=0, microsecond=0)
        return told if self.then.reading(now) else max(told, lagging)  # what was seen stays seen

    def spent(self, now: datetime) -> Sequence[Spent] | None:
        """Return what is seen of the last weeks by the hour; None while usage does not tell of them."""
        usage = self.then.reading(now)
        if usage is None or usage.window.start > max(now - BY_HOUR, self.begin):
            return None
        return Lagging.spent(self, now)

    def used(self, now: datetime) -> list[Used] | None:
        """Return the hours of the last days in which something was used, None where none is read."""
        return self.then.used(now)

    def usage(self, now: datetime) -> UsageFacts | None:
        """Return what usage told; None while none is read."""
        return self.then.usage(now)

    def newcomers(self, now: datetime) -> tuple[NewSpender, ...]:
        """Return the api keys and models that are new."""
        return self.then.newcomers(now)

    def unpriced(self, since: datetime, now: datetime) -> int:
        """Return how many requests since an instant have no price."""
        return self.then.unpriced(since, now)

    def part(self, budget: Budget, window: Window, now: datetime) -> list[DaySpend] | None:
        """Return the UTC days of a window, of what a budget is about."""
        return self.then.part(budget, window, now)
