"""own-key-expiring: the key the guard reads with expires soon."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar

from spendguard.core.alerts import Policy
from spendguard.core.facts import AccountFacts
from spendguard.core.findings import Finding, Severity, Status, Value
from spendguard.rules.base import grade, read_values, unknown

LADDER = (Severity.INFO, Severity.WARNING, Severity.CRITICAL)
HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class OwnKeyExpiring:
    """Fire when the guard's own key expires within the first of `steps`, longest first."""

    name: ClassVar[str] = "own-key-expiring"
    policy: ClassVar[Policy] = Policy()

    steps: tuple[timedelta, ...] = (timedelta(days=30), timedelta(days=7), timedelta(days=1))

    def evaluate(self, facts: AccountFacts) -> list[Finding]:
        """Judge the time left; a key of which nothing is known is unknown, not eternal."""
        values: dict[str, Value] = read_values(facts)
        if not facts.own_key_known:
            return [unknown(self.name, facts.account, "own-key", **values)]
        if facts.own_key_expires_at is None:
            return [Finding(self.name, facts.account, Status.CLEAR, values=values)]
        return [self._judge(facts, facts.own_key_expires_at, values)]

    def _judge(
        self, facts: AccountFacts, expires_at: datetime, values: dict[str, Value]
    ) -> Finding:
        left = expires_at - facts.now
        values = values | {"expires_at": expires_at, "time_left": left}
        steps = sorted(set(self.steps), reverse=True)
        rank = sum(left <= step for step in steps)
        if rank == 0:
            return Finding(self.name, facts.account, Status.CLEAR, values=values)
        severity = grade(rank, len(steps), LADDER)
        step = _short(steps[rank - 1])
        return Finding(self.name, facts.account, Status.FIRING, severity, step, rank, values)


def _short(duration: timedelta) -> str:
    """Return a step as the configuration writes it: 7d, 36h, 90m."""
    for unit, letter in ((timedelta(days=1), "d"), (HOUR, "h"), (timedelta(minutes=1), "m")):
        if duration % unit == timedelta(0):
            return f"{duration // unit}{letter}"
    return f"{duration // timedelta(seconds=1)}s"
