"""recharge-frequent: the provider recharges more often than the burn explains."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar

from spendguard.core.alerts import Policy
from spendguard.core.charges import Charge, Outcome
from spendguard.core.facts import AccountFacts
from spendguard.core.findings import Finding, Severity, Status, Value
from spendguard.core.money import Money
from spendguard.core.windows import utc_month
from spendguard.rules.base import read_values

FEWEST = 2
LOOK_BACK = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class RechargeFrequent:
    """Fire above twice what the 14-day burn explains in 24 h, at least two, or the month's limit."""

    name: ClassVar[str] = "recharge-frequent"
    policy: ClassVar[Policy] = Policy()

    def evaluate(self, facts: AccountFacts) -> list[Finding]:
        """Count the charges that succeeded; it ends when 24 h have passed without one."""
        came = [one for one in facts.charges if one.outcome is Outcome.SUCCEEDED]
        recent = [one for one in came if facts.now - one.at < LOOK_BACK]
        in_month = utc_month(facts.now)
        total = _sum(facts, recent)
        month = _sum(facts, (one for one in came if one.at in in_month))
        limit = None if facts.recharge is None else facts.recharge.monthly_limit
        usual = facts.frequent_per_day
        often = len(recent) > FEWEST and (usual is None or total.nanos > 2 * usual.nanos)
        over = limit is not None and month > limit
        values: dict[str, Value] = read_values(facts) | {
            "count": len(recent),
            "total": total,
            "month": month,
            "limit": limit if over else None,
            "usual": usual,
            "card": facts.card,
        }
        standing = facts.standing.get((self.name, facts.account))
        if not recent or not (often or over or standing):
            return [Finding(self.name, facts.account, Status.CLEAR, values=values)]
        # worse at each doubling: a night of fifty charges is not fifty messages
        rank = max(len(recent).bit_length(), standing.rank if standing else 0)
        step = "limit" if over and not often else "often"
        return [
            Finding(self.name, facts.account, Status.FIRING, Severity.CRITICAL, step, rank, values)
        ]


def _sum(facts: AccountFacts, charges: Iterable[Charge]) -> Money:
    amounts = (one.amount for one in charges)
    return Money(sum(one.nanos for one in amounts if one is not None), facts.currency)
