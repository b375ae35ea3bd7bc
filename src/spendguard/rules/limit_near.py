"""limit-near: a ceiling that the provider itself enforces is nearly used, or enforcing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from spendguard.core.alerts import Policy
from spendguard.core.facts import AccountFacts, LimitUse
from spendguard.core.findings import Finding, Severity, Status, Value
from spendguard.core.windows import Window, utc_month
from spendguard.rules.base import grade, held_rank, percent, rank_over, read_values, unknown

LADDER = (Severity.WARNING, Severity.CRITICAL)


@dataclass(frozen=True, slots=True)
class LimitNear:
    """Fire at `steps` percent of the worst limit, and once more when the provider enforces it."""

    name: ClassVar[str] = "limit-near"
    policy: ClassVar[Policy] = Policy()

    steps: tuple[int, ...] = (75, 90, 100)

    def evaluate(self, facts: AccountFacts) -> list[Finding]:
        """Compare this UTC month's spend with each limit; unknown while limits cannot be read."""
        if facts.limits is None:
            return [unknown(self.name, facts.account, "limits", **read_values(facts))]
        if not facts.limits:
            values = read_values(facts) | {"limits": 0}
            return [Finding(self.name, facts.account, Status.CLEAR, values=values)]
        worst = max(facts.limits, key=lambda limit: self._order(facts, limit))
        return [self._judge(facts, worst, len(facts.limits))]

    def _rank(self, facts: AccountFacts, limit: LimitUse) -> int:
        steps = sorted(set(self.steps))
        if limit.enforcing:
            return len(steps) + 1
        held = held_rank(facts.standing, self.name, facts.account)
        return rank_over(limit.used.nanos, limit.threshold.nanos, steps, held)

    def _order(self, facts: AccountFacts, limit: LimitUse) -> tuple[int, int, str]:
        share = percent(limit.used.nanos, limit.threshold.nanos)
        return self._rank(facts, limit), share, limit.scope

    def _judge(self, facts: AccountFacts, limit: LimitUse, count: int) -> Finding:
        month = utc_month(facts.now)
        values = _values(facts, limit, month) | {"limits": count}
        rank = self._rank(facts, limit)
        if rank:
            steps = sorted(set(self.steps))
            severity = grade(rank, len(steps), LADDER)
            step = "enforcing" if rank > len(steps) else f"{steps[rank - 1]}%"
            return Finding(self.name, facts.account, Status.FIRING, severity, step, rank, values)
        if facts.polls.last_ok_at is None or facts.polls.last_ok_at < month.start:
            return unknown(self.name, facts.account, "costs", **values)
        return Finding(self.name, facts.account, Status.CLEAR, values=values)


def _values(facts: AccountFacts, limit: LimitUse, month: Window) -> dict[str, Value]:
    return {
        "scope": limit.scope,
        "threshold": limit.threshold,
        "used": limit.used,
        "left": limit.threshold - limit.used,
        "percent": percent(limit.used.nanos, limit.threshold.nanos),
        "enforcing": limit.enforcing,
        "window_start": month.start,
        "window_end": month.end,
        **read_values(facts),
    }
