"""credit-expiring: credit will expire before it is used."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar

from spendguard.core.alerts import Policy
from spendguard.core.durations import format_duration
from spendguard.core.facts import AccountFacts
from spendguard.core.findings import Finding, Severity, Status
from spendguard.core.ledger import Position
from spendguard.core.money import NANOS, Amount, Money
from spendguard.core.outlook import Outlook
from spendguard.rules.base import balance_values, grade, known_position, unknown, unread

LADDER = (Severity.INFO, Severity.WARNING, Severity.CRITICAL)
LEAST = Amount(NANOS // 100)  # of less, nobody speaks


@dataclass(frozen=True, slots=True)
class CreditExpiring:
    """Fire when credit that spend will not use up expires within one of `steps`, longest first."""

    name: ClassVar[str] = "credit-expiring"
    policy: ClassVar[Policy] = Policy()

    steps: tuple[timedelta, ...] = (timedelta(days=30), timedelta(days=7), timedelta(days=1))

    def evaluate(self, facts: AccountFacts) -> list[Finding]:
        """Judge what will be lost; without any spend known, nobody can tell what is used."""
        position, outlook = known_position(facts), facts.outlook
        if position is None:
            return [unread(self.name, facts)]
        if outlook is None or outlook.middle.pace is None:
            if all(lot.expires_at is None for lot in position.lots):
                values = balance_values(facts, position)
                return [Finding(self.name, facts.account, Status.CLEAR, values=values)]
            return [unknown(self.name, facts.account, "burn", **balance_values(facts, position))]
        return [self._judge(facts, position, outlook)]

    def _judge(self, facts: AccountFacts, position: Position, outlook: Outlook) -> Finding:
        steps = sorted(set(self.steps), reverse=True)
        values = balance_values(facts, position)
        least = LEAST.of(facts.currency)
        lost = [one for one in outlook.middle.lapses if one.amount >= least]
        near = [one for one in lost if facts.now < one.at <= facts.now + steps[0]]
        if not near:
            return Finding(self.name, facts.account, Status.CLEAR, values=values)
        first = near[0]
        rank = sum(first.at - facts.now <= step for step in steps)
        values |= {
            "lost": first.amount,
            "expires_at": first.at,
            "time_left": first.at - facts.now,
            "more": len(near) - 1 or None,
            "total": Money(sum(one.amount.nanos for one in near), facts.currency),
        }
        severity, step = grade(rank, len(steps), LADDER), format_duration(steps[rank - 1])
        return Finding(self.name, facts.account, Status.FIRING, severity, step, rank, values)
